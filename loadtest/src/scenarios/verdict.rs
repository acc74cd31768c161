//! What a run is told as: its figures, then the audit of what it left behind.

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

pub(super) fn judge(database_url: &str, outcome: &Outcome) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let histories: Vec<_> = outcome.history.iter().cloned().collect();
    let verdict = runtime.block_on(auditor::audit(database_url, "run", &histories))?;
    for point in &verdict.points {
        let found = match point.violations {
            0 => "holds".to_owned(),
            count => format!("{count} VIOLATIONS"),
        };
        say(&format!("audit: {}: {found}", point.name));
    }
    say(&format!(
        "audit: {} answered as delivered, {} orders stored",
        verdict.acknowledged, verdict.entries
    ));
    ensure!(verdict.good(), "the audit found violations");
    Ok(())
}
