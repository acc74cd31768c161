//! The judge of a finished run, and what it reads from Postgres.
//!
//! Keeps: rows that could not be read to their end give no verdict, which counts as failed.

pub(crate) mod cluster;
pub(crate) mod rows;

use std::time::Instant;

use ::auditor::{Before, EntryKind, Finding, History, Run, Verdict};
use serde::Serialize;

use crate::{answers::Answers, peer::pool, report::say};

/// What is said of one stage of load.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Judged {
    pub(crate) stage: String,
    /// Orders in the database.
    pub(crate) entries: usize,
    /// Orders answered as delivered.
    pub(crate) acknowledged: usize,
    pub(crate) verdict: Verdict,
    pub(crate) seconds: f64,
}

/// What is stored before a run.
pub(crate) async fn before(url: &str) -> anyhow::Result<Before> {
    Ok(Before::Versions(rows::versions(&pool::near(url)?).await?))
}

/// Judges the engine's database after a stage.
pub(crate) async fn audit(url: &str, stage: &str, before: Before, answers: &[Answers]) -> Judged {
    let started = Instant::now();
    let acknowledged = answers.iter().map(Answers::acknowledged).sum();
    let (verdict, entries) = match pool::near(url) {
        Ok(options) => judge(rows::read(&options).await, before, answers),
        Err(error) => (Verdict::unknown(format!("{error:#}")), 0),
    };
    Judged {
        stage: stage.to_owned(),
        entries,
        acknowledged,
        verdict,
        seconds: started.elapsed().as_secs_f64(),
    }
}

fn judge(
    rows: anyhow::Result<rows::Rows>,
    before: Before,
    answers: &[Answers],
) -> (Verdict, usize) {
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return (Verdict::unknown(format!("{error:#}")), 0),
    };
    let mut history = History::default();
    for worker in answers {
        history
            .invocations
            .extend(worker.invocations().map(|mut call| {
                call.account = call.key.and_then(|key| rows.keys.get(&key).copied());
                call
            }));
    }
    let run = Run {
        before,
        ..Run::default()
    };
    let entries = rows.store.entries.iter();
    let delivered = entries
        .filter(|row| row.kind == EntryKind::Fulfillment)
        .count();
    (::auditor::audit(&history, &rows.store, &run), delivered)
}

impl Judged {
    /// One line if it is good, all points if it is not.
    pub(crate) fn tell(&self) {
        let points = self.verdict.points.iter();
        let judged = points
            .filter(|(_, finding)| matches!(finding, Finding::Holds { .. }))
            .count();
        let found = if self.verdict.good() {
            format!("{judged} points hold")
        } else {
            self.verdict.to_string()
        };
        say(&format!(
            "  audit: {} acknowledged, {} stored, in {:.1} s: {found}",
            self.acknowledged, self.entries, self.seconds
        ));
    }
}
