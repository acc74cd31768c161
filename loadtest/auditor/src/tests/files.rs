//! Files of histories, torn and whole.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::scene::Scene;
use crate::{Answered, History, Torn, Writer, read};

fn path(name: &str) -> PathBuf {
    let name = format!("auditor-{}-{name}.jsonl", std::process::id());
    let path = std::env::temp_dir().join(name);
    if path.exists() {
        fs::remove_file(&path).expect("an old file can be removed");
    }
    path
}

fn write(path: &Path, scene: &Scene) {
    let mut writer = Writer::create(path).expect("a file can be written");
    for call in &scene.history.invocations {
        let mut sent = call.clone();
        let answered = sent.answered.take();
        writer.sent(sent).expect("a call can be written");
        if let Some(Answered { at, answer }) = answered {
            let answered = Answered { at, answer };
            writer
                .answered(call.client, call.sequence, answered)
                .expect("an answer can be written");
        }
    }
}

#[test]
fn history_reads_back_as_it_was_written() {
    let (path, scene) = (path("whole"), Scene::usual());
    write(&path, &scene);
    let mut history = History::default();
    assert_eq!(read(&path, &mut history).expect("it is whole"), Torn::No);
    assert_eq!(history, scene.history);
    fs::remove_file(path).expect("it is there");
}

#[test]
fn torn_last_answer_is_an_answer_that_never_came() {
    let (path, scene) = (path("torn"), Scene::usual());
    write(&path, &scene);
    let text = fs::read(&path).expect("it is there");
    fs::write(&path, &text[..text.len() - 5]).expect("it can be cut");
    let mut history = History::default();
    assert_eq!(
        read(&path, &mut history).expect("it is readable"),
        Torn::LastLine
    );
    assert_eq!(history.invocations.len(), scene.history.invocations.len());
    assert_eq!(history.invocations.last().expect("calls").answered, None);
    fs::remove_file(path).expect("it is there");
}

#[test]
fn line_broken_in_the_middle_is_an_error() {
    let (path, scene) = (path("broken"), Scene::usual());
    write(&path, &scene);
    let text = fs::read_to_string(&path).expect("it is text");
    fs::write(&path, text.replacen('}', "", 1)).expect("it can be written");
    assert!(read(&path, &mut History::default()).is_err());
    fs::remove_file(path).expect("it is there");
}
