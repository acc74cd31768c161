//! Sources: a front page first, no open end, no silenced lint.

use crate::tree::{File, Finding, Tree};

/// The marks of something left for later, put together here so that this file has none.
const OPEN_ENDS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
];
const STUBS: [&str; 2] = [concat!("unimplemented", "!("), concat!("todo", "!(")];

pub(crate) fn front_pages(tree: &Tree) -> Vec<Finding> {
    tree.sources()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| {
            Finding::new(
                file,
                1,
                "opens without `//!`: say its purpose and what it keeps",
            )
        })
        .collect()
}

pub(crate) fn open_ends(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .files()
        .filter(|file| !file.has_suffix("md") && !file.has_suffix("json"))
    {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(mark) = OPEN_ENDS.iter().find(|mark| has_mark(line, mark)) {
                findings.push(Finding::new(
                    file,
                    at + 1,
                    format!("`{mark}` without an issue"),
                ));
            }
        }
        for (at, line) in file
            .code()
            .lines()
            .enumerate()
            .filter(|_| file.has_suffix("rs"))
        {
            if STUBS.iter().any(|stub| line.contains(stub)) {
                findings.push(Finding::new(file, at + 1, "a stub"));
            }
        }
    }
    findings
}

/// Whether the mark stands alone and no issue number in parentheses follows it.
fn has_mark(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| {
        let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let before = line[..at].chars().next_back().is_some_and(part_of_word);
        let rest = &line[at + mark.len()..];
        let after = rest.chars().next().is_some_and(part_of_word);
        !before && !after && !names_an_issue(rest)
    })
}

fn names_an_issue(rest: &str) -> bool {
    let number = rest
        .strip_prefix("(#")
        .and_then(|rest| rest.split_once(')'));
    number
        .is_some_and(|(number, _)| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

pub(crate) fn silenced_lints(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources() {
        for line in silencing_lines(file) {
            findings.push(Finding::new(
                file,
                line,
                "use `#[expect(.., reason = \"..\")]`",
            ));
        }
    }
    findings
}

fn silencing_lines(file: &File) -> Vec<usize> {
    let lines = file.code().lines().enumerate();
    lines
        .filter(|(_, line)| {
            let line = line.trim_start();
            (line.starts_with("#[") || line.starts_with("#!["))
                && ["[allow(", " allow(", ",allow("]
                    .iter()
                    .any(|allow| line.contains(allow))
        })
        .map(|(at, _)| at + 1)
        .collect()
}

#[test]
fn missing_pages_open_ends_and_silenced_lints_are_found() {
    let mark = OPEN_ENDS[0];
    let source = format!(
        "//! Fine.\n// {mark}: later\n// {mark}(#12): known\n#[allow(dead_code)]\nfn a() {{}}\n"
    );
    let tree = Tree::of(&[("a/src/one.rs", &source), ("a/src/two.rs", "fn b() {}\n")]);
    let places = |findings: Vec<Finding>| -> Vec<(String, usize)> {
        findings
            .into_iter()
            .map(|each| (each.path, each.line))
            .collect()
    };
    assert_eq!(places(front_pages(&tree)), [("a/src/two.rs".to_owned(), 1)]);
    assert_eq!(places(open_ends(&tree)), [("a/src/one.rs".to_owned(), 2)]);
    assert_eq!(
        places(silenced_lints(&tree)),
        [("a/src/one.rs".to_owned(), 4)]
    );
}
