//! Who may import whom, by what the manifests ask for and the sources name.

use crate::{
    code,
    tree::{File, Finding, Tree},
};

/// What a crate never depends on.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    (
        "engine",
        &[
            "axum",
            "hyper",
            "tower",
            "sqlx",
            "reqwest",
            "persistence",
            "api",
        ],
    ),
    (
        "persistence",
        &[
            "axum", "hyper", "tower", "actix", "actix-rt", "reqwest", "api",
        ],
    ),
    ("api", &["sqlx", "actix", "actix-rt"]),
    ("loadtest", &["engine", "persistence", "api"]),
    // The judge stands beside the simulation of the engine and must stay cheap to build there.
    (
        "loadtest/auditor",
        &["engine", "persistence", "api", "tokio", "sqlx"],
    ),
];

/// Modules of the engine below all features; they name each other only.
const BASE: [&str; 11] = [
    "ids",
    "money",
    "clock",
    "random",
    "vault",
    "config",
    "metrics",
    "actors",
    "fault",
    "supervise",
    "chains",
];
/// What holds everything together, or stands beside it.
const ABOVE: [&str; 3] = ["engine", "lib", "testing"];

/// Between modules, only these directions. The six of the hot path say each other's words (an order
/// id, a refusal, terms), but `balances` and `inventory` never meet: actors do not ask actors, and
/// only `fulfillments` holds the handles of both.
const MODULES: [(&str, &[&str]); 27] = [
    (
        "journal",
        &["balances", "inventory", "fulfillments", "catalog"],
    ),
    ("snapshots", &["catalog", "merchants", "relationships"]),
    ("relationships", &["catalog", "api_keys"]),
    // The answers of the public interface are declared with it, in `engine/`.
    (
        "balances",
        &[
            "fulfillments",
            "relationships",
            "journal",
            "snapshots",
            "engine",
        ],
    ),
    ("inventory", &["catalog", "merchants", "journal", "engine"]),
    (
        "fulfillments",
        &[
            "relationships",
            "catalog",
            "balances",
            "inventory",
            "merchants",
            "journal",
            "snapshots",
        ],
    ),
    (
        "checkout",
        &[
            "relationships",
            "catalog",
            "balances",
            "inventory",
            "links",
            "campaigns",
            "listings",
            "sales",
            "payments",
            "journal",
            "snapshots",
        ],
    ),
    (
        "stock_requests",
        &[
            "relationships",
            "catalog",
            "balances",
            "fulfillments",
            "inventory",
            "payments",
        ],
    ),
    ("top_ups", &["payments", "balances", "relationships"]),
    ("notifications", &["events", "fulfillments"]),
    ("reconciliation", &["sales", "verifier"]),
    ("links", &["relationships"]),
    ("campaigns", &["embeds", "links", "relationships"]),
    ("embeds", &[]),
    ("listings", &["relationships", "catalog"]),
    ("sales", &["links", "relationships"]),
    ("payouts", &["relationships", "sales", "programs"]),
    ("connections", &["catalog", "fulfillments"]),
    (
        "replacements",
        &[
            "fulfillments",
            "catalog",
            "programs",
            "relationships",
            "checkout",
            "payments",
        ],
    ),
    // It asks the actors of both kinds, each for itself, and holds nothing.
    (
        "verifier",
        &["balances", "inventory", "fulfillments", "catalog"],
    ),
    ("programs", &["relationships", "catalog"]),
    ("invitations", &["relationships", "api_keys"]),
    ("events", &["balances"]),
    ("webhooks", &["events"]),
    // What a role may do is said in the words of keys.
    ("persons", &["api_keys"]),
    ("merchants", &["catalog"]),
    ("catalog", &[]),
];
/// Any module may tell of what it did.
const HEARERS: [&str; 2] = ["notifications", "audit"];

pub(crate) fn dependencies(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, forbidden) in FORBIDDEN {
        let Some(manifest) = tree.find(&format!("{name}/Cargo.toml")) else {
            continue;
        };
        for (line, dependency) in asked_for(manifest) {
            if forbidden.contains(&dependency) {
                let message = format!("`{name}` never depends on `{dependency}`");
                findings.push(Finding::new(manifest, line, message));
            }
        }
    }
    findings
}

/// The dependencies of every kind, with their lines.
fn asked_for(manifest: &File) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (at, line) in manifest.text.lines().enumerate() {
        if let Some(section) = line.strip_prefix('[') {
            inside = section.trim_end_matches(']').ends_with("dependencies");
        } else if inside && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            found.push((at + 1, name));
        }
    }
    found
}

pub(crate) fn features(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .sources()
        .filter(|file| file.below("engine/src/") && !file.is_test())
    {
        let own = module(file);
        if ABOVE.contains(&own) {
            continue;
        }
        for (line, path) in code::imports(file.code()) {
            let Some(other) = path
                .strip_prefix("crate::")
                .and_then(|rest| rest.split("::").next())
            else {
                continue;
            };
            if !may_import(own, other) {
                let message = format!("`{own}` may not import `{other}`");
                findings.push(Finding::new(file, line, message));
            }
        }
    }
    findings
}

/// The feature or spine module that a file of the engine belongs to.
fn module(file: &File) -> &str {
    let inside = file.path.trim_start_matches("engine/src/");
    inside
        .split('/')
        .next()
        .unwrap_or(inside)
        .trim_end_matches(".rs")
}

fn may_import(own: &str, other: &str) -> bool {
    if own == other || BASE.contains(&other) {
        return true;
    }
    if BASE.contains(&own) {
        return false;
    }
    let listed = MODULES.iter().find(|(module, _)| *module == own);
    HEARERS.contains(&other) || listed.is_some_and(|(_, others)| others.contains(&other))
}

/// Files that speak with the actor beside them.
const WITH_ACTOR: [&str; 6] = [
    "actor.rs",
    "messages.rs",
    "handle.rs",
    "hold.rs",
    "reservation.rs",
    "fetch.rs",
];

pub(crate) fn actix(tree: &Tree) -> Vec<Finding> {
    let within = |file: &File| {
        let folder = file.path.trim_end_matches(file.name());
        file.below("engine/src/actors/")
            || WITH_ACTOR.contains(&file.name()) && tree.exists(&format!("{folder}actor.rs"))
    };
    let mut findings = only_within(tree, "actix", within);
    findings.extend(only_within(tree, "actix_rt", within));
    findings
}

pub(crate) fn dashmap(tree: &Tree) -> Vec<Finding> {
    only_within(tree, "dashmap", |file| {
        ["engine/src/actors/registry.rs", "api/src/auth/key_cache.rs"].contains(&file.path.as_str())
    })
}

pub(crate) fn unbounded_sends(tree: &Tree) -> Vec<Finding> {
    only_within(tree, "do_send", |file| {
        file.path == "engine/src/actors/ask.rs"
    })
}

pub(crate) fn sqlx(tree: &Tree) -> Vec<Finding> {
    only_within(tree, "sqlx", |file| {
        [
            "persistence/",
            "loadtest/src/auditor/",
            "loadtest/src/peer/",
            "benches/",
        ]
        .iter()
        .any(|folder| file.below(folder))
    })
}

/// A scope says whose rows a call may touch; only who checked the caller may say that.
pub(crate) fn scopes(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let outside =
        |file: &&File| file.below("api/src/") && !file.below("api/src/auth/") && !file.is_test();
    for file in tree.sources().filter(outside) {
        for (at, line) in file.code().lines().enumerate() {
            if builds_a_scope(line) {
                findings.push(Finding::new(
                    file,
                    at + 1,
                    "builds a scope: only `auth` does",
                ));
            }
        }
    }
    findings
}

fn builds_a_scope(line: &str) -> bool {
    let declares = ["struct ", "impl ", "-> "]
        .iter()
        .any(|word| line.contains(word));
    let scopes = [
        "RelationshipScope",
        "MerchantScope",
        "PersonScope",
        "PublicScope",
    ];
    !declares
        && scopes.iter().any(|scope| {
            let made = |rest: &str| rest.starts_with(" {") || rest.starts_with("::");
            line.split(scope).skip(1).any(made)
        })
}

/// A word that only some of the crates' own sources may say.
fn only_within(tree: &Tree, word: &str, within: impl Fn(&File) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .sources()
        .filter(|file| !file.path.contains("/tests/") && !within(file))
    {
        for line in code::lines_with_word(file.code(), word) {
            findings.push(Finding::new(file, line, format!("names `{word}`")));
        }
    }
    findings
}

#[cfg(test)]
fn places(findings: Vec<Finding>) -> Vec<(String, usize)> {
    findings
        .into_iter()
        .map(|each| (each.path, each.line))
        .collect()
}

#[test]
fn forbidden_dependencies_are_found() {
    let manifest = "[dependencies]\nserde.workspace = true\nsqlx = \"0.9\"\n[lints]\naxum = 1\n";
    let tree = Tree::of(&[
        ("engine/Cargo.toml", manifest),
        ("persistence/Cargo.toml", manifest),
    ]);
    assert_eq!(
        places(dependencies(&tree)),
        [("engine/Cargo.toml".to_owned(), 3)]
    );
}

#[test]
fn imports_against_the_layers_are_found() {
    let tree = Tree::of(&[
        (
            "engine/src/fulfillments/policy.rs",
            "use crate::{catalog::Product, money::Money};",
        ),
        (
            "engine/src/balances/ledger.rs",
            "use crate::money::Money;\nuse crate::inventory::Pool;",
        ),
        ("engine/src/vault.rs", "use crate::balances::Entry;"),
        ("engine/src/engine/mod.rs", "use crate::balances::Entry;"),
    ]);
    assert_eq!(
        places(features(&tree)),
        [
            ("engine/src/balances/ledger.rs".to_owned(), 2),
            ("engine/src/vault.rs".to_owned(), 1),
        ]
    );
}

#[test]
fn words_outside_their_walls_are_found() {
    let source =
        "// actix and dashmap\nuse actix::Addr;\nuse dashmap::DashMap;\nfn a() { b.do_send(c) }";
    let tree = Tree::of(&[
        ("engine/src/actors/registry.rs", source),
        ("engine/src/balances/actor.rs", source),
        ("engine/src/journal/messages.rs", "use actix::Message;"),
        (
            "api/src/payouts/list.rs",
            "let scope = RelationshipScope {\nmerchant,\n};\nuse sqlx::query;",
        ),
        ("api/src/auth/scope.rs", "RelationshipScope { merchant }"),
        (
            "api/src/payouts/get.rs",
            "fn a(scope: Scope) -> RelationshipScope {\n",
        ),
    ]);
    let actor = "engine/src/balances/actor.rs".to_owned();
    let list = "api/src/payouts/list.rs".to_owned();
    let messages = "engine/src/journal/messages.rs".to_owned();
    assert_eq!(places(actix(&tree)), [(messages, 1)]);
    assert_eq!(places(dashmap(&tree)), [(actor.clone(), 3)]);
    let registry = "engine/src/actors/registry.rs".to_owned();
    assert_eq!(places(unbounded_sends(&tree)), [(registry, 4), (actor, 4)]);
    assert_eq!(places(scopes(&tree)), [(list.clone(), 1)]);
    assert_eq!(places(sqlx(&tree)), [(list, 4)]);
}
