//! Names: no word that says nothing, no drawer for leftovers.

use crate::{
    code,
    tree::{File, Finding, Tree},
};

/// Words that name no thing. `Service` is tower's trait, which is implemented, never declared.
const BANNED: [&str; 11] = [
    "manager",
    "service",
    "helper",
    "helpers",
    "util",
    "utils",
    "common",
    "data",
    "info",
    "processor",
    "misc",
];
const FOLDERS: [&str; 6] = [
    "models", "handlers", "services", "utils", "helpers", "common",
];
/// What a declared name follows.
const DECLARED_BY: [&str; 9] = [
    "struct", "enum", "trait", "type", "fn", "mod", "const", "static", "union",
];

pub(crate) fn banned_words(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources() {
        // The name of a test is a sentence about behaviour and may need the word.
        let things = declared(file).filter(|(line, _)| !marked_as_test(file.code(), *line));
        for (line, name) in things {
            if let Some(word) = banned_in(name) {
                findings.push(Finding::new(
                    file,
                    line,
                    format!("`{name}` says `{word}`: name the thing"),
                ));
            }
        }
        let stem = file.name().trim_end_matches(".rs");
        if let Some(word) = banned_in(stem) {
            findings.push(Finding::new(
                file,
                0,
                format!("the file's name says `{word}`"),
            ));
        }
    }
    findings
}

fn declared(file: &File) -> impl Iterator<Item = (usize, &str)> {
    file.code().lines().enumerate().flat_map(|(at, line)| {
        let words: Vec<&str> = code::words(line).collect();
        let mut names = Vec::new();
        for pair in words.windows(2) {
            if DECLARED_BY.contains(&pair[0]) && !DECLARED_BY.contains(&pair[1]) {
                names.push((at + 1, pair[1]));
            }
        }
        names
    })
}

fn banned_in(name: &str) -> Option<&'static str> {
    if name.starts_with("do_") {
        return Some("do_");
    }
    if name.starts_with("process_") {
        return Some("process_");
    }
    let segments = segments(name);
    BANNED
        .into_iter()
        .find(|word| segments.iter().any(|segment| segment == word))
}

/// `FooBar`, `foo_bar` and `FOO_BAR` are all `foo`, `bar`.
fn segments(name: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut before_lower = false;
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && before_lower) {
            segments.push(String::new());
        }
        before_lower = c.is_lowercase();
        if c != '_'
            && let Some(last) = segments.last_mut()
        {
            last.extend(c.to_lowercase());
        }
    }
    segments
}

pub(crate) fn folders(tree: &Tree) -> Vec<Finding> {
    let drawer = |file: &&File| {
        let mut folders = file.path.rsplit('/').skip(1);
        folders.any(|folder| FOLDERS.contains(&folder))
    };
    tree.sources()
        .filter(drawer)
        .map(|file| {
            Finding::new(
                file,
                0,
                "lies in a drawer: a folder is named after its feature",
            )
        })
        .collect()
}

pub(crate) fn tests(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources() {
        for function in code::functions(file.code()) {
            if function.name.starts_with("test_") && marked_as_test(file.code(), function.line) {
                let message = format!("`{}`: a test's name states behaviour", function.name);
                findings.push(Finding::new(file, function.line, message));
            }
        }
    }
    findings
}

/// Whether an attribute above the line makes its function a test.
fn marked_as_test(code: &str, line: usize) -> bool {
    let above: Vec<&str> = code.lines().take(line - 1).collect();
    above
        .iter()
        .rev()
        .take_while(|line| line.trim().is_empty() || line.trim_start().starts_with("#["))
        .any(|line| code::has_word(line, "test"))
}

#[test]
fn words_that_say_nothing_are_found() {
    let tree = Tree::of(&[
        (
            "a/src/one.rs",
            "struct KeyManager;\nfn data_of() {}\nfn update() {}\nstruct Metadata;\n#[test]\nfn service_has_no_stock() {}",
        ),
        (
            "a/src/string_utils.rs",
            "fn do_send_later() {}\nimpl Service<R> for X {}\nuse a::info;",
        ),
        (
            "a/src/handlers/two.rs",
            "#[test]\nfn test_one() {}\nfn test_cluster() {}",
        ),
    ]);
    let lines: Vec<(String, usize)> = banned_words(&tree)
        .into_iter()
        .map(|each| (each.path, each.line))
        .collect();
    assert_eq!(
        lines,
        [
            ("a/src/one.rs".to_owned(), 1),
            ("a/src/one.rs".to_owned(), 2),
            ("a/src/string_utils.rs".to_owned(), 1),
            ("a/src/string_utils.rs".to_owned(), 0),
        ]
    );
    assert_eq!(folders(&tree).len(), 1);
    assert_eq!(tests(&tree).len(), 1);
}
