//! Dashboard and rules: Prometheus reads every expression, and a running server has every metric in
//! them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::{Call, order_of, with_world};

const DASHBOARD: &str = "ops/grafana/hot-path.json";
const RULES: &str = "ops/prometheus/consign.rules.yml";

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Every expression of the dashboard, its variables filled in.
fn panels() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    targets
        .flatten()
        .map(|target| {
            let expression = target["expr"].as_str().unwrap();
            expression
                .replace("$__rate_interval", "5m")
                .replace("$instance", ".*")
        })
        .collect()
}

/// The rules without comments and what people read.
fn rules() -> String {
    let text = read(RULES);
    let spoken = ["#", "summary:"];
    let lines = text.lines().filter(|line| {
        !spoken
            .iter()
            .any(|word| line.trim_start().starts_with(word))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Names of ours in an expression: what is scraped, and with a colon what rules record.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    expression
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter(|word| {
            ["consign_", "consign:", "process_"]
                .iter()
                .any(|prefix| word.starts_with(prefix))
        })
}

/// Debian's promtool, wherever `scripts/need.sh` found or put it.
fn promtool() -> Command {
    let unpacked = root().join("target/tools/promtool");
    if unpacked.exists() {
        Command::new(unpacked)
    } else {
        Command::new("promtool")
    }
}

#[test]
fn prometheus_reads_every_expression_of_the_dashboard() {
    let rules = panels().into_iter().enumerate().map(|(at, expression)| {
        let quoted = Value::from(expression);
        format!("      - record: dashboard:expression:{at}\n        expr: {quoted}\n")
    });
    let rules: String = rules.collect();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard.rules.yml");
    fs::write(
        &file,
        format!("groups:\n  - name: dashboard\n    rules:\n{rules}"),
    )
    .unwrap();
    let checked = promtool().arg("check").arg("rules").arg(&file).output();
    let checked = checked.expect("promtool is there: run scripts/need.sh test");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
    let counted = format!("{} rules found", panels().len());
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(said.contains(&counted), "{counted} in {said}");
}

#[test]
fn every_metric_of_dashboard_and_rules_is_in_a_scrape() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let order = order_of("WOO-1", world.product("Antivirus"));
        world.order(&key, &order).await.data(201);
        let scrape = Call::new(world.server.ops_address(), "GET", "/metrics");
        let scrape = scrape.send().await.text();
        let scraped = scrape
            .lines()
            .filter_map(|line| line.split(['{', ' ']).next());
        let rules = rules();
        let recorded = rules
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- record: "));
        let known: BTreeSet<&str> = scraped.chain(recorded).collect();
        let panels = panels();
        let told: BTreeSet<&str> = panels
            .iter()
            .flat_map(|panel| names(panel))
            .chain(names(&rules))
            .collect();
        assert!(told.len() > 15, "{told:?}");
        let missing: Vec<_> = told.difference(&known).collect();
        assert!(missing.is_empty(), "{missing:?} in\n{scrape}");
    });
}
