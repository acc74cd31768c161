//! Every code a caller may see and every metric an operator may see has its place in the documents.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{File, Finding, Tree};

const ERRORS: &str = "docs/ERRORS.md";
const API: &str = "docs/API.md";
const OPERATIONS: &str = "docs/OPERATIONS.md";
const CODES: &str = "api/src/error/code.rs";
const METRICS: [&str; 2] = ["engine/src/metrics.rs", "api/src/metrics.rs"];

/// A code has a section, and a section's code exists.
pub(crate) fn codes(tree: &Tree) -> Vec<Finding> {
    let (Some(source), Some(page)) = (tree.find(CODES), tree.find(ERRORS)) else {
        return missing(tree, &[CODES, ERRORS]);
    };
    let codes = literals(source, is_code);
    let sections: BTreeMap<&str, usize> = page
        .text
        .lines()
        .enumerate()
        .filter_map(|(at, line)| Some((line.strip_prefix("## ")?.trim(), at + 1)))
        .filter(|(title, _)| is_code(title))
        .collect();
    let untold = codes
        .iter()
        .filter(|(code, _)| !sections.contains_key(*code));
    let unknown = sections
        .iter()
        .filter(|(code, _)| !codes.contains_key(*code));
    untold
        .map(|(code, line)| {
            Finding::new(
                source,
                *line,
                format!("`{code}` has no section in {ERRORS}"),
            )
        })
        .chain(unknown.map(|(code, line)| Finding::new(page, *line, format!("no code `{code}`"))))
        .collect()
}

fn is_code(text: &str) -> bool {
    text.len() > 3
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// A route of the menu has its line in the page of the API, and a line there has its route.
pub(crate) fn routes(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.find(API) else {
        return missing(tree, &[API]);
    };
    let mut findings = Vec::new();
    let mut known = BTreeSet::new();
    for source in tree.sources().filter(|file| file.below("api/src/")) {
        let routes = literals(source, is_route);
        if source.below("api/src/routes/") {
            let told = |route: &str| page.text.contains(&format!(" {route}`"));
            let untold = routes.iter().filter(|(route, _)| !told(route));
            findings.extend(untold.map(|(route, line)| {
                Finding::new(source, *line, format!("`{route}` is not in {API}"))
            }));
        }
        known.extend(routes.into_keys());
    }
    for (at, line) in page
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("| `"))
    {
        let route = line.split(['`', ' ']).find(|word| is_route(word));
        if let Some(route) = route.filter(|route| !known.contains(*route)) {
            findings.push(Finding::new(page, at + 1, format!("no route `{route}`")));
        }
    }
    findings
}

fn is_route(text: &str) -> bool {
    let menus = ["/reseller/v1/", "/dev/v1/"];
    menus.iter().any(|menu| text.starts_with(menu)) && !text.contains('*')
}

/// A metric is described to operators, and what `ops/` and its page name is a metric.
pub(crate) fn metrics(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.find(OPERATIONS) else {
        return missing(tree, &[OPERATIONS]);
    };
    let sources: Vec<&File> = METRICS.iter().filter_map(|path| tree.find(path)).collect();
    let mut known = BTreeMap::new();
    let mut findings = Vec::new();
    for source in sources {
        for (metric, line) in literals(source, is_metric) {
            if !page.text.contains(&format!("`{metric}")) {
                let message = format!("`{metric}` is not described in {OPERATIONS}");
                findings.push(Finding::new(source, line, message));
            }
            known.insert(metric, line);
        }
    }
    let told = |file: &&File| file.below("ops/") || file.path == OPERATIONS;
    for file in tree.files().filter(told) {
        for (at, line) in file.text.lines().enumerate() {
            for name in named(line).filter(|name| !known.contains_key(without_suffix(name))) {
                findings.push(Finding::new(file, at + 1, format!("no metric `{name}`")));
            }
        }
    }
    findings
}

/// An alert has its line for whoever is woken by it.
pub(crate) fn alerts(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.find(OPERATIONS) else {
        return missing(tree, &[OPERATIONS]);
    };
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| file.below("ops/prometheus/")) {
        for (at, line) in file.text.lines().enumerate() {
            let Some(alert) = line.trim().strip_prefix("- alert: ") else {
                continue;
            };
            if !page.text.contains(&format!("| {alert} |")) {
                let message = format!("`{alert}` has no line in {OPERATIONS}");
                findings.push(Finding::new(file, at + 1, message));
            }
        }
    }
    findings
}

fn is_metric(text: &str) -> bool {
    text.starts_with("consign_")
        && text.len() > "consign_".len()
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Names of our metrics in a line; a recorded series has a colon in its name and is not one of them.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter(|word| is_metric(word) && word.matches('_').count() > 1)
}

fn without_suffix(name: &str) -> &str {
    ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name)
}

/// String literals of the wanted form with the first line each stands on.
fn literals(source: &File, wanted: fn(&str) -> bool) -> BTreeMap<&str, usize> {
    let mut found = BTreeMap::new();
    for (at, line) in source.text.lines().enumerate() {
        for literal in line
            .split('"')
            .skip(1)
            .step_by(2)
            .filter(|literal| wanted(literal))
        {
            found.entry(literal).or_insert(at + 1);
        }
    }
    found
}

fn missing(tree: &Tree, paths: &[&str]) -> Vec<Finding> {
    let absent = paths.iter().filter(|path| tree.find(path).is_none());
    absent
        .map(|path| Finding {
            path: (*path).to_owned(),
            line: 0,
            message: "is not there".to_owned(),
        })
        .collect()
}

#[test]
fn untold_and_invented_names_are_found() {
    let tree = Tree::of(&[
        (
            CODES,
            "match a { A => \"OUT_OF_STOCK\", B => \"NEVER_TOLD\" }",
        ),
        (ERRORS, "# Errors\n## OUT_OF_STOCK\n## INVENTED\n"),
        (
            METRICS[0],
            "\"consign_sold_total\" \"consign_untold_total\"",
        ),
        (OPERATIONS, "`consign_sold_total{outcome}`\n"),
        (
            "api/src/routes/one.rs",
            ".get(\"/dev/v1/told\", a)\n.get(\"/dev/v1/untold/{id}\", b)",
        ),
        (API, "| `GET /dev/v1/told` | |\n| `GET /dev/v1/gone` | |\n"),
        (
            "ops/a.yml",
            "rate(consign_sold_total[5m]) consign_gone_bucket consign:sold:rate5m\n",
        ),
    ]);
    let messages = |findings: Vec<Finding>| -> Vec<String> {
        findings.into_iter().map(|each| each.to_string()).collect()
    };
    assert_eq!(
        messages(codes(&tree)),
        [
            "api/src/error/code.rs:1: `NEVER_TOLD` has no section in docs/ERRORS.md",
            "docs/ERRORS.md:3: no code `INVENTED`",
        ]
    );
    assert_eq!(
        messages(metrics(&tree)),
        [
            "engine/src/metrics.rs:1: `consign_untold_total` is not described in docs/OPERATIONS.md",
            "ops/a.yml:1: no metric `consign_gone_bucket`",
        ]
    );
    assert_eq!(
        messages(routes(&tree)),
        [
            "api/src/routes/one.rs:2: `/dev/v1/untold/{id}` is not in docs/API.md",
            "docs/API.md:2: no route `/dev/v1/gone`",
        ]
    );
    let rules = (
        "ops/prometheus/b.rules.yml",
        "  - alert: Told\n  - alert: Untold\n",
    );
    let tree = Tree::of(&[rules, (OPERATIONS, "| Told | do this |\n")]);
    assert_eq!(alerts(&tree).len(), 1);
}
