//! Sizes: a file is read in one sitting, a handler is seen at once.
//!
//! Functions and parameters are counted by clippy; what it does not know of is counted here.

use crate::{
    code,
    tree::{File, Finding, Tree},
};

/// The words a handler may be named after: the callers of its surface.
const SURFACES: [&str; 5] = ["reseller", "dev", "portal", "public", "hook"];
const HANDLER_LINES_MAX: usize = 60;
const ACTOR_HANDLE_LINES_MAX: usize = 40;

/// The soft and the hard limit of a file's lines.
fn limits(file: &File) -> (usize, usize) {
    if file.is_test() {
        (600, 800)
    } else if matches!(file.name(), "mod.rs" | "lib.rs") && has_parts(file) {
        (100, 150)
    } else {
        (400, 600)
    }
}

/// Whether the file introduces modules. One whose tests alone lie beside it is a source like others.
fn has_parts(file: &File) -> bool {
    let lines = file.code().lines().map(str::trim);
    lines.filter(|line| line.ends_with(';')).any(|line| {
        code::words(line).any(|word| word == "mod")
            && !code::words(line).any(|word| word == "tests")
    })
}

pub(crate) fn files(tree: &Tree) -> Vec<Finding> {
    tree.sources()
        .filter_map(|file| {
            let (lines, (_, hard)) = (file.text.lines().count(), limits(file));
            (lines > hard).then(|| Finding::new(file, 0, format!("{lines} lines, at most {hard}")))
        })
        .collect()
}

pub(crate) fn handlers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.sources().filter(|file| !file.is_test()) {
        let (names, max): (&[&str], usize) = if file.below("api/src/") {
            (&SURFACES, HANDLER_LINES_MAX)
        } else if file.name() == "actor.rs" {
            (&["handle"], ACTOR_HANDLE_LINES_MAX)
        } else {
            continue;
        };
        for function in code::functions(file.code()) {
            if names.contains(&function.name.as_str()) && function.lines > max {
                let message = format!(
                    "`{}` has {} lines, at most {max}",
                    function.name, function.lines
                );
                findings.push(Finding::new(file, function.line, message));
            }
        }
    }
    findings
}

/// Says which files outgrow their aim; `make tidy` shows it.
#[expect(
    clippy::print_stderr,
    reason = "a note for the reader of the test's output"
)]
pub(crate) fn note_soft_limits(tree: &Tree) {
    for file in tree.sources() {
        let (lines, (soft, _)) = (file.text.lines().count(), limits(file));
        if lines > soft {
            eprintln!("note: {} has {lines} lines, aim below {soft}", file.path);
        }
    }
}

#[test]
fn long_files_and_handlers_are_found() {
    let lines = |count: usize| "\n".repeat(count);
    let handler = format!("pub(crate) async fn reseller() {{{}}}", lines(60));
    let handle = format!("fn handle(&mut self) {{{}}}", lines(40));
    let tree = Tree::of(&[
        ("a/src/fine.rs", &lines(600)),
        ("a/src/long.rs", &lines(601)),
        ("a/src/mod.rs", &format!("mod part;{}", lines(151))),
        ("a/src/alone/mod.rs", &format!("mod tests;{}", lines(151))),
        ("a/tests/it/main.rs", &lines(800)),
        ("api/src/payouts/approve.rs", &handler),
        ("engine/src/balances/actor.rs", &handle),
    ]);
    let paths = |findings: Vec<Finding>| {
        findings
            .into_iter()
            .map(|each| each.path)
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(files(&tree)), ["a/src/long.rs", "a/src/mod.rs"]);
    assert_eq!(
        paths(handlers(&tree)),
        ["api/src/payouts/approve.rs", "engine/src/balances/actor.rs"]
    );
}
