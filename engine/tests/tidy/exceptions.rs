//! `exceptions.txt`: which file may break which rule, and why.

use crate::tree::{Finding, Tree};

const FILE: &str = "engine/tests/tidy/exceptions.txt";

/// One line: `rule path # reason`.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) rule: String,
    pub(crate) path: String,
    pub(crate) reason: String,
}

pub(crate) fn read(tree: &Tree) -> Vec<Exception> {
    let text = tree.find(FILE).map_or("", |file| &file.text);
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(parse)
        .collect()
}

fn parse(line: &str) -> Exception {
    let (what, reason) = line.split_once(" # ").unwrap_or((line, ""));
    let (rule, path) = what.trim().split_once(' ').unwrap_or((what, ""));
    Exception {
        rule: rule.to_owned(),
        path: path.trim().to_owned(),
        reason: reason.trim().to_owned(),
    }
}

pub(crate) fn covers(exceptions: &[Exception], rule: &str, finding: &Finding) -> bool {
    exceptions
        .iter()
        .any(|each| each.rule == rule && each.path == finding.path)
}

/// Exceptions that nothing needs.
pub(crate) fn unused(exceptions: &[Exception], rule: &str, findings: &[Finding]) -> Vec<String> {
    exceptions
        .iter()
        .filter(|each| each.rule == rule)
        .filter(|each| findings.iter().all(|finding| finding.path != each.path))
        .map(|each| format!("{FILE}: `{} {}` is no longer needed", each.rule, each.path))
        .collect()
}

#[test]
fn exception_covers_its_file_and_is_missed_when_unused() {
    let tree = Tree::of(&[
        (FILE, "# why\nsize a/b.rs # generated\n"),
        ("a/b.rs", ""),
        ("c.rs", ""),
    ]);
    let exceptions = read(&tree);
    let finding = |path: &str| Finding::new(tree.find(path).unwrap(), 0, "too long");
    assert!(covers(&exceptions, "size", &finding("a/b.rs")));
    assert!(!covers(&exceptions, "size", &finding("c.rs")));
    assert!(!covers(&exceptions, "word", &finding("a/b.rs")));
    assert!(unused(&exceptions, "size", &[finding("a/b.rs")]).is_empty());
    assert_eq!(unused(&exceptions, "size", &[finding("c.rs")]).len(), 1);
}
