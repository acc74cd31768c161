//! What a run is told as: its figures, then the audit of what it left behind.

use ::auditor::Before;
use anyhow::ensure;

use super::Arguments;
use crate::{auditor, open::Outcome, report::say};

pub(super) fn tell(arguments: &Arguments, outcome: &Outcome) {
    let recorder = &outcome.recorder;
    say(&format!(
        "{:?} at {} a second for {} s: {} answers, {} delivered, {} replayed, {} refused, {} failed",
        arguments.scenario,
        arguments.rate,
        arguments.seconds,
        recorder.samples(),
        recorder.delivered,
        recorder.replayed,
        recorder.refusals(),
        recorder.failures()
    ));
    say(&format!(
        "latency from the intended time: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms; \
         {} requests found all {} connections busy",
        recorder.quantile_ms(0.5),
        recorder.quantile_ms(0.99),
        recorder.quantile_ms(0.999),
        recorder.quantile_ms(1.0),
        outcome.capped,
        arguments.in_flight_max
    ));
    for (code, count) in &recorder.refused {
        say(&format!("  {count} x {code}"));
    }
    for (failure, count) in &recorder.failed {
        say(&format!("  {count} x {failure}"));
    }
}

/// What is stored before the run.
pub(super) fn before(database_url: &str) -> anyhow::Result<Before> {
    runtime()?.block_on(auditor::before(database_url))
}

pub(super) fn judge(database_url: &str, before: Before, outcome: &Outcome) -> anyhow::Result<()> {
    let answers = outcome.answers.as_slice();
    let judged = runtime()?.block_on(auditor::audit(database_url, "run", before, answers));
    judged.tell();
    ensure!(judged.verdict.good(), "the audit does not hold");
    Ok(())
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime)
}
