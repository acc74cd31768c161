//! Migrations: `YYYYMMDDHHMMSS_<feature>_<what>.sql`, the reason as a comment on top.

use crate::tree::{File, Finding, Tree};

pub(crate) fn named_and_explained(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut before = "";
    for file in tree
        .files()
        .filter(|file| file.below("migrations/") && file.has_suffix("sql"))
    {
        let time = file.name().split('_').next().unwrap_or_default();
        if !is_named_well(tree, file.name()) {
            findings.push(Finding::new(
                file,
                0,
                "name it YYYYMMDDHHMMSS_<feature>_<what>.sql",
            ));
        }
        if time == before {
            findings.push(Finding::new(file, 0, "has the time of another migration"));
        }
        before = time;
        if !is_explained(file) {
            findings.push(Finding::new(
                file,
                1,
                "opens without a comment that says why",
            ));
        }
    }
    findings
}

fn is_named_well(tree: &Tree, name: &str) -> bool {
    let Some((time, what)) = name
        .strip_suffix(".sql")
        .and_then(|stem| stem.split_once('_'))
    else {
        return false;
    };
    let of_feature = |at: usize| {
        ["engine/src/", "persistence/src/"].iter().any(|source| {
            let path = format!("{source}{}", &what[..at]);
            tree.exists(&path) || tree.exists(&format!("{path}.rs"))
        })
    };
    time.len() == 14
        && time.chars().all(|c| c.is_ascii_digit())
        && what
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && what.match_indices('_').any(|(at, _)| of_feature(at))
}

/// `-- no-transaction` is an instruction to the migrator, not a reason.
fn is_explained(file: &File) -> bool {
    let first = file
        .text
        .lines()
        .find(|line| line.trim() != "-- no-transaction");
    first.is_some_and(|line| {
        line.strip_prefix("-- ")
            .is_some_and(|reason| reason.len() > 20)
    })
}

#[test]
fn careless_migrations_are_found() {
    let why = "-- Keys are looked up by their id on every call.\nSELECT 1;";
    let tree = Tree::of(&[
        ("engine/src/api_keys/mod.rs", ""),
        ("migrations/20260101000000_api_keys_create.sql", why),
        ("migrations/20260101000000_api_keys_again.sql", why),
        ("migrations/20260101000001_fix.sql", why),
        (
            "migrations/20260101000002_api_keys_index.sql",
            "-- no-transaction\nCREATE INDEX x;",
        ),
    ]);
    let names: Vec<String> = named_and_explained(&tree)
        .into_iter()
        .map(|each| each.path.trim_start_matches("migrations/").to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "20260101000000_api_keys_again.sql",
            "20260101000001_fix.sql",
            "20260101000002_api_keys_index.sql",
        ]
    );
}
