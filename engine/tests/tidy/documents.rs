//! Documents: what they name is there, and they name no machine.

use std::collections::BTreeSet;

use crate::{
    code,
    tree::{File, Finding, Tree},
};

/// Places of one machine, and hosts a mirror may stand for; put together so that this file has none.
const MACHINE: [&str; 10] = [
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("registry.npm", "js.org"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("files.python", "hosted.org"),
    concat!("pypi", ".org"),
    concat!("deb.debian", ".org"),
];

/// Folders whose files a document may name.
const OURS: [&str; 9] = [
    "engine/",
    "persistence/",
    "api/",
    "loadtest/",
    "benches/",
    "migrations/",
    "ops/",
    "scripts/",
    "docs/",
];

pub(crate) fn machine_paths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let told = |file: &&File| !file.has_suffix("rs") && !file.has_suffix("sh");
    for file in tree.files().filter(told) {
        for (at, line) in file.text.lines().enumerate() {
            // Where files lie that outlive a restart is the same on every machine.
            let told = line.replace("/var/tmp/", "");
            if let Some(place) = MACHINE.iter().find(|place| told.contains(**place)) {
                findings.push(Finding::new(file, at + 1, format!("names `{place}`")));
            }
            if file.name() == "package-lock.json" && line.contains("\"resolved\"") {
                findings.push(Finding::new(
                    file,
                    at + 1,
                    "names where a package came from",
                ));
            }
        }
    }
    findings
}

/// What a document puts in backticks and looks like one of our paths exists.
pub(crate) fn paths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.documents().filter(|file| !file.below("docs/notes/")) {
        for (at, line) in file.text.lines().enumerate() {
            for quoted in line.split('`').skip(1).step_by(2) {
                if is_path(quoted) && !tree.exists(quoted) {
                    findings.push(Finding::new(file, at + 1, format!("no `{quoted}`")));
                }
            }
        }
    }
    findings
}

fn is_path(quoted: &str) -> bool {
    OURS.iter().any(|folder| quoted.starts_with(folder))
        && quoted
            .chars()
            .all(|c| c.is_alphanumeric() || "/._-".contains(c))
}

/// A relative link leads to a file.
pub(crate) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.documents() {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, line) in file.text.lines().enumerate() {
            for target in line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split([')', '#']).next())
            {
                let elsewhere = target.contains("://") || target.is_empty();
                if !elsewhere && !tree.exists(&resolved(folder, target)) {
                    findings.push(Finding::new(
                        file,
                        at + 1,
                        format!("leads nowhere: `{target}`"),
                    ));
                }
            }
        }
    }
    findings
}

fn resolved(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// `make x` and `consign x` in a fenced block are a target and a subcommand.
pub(crate) fn commands(tree: &Tree) -> Vec<Finding> {
    let targets: BTreeSet<&str> = tree.find("Makefile").map(targets).unwrap_or_default();
    let subcommands = subcommands(tree);
    let mut findings = Vec::new();
    for file in tree.documents().filter(|file| !file.below("docs/notes/")) {
        for (line, words) in shown(file) {
            let known = match words.first().copied() {
                Some("make") => targets.contains(words.get(1).copied().unwrap_or_default()),
                Some("consign") => words
                    .get(1)
                    .is_some_and(|verb| subcommands.contains(*verb) || verb.starts_with('-')),
                _ => true,
            };
            if !known {
                findings.push(Finding::new(
                    file,
                    line,
                    format!("no `{}`", words.join(" ")),
                ));
            }
        }
    }
    findings
}

fn targets(makefile: &File) -> BTreeSet<&str> {
    let lines = makefile
        .text
        .lines()
        .filter(|line| !line.starts_with(['\t', '#', '.']));
    lines
        .filter_map(|line| line.split_once(':'))
        .map(|(target, _)| target.trim())
        .collect()
}

/// The variants of the command line's `enum Command` and what is flattened into it, in kebab case.
fn subcommands(tree: &Tree) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in tree.sources().filter(|file| file.below("api/src/")) {
        let mut inside = false;
        for line in file.code().lines() {
            if line.starts_with("enum ") {
                inside = line.ends_with("Command {");
            } else if line == "}" {
                inside = false;
            }
            let variant = code::words(line).next().unwrap_or_default();
            if inside && variant.starts_with(char::is_uppercase) {
                found.insert(kebab(variant));
            }
        }
    }
    found
}

fn kebab(variant: &str) -> String {
    let mut name = String::new();
    for c in variant.chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(c.to_lowercase());
    }
    name
}

/// The words of each command line in a document's fenced blocks, settings in front left out.
fn shown(file: &File) -> Vec<(usize, Vec<&str>)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let words = line.trim().trim_start_matches("$ ").split_whitespace();
            let words = words
                .skip_while(|word| word.contains('='))
                .take_while(|word| *word != "#");
            found.push((at + 1, words.collect()));
        }
    }
    found
}

#[cfg(test)]
fn lines(findings: Vec<Finding>) -> Vec<usize> {
    findings.into_iter().map(|each| each.line).collect()
}

#[test]
fn false_words_of_documents_are_found() {
    let text = "See `engine/src/here.rs`, `engine/src/gone.rs`, `engine/src/<feature>/`.\n\
        [there](here.md) [nowhere](gone.md) [far](https://example.com)\n\
        ```\nmake run   # all of it\nmake away\nA=b consign serve\nconsign check-config\nconsign fly\n```\n";
    let secret = format!("reads {}there\n", MACHINE[0]);
    let tree = Tree::of(&[
        ("Makefile", "run: need\n\t@true\n"),
        (
            "api/src/cli.rs",
            "enum Command {\n    Serve,\n}\nenum ServerCommand {\n    CheckConfig(Args),\n}\nenum Verb {\n    Fly,\n}\n",
        ),
        ("docs/here.md", text),
        ("docs/secret.md", &secret),
        ("engine/src/here.rs", ""),
        ("a/package-lock.json", "\"resolved\": \"x\""),
    ]);
    assert_eq!(lines(paths(&tree)), [1]);
    assert_eq!(lines(links(&tree)), [2]);
    assert_eq!(lines(commands(&tree)), [5, 8]);
    assert_eq!(machine_paths(&tree).len(), 2);
}
