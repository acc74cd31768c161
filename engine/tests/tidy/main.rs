//! The rules of the tree, as tests: sizes, layers, names, front pages, migrations, documents.
//!
//! Keeps: what `ARCHITECTURE.md` and `docs/STYLE.md` say of the tree is true of it. Each rule reads
//! text only, is shown here to catch what it forbids, and yields only to a line of `exceptions.txt`
//! with a reason; a line nobody needs any more fails as well.

mod code;
mod documents;
mod exceptions;
mod layers;
mod migrations;
mod names;
mod pages;
mod sizes;
mod sources;
mod tree;

use tree::{Finding, Tree};

/// A rule: its name in `exceptions.txt`, and what breaks it.
type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

/// Fails with everything the rules find that no exception covers.
fn hold(rules: &[Rule]) {
    let tree = Tree::of_repository();
    let exceptions = exceptions::read(&tree);
    let mut complaints = Vec::new();
    for (rule, check) in rules {
        let findings = check(&tree);
        complaints.extend(exceptions::unused(&exceptions, rule, &findings));
        complaints.extend(
            findings
                .iter()
                .filter(|finding| !exceptions::covers(&exceptions, rule, finding))
                .map(|finding| format!("{finding} [{rule}]")),
        );
    }
    complaints.dedup();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn files_and_functions_keep_their_sizes() {
    sizes::note_soft_limits(&Tree::of_repository());
    hold(&[("size", sizes::files), ("handler", sizes::handlers)]);
}

#[test]
fn crates_and_features_import_only_along_the_layers() {
    hold(&[
        ("dependency", layers::dependencies),
        ("feature", layers::features),
        ("actix", layers::actix),
        ("dashmap", layers::dashmap),
        ("do_send", layers::unbounded_sends),
        ("scope", layers::scopes),
        ("sqlx", layers::sqlx),
    ]);
}

#[test]
fn names_say_what_a_thing_is() {
    hold(&[
        ("word", names::banned_words),
        ("folder", names::folders),
        ("test", names::tests),
    ]);
}

#[test]
fn sources_open_with_a_front_page_and_leave_nothing_half_done() {
    hold(&[
        ("page", sources::front_pages),
        ("todo", sources::open_ends),
        ("allow", sources::silenced_lints),
    ]);
}

#[test]
fn migrations_are_named_by_time_and_say_why() {
    hold(&[("migration", migrations::named_and_explained)]);
}

#[test]
fn documents_are_true_of_the_tree() {
    hold(&[
        ("machine", documents::machine_paths),
        ("path", documents::paths),
        ("link", documents::links),
        ("command", documents::commands),
    ]);
}

#[test]
fn every_code_route_and_metric_has_its_page() {
    hold(&[
        ("code", pages::codes),
        ("route", pages::routes),
        ("metric", pages::metrics),
        ("alert", pages::alerts),
    ]);
}

#[test]
fn exceptions_name_rules_that_exist() {
    let tree = Tree::of_repository();
    let known = [
        "size",
        "handler",
        "dependency",
        "feature",
        "actix",
        "dashmap",
        "do_send",
        "scope",
        "sqlx",
        "word",
        "folder",
        "test",
        "page",
        "todo",
        "allow",
        "migration",
        "machine",
        "path",
        "link",
        "command",
        "code",
        "metric",
        "route",
        "alert",
    ];
    for exception in exceptions::read(&tree) {
        assert!(
            known.contains(&exception.rule.as_str()),
            "no such rule: `{}`",
            exception.rule
        );
        assert!(
            !exception.reason.is_empty(),
            "no reason: `{}`",
            exception.path
        );
    }
}
