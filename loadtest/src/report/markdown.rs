//! `compare.md`: the same figures for readers.

use std::{fmt::Write as _, path::Path};

use anyhow::Context as _;

use super::{
    comparison::{Comparison, median},
    goals::{self, Better, Part},
};
use crate::compare::{run::Measurement, subject::Side};

pub(crate) fn write(path: &Path, found: &Comparison) -> anyhow::Result<()> {
    std::fs::write(path, page(found)?).with_context(|| format!("writing {}", path.display()))
}

/// The whole page.
pub(crate) fn page(found: &Comparison) -> anyhow::Result<String> {
    let mut page = String::new();
    writeln!(page, "# Consign against its peers\n")?;
    writeln!(
        page,
        "Written by `make compare` at commit `{}`: medians of {} runs taken by turns, {} s measured \
         after {} s of warm-up, closed loop, quantity 1, generator, server and Postgres on the same \
         cores, all on one cluster with fsync on. Ratios are medians of the ratios turn by turn. \
         Figures per fulfilment are CPU microseconds and bytes.\n",
        found.commit, found.turns, found.window_seconds, found.warm_up_seconds
    )?;
    goals_table(&mut page, found)?;
    runs_table(&mut page, found)?;
    rest(&mut page, found)?;
    Ok(page)
}

fn goals_table(page: &mut String, found: &Comparison) -> anyhow::Result<()> {
    writeln!(page, "## Goals\n")?;
    writeln!(page, "| | measure | value | floor | goal | |")?;
    writeln!(page, "|---|---|---|---|---|---|")?;
    let goals = goals::goals(found);
    let mut ordered: Vec<_> = goals.iter().collect();
    ordered.sort_by_key(|goal| goal.id[1..].parse::<u32>().unwrap_or(u32::MAX));
    for goal in ordered {
        let join = |figure: &dyn Fn(&Part) -> String| {
            goal.parts
                .iter()
                .map(figure)
                .collect::<Vec<_>>()
                .join(" / ")
        };
        let verdict = match (goal.measured(), goal.floor_met(), goal.goal_met()) {
            (false, _, _) => "not measured",
            (_, _, true) => "goal met",
            (_, true, false) => "floor met",
            (_, false, false) => "**missed**",
        };
        writeln!(
            page,
            "| {} | {}: {} | {} | {} | {} | {verdict} |",
            goal.id,
            goal.what,
            join(&|part| part.what.to_owned()),
            join(&|part| part.value.map_or_else(|| "-".to_owned(), figure)),
            join(&|part| mark(part, part.floor)),
            join(&|part| mark(part, part.goal)),
        )?;
    }
    Ok(())
}

fn mark(part: &Part, value: f64) -> String {
    let sign = if part.better == Better::Higher {
        "≥"
    } else {
        "≤"
    };
    format!("{sign} {}", figure(value))
}

fn runs_table(page: &mut String, found: &Comparison) -> anyhow::Result<()> {
    for (stage, what) in &found.stages {
        let mut sides: Vec<Side> = found
            .runs
            .iter()
            .filter(|run| run.stage == *stage)
            .map(|run| run.side)
            .collect();
        sides.sort_unstable();
        sides.dedup();
        if sides.is_empty() {
            continue;
        }
        writeln!(page, "\n## {what}\n")?;
        writeln!(
            page,
            "| | per second | p50 ms | p99 ms | server µs | Postgres µs | generator µs | WAL B | \
             WAL B without page images | not delivered | per-second spread |"
        )?;
        writeln!(page, "|---|---|---|---|---|---|---|---|---|---|---|")?;
        for side in sides {
            writeln!(page, "{}", row(found, stage, side))?;
        }
    }
    Ok(())
}

fn row(found: &Comparison, stage: &str, side: Side) -> String {
    let middle = |pick: fn(&Measurement) -> f64| {
        median(found.figures(stage, side, pick)).map_or_else(|| "-".to_owned(), figure)
    };
    let rates = found.figures(stage, side, |run| run.per_second);
    let low = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let high = rates.iter().copied().fold(0.0, f64::max);
    let runs = found
        .runs
        .iter()
        .filter(|run| run.stage == stage && run.side == side);
    let lost: u64 = runs
        .map(|run| run.refused.values().sum::<u64>() + run.failed.values().sum::<u64>())
        .sum();
    [
        format!("| {}", side.name()),
        middle(|run| run.per_second),
        middle(|run| run.p50_ms),
        middle(|run| run.p99_ms),
        middle(|run| run.server_us),
        middle(|run| run.postgres_us),
        middle(|run| run.generator_us),
        middle(|run| run.wal_bytes),
        middle(|run| run.wal_bytes_without_images.unwrap_or(f64::NAN)),
        lost.to_string(),
        format!("{} - {} |", figure(low), figure(high)),
    ]
    .join(" | ")
}

fn rest(page: &mut String, found: &Comparison) -> anyhow::Result<()> {
    alone(page, found)?;
    writeln!(page, "\n## Audits\n")?;
    for judged in &found.audits {
        let violated = judged.verdict.violated().into_iter();
        let wrong: Vec<String> = violated.map(|point| format!("{point} violated")).collect();
        writeln!(
            page,
            "- {}: {} orders answered as delivered, {} stored, {} in {:.1} s",
            judged.stage,
            judged.acknowledged,
            judged.entries,
            match &judged.verdict.unknown {
                Some(why) => format!("unknown ({why})"),
                None if wrong.is_empty() => "all points hold".to_owned(),
                None => wrong.join("; "),
            },
            judged.seconds
        )?;
    }
    writeln!(page, "\n## Peers' pools\n")?;
    for pool in &found.pools {
        let tried: Vec<String> = pool
            .tried
            .iter()
            .map(|(size, rate)| format!("{size}: {}", figure(*rate)))
            .collect();
        writeln!(
            page,
            "- {}, {}: {} connections (per second with {})",
            pool.side.name(),
            if pool.hot { "hot" } else { "uniform" },
            pool.size,
            if tried.is_empty() {
                "no other tried".to_owned()
            } else {
                tried.join(", ")
            }
        )?;
    }
    writeln!(page, "\n## Machine and settings\n")?;
    for (name, value) in &found.machine {
        writeln!(page, "- {name}: {value}")?;
    }
    if !found.notes.is_empty() {
        writeln!(page, "\n## Notes\n")?;
        for note in &found.notes {
            writeln!(page, "- {note}")?;
        }
    }
    Ok(())
}

/// What has no counterpart: start, open loop, memory.
fn alone(page: &mut String, found: &Comparison) -> anyhow::Result<()> {
    writeln!(page, "\n## Consign alone\n")?;
    if let Some(start) = &found.start {
        writeln!(
            page,
            "- Start after a crash on {} serials and {} orders, Postgres running: first delivery \
             after {:.2?} s, everything used once after {:.2?} s.",
            start.serials, start.orders, start.first_delivery_seconds, start.everything_hot_seconds
        )?;
    }
    if let Some(open) = &found.open_loop {
        writeln!(
            page,
            "- Open loop, Poisson, {:.0} a second: p50 {:.2?} ms, p99 {:.2?} ms, p99.9 {:.2?} ms; \
             {} requests found all connections busy.",
            open.per_second, open.p50_ms, open.p99_ms, open.p999_ms, open.capped
        )?;
    }
    if let Some(memory) = &found.memory {
        let mebi = |bytes: u64| bytes >> 20;
        writeln!(
            page,
            "- Resident memory: {} MiB at start, {} MiB when as many others had been loaded and were idle again, {} MiB \
             with {} products and {} resellers loaded, {} MiB when they are idle again.",
            mebi(memory.at_start_bytes),
            mebi(memory.before_bytes),
            mebi(memory.loaded_bytes),
            memory.products,
            memory.resellers,
            mebi(memory.idle_bytes)
        )?;
    }
    Ok(())
}

/// Three figures are more than these measurements carry.
fn figure(value: f64) -> String {
    if value.is_nan() {
        return "-".to_owned();
    }
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::measured;

    #[test]
    fn page_shows_stages_and_goals() {
        let mut found = Comparison {
            stages: vec![("uniform-64".to_owned(), "1000 x 1000".to_owned())],
            ..Comparison::default()
        };
        found
            .runs
            .push(measured("uniform-64", Side::Engine, 0, 12_000.0));
        found
            .runs
            .push(measured("uniform-64", Side::Transaction, 0, 1_000.0));
        let page = page(&found).unwrap();
        assert!(page.contains("## 1000 x 1000"));
        assert!(page.contains("| consign | 12000 |"));
        assert!(
            page.lines()
                .any(|line| line.starts_with("| P1 |") && line.ends_with("floor met |"))
        );
    }

    #[test]
    fn figures_keep_three_digits() {
        assert_eq!(figure(12_345.6), "12346");
        assert_eq!(figure(12.345), "12.3");
        assert_eq!(figure(0.0421), "0.042");
    }
}
