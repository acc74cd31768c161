//! Mails as a server and a directory get them.

use std::path::{Path, PathBuf};

use engine::{clock::EPOCH, ids::MailId, random::SeededRandom};
use persistence::mail::{Due, Letter};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use super::{Carrier, Settings, carrier::Failure};
use crate::config::Secret;

fn due(to: &str) -> Due {
    Due {
        id: MailId::generate(EPOCH, &SeededRandom::new(1)),
        kind: "invitation".to_owned(),
        queued_at: EPOCH,
        attempt: 1,
        letter: Some(Letter {
            to: to.to_owned(),
            subject: "Grüße".to_owned(),
            text: "Open this:\nhttps://consign.example/invitation\n".to_owned(),
        }),
    }
}

fn settings(smtp_url: &str, directory: &Path) -> Settings {
    Settings {
        smtp_url: Secret::new(smtp_url),
        directory: directory.to_owned(),
        from: "Consign <no-reply@consign.example>".to_owned(),
        send_timeout_ms: 5000,
    }
}

async fn taken(carrier: &Carrier, due: &Due) -> Result<(), Failure> {
    carrier.take(due, due.letter.as_ref().unwrap()).await
}

/// A mail server that says one thing to every recipient; gives what it was sent.
async fn serve(listener: TcpListener, to_recipient: &str) -> Vec<String> {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    let (mut said, mut in_letter) = (Vec::new(), false);
    write.write_all(b"220 ready\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "." => "250 taken",
            _ if in_letter => "",
            "RCPT" => to_recipient,
            "DATA" => "354 go on",
            _ => "250 fine",
        };
        in_letter = (in_letter || line == "DATA") && line != ".";
        said.push(line);
        if !answer.is_empty() {
            write
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .unwrap();
        }
        let over = said.last().is_some_and(|line| line == ".");
        if over || (answer == to_recipient && !answer.starts_with('2')) {
            break;
        }
    }
    said
}

async fn through_server(to_recipient: &str) -> (Result<(), Failure>, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let carrier = Carrier::open(&settings(&url, Path::new("")))
        .unwrap()
        .unwrap();
    let due = due("ann@example.com");
    tokio::join!(taken(&carrier, &due), serve(listener, to_recipient))
}

#[tokio::test]
async fn server_gets_the_letter_with_one_message_id_for_ever() {
    let (taken, said) = through_server("250 known").await;
    assert_eq!(taken, Ok(()));
    assert!(
        said.contains(&"MAIL FROM:<no-reply@consign.example>".to_owned()),
        "{said:?}"
    );
    assert!(
        said.contains(&"RCPT TO:<ann@example.com>".to_owned()),
        "{said:?}"
    );
    let id = format!("Message-ID: <{}@consign.example>", due("").id);
    assert!(said.contains(&id), "{said:?}");
    assert!(
        said.contains(&"https://consign.example/invitation".to_owned()),
        "{said:?}"
    );
}

#[tokio::test]
async fn refusal_for_good_is_told_from_one_for_now() {
    for (answer, expected) in [
        (
            "550 ann@example.com is unknown",
            Failure::ForGood(Some(550)),
        ),
        ("451 ann@example.com is busy", Failure::ForNow(Some(451))),
    ] {
        let (taken, _) = through_server(answer).await;
        assert_eq!(taken, Err(expected));
        assert!(!expected.to_string().contains("ann"), "{expected}");
    }
}

#[tokio::test]
async fn address_that_is_none_is_never_sent_to() {
    let directory = Directory::new("none");
    let carrier = Carrier::open(&settings("", &directory.0)).unwrap().unwrap();
    let taken = taken(&carrier, &due("ann@example.com\r\nBcc: eve@example.com")).await;
    assert_eq!(taken, Err(Failure::ForGood(None)));
    assert_eq!(std::fs::read_dir(&directory.0).unwrap().count(), 0);
}

#[tokio::test]
async fn directory_gets_a_file_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = Directory::new("files");
    let carrier = Carrier::open(&settings("", &directory.0)).unwrap().unwrap();
    let due = due("ann@example.com");
    for _sent_twice in 0..2 {
        assert_eq!(taken(&carrier, &due).await, Ok(()));
    }
    let files: Vec<_> = std::fs::read_dir(&directory.0).unwrap().collect();
    assert_eq!(files.len(), 1);
    let file = files[0].as_ref().unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(text.contains("To: ann@example.com"), "{text}");
    assert!(
        text.contains("https://consign.example/invitation"),
        "{text}"
    );
}

#[test]
fn settings_that_cannot_send_do_not_start() {
    let good = settings("", Path::new(""));
    assert!(good.check().is_ok() && Carrier::open(&good).unwrap().is_none());
    let both = settings("smtp://localhost", Path::new("/tmp"));
    let nobody = Settings {
        from: "nobody".to_owned(),
        ..good.clone()
    };
    let hasty = Settings {
        send_timeout_ms: 1,
        ..good
    };
    for wrong in [both, nobody, hasty] {
        assert!(wrong.check().is_err(), "{wrong:?}");
    }
    let secret = settings("nonsense://user:hunter2@host", Path::new(""));
    let error = Carrier::open(&secret).err().unwrap();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

/// A directory for one test, gone afterwards.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let own = format!("consign-mail-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(own))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.0);
    }
}
