//! The end of a run before the auditor: every word of every shop, and every row.
//!
//! Keeps: a history or a row that cannot be read is an error, and a run with an error has failed.

use std::{fs, time::Duration};

use anyhow::Context as _;
use auditor::{Alarms, Answer, Before, Call, History, Memory, Run, Verdict};

use super::{engine::Engines, ground::Ground, postgres::Postgres};
use crate::{auditor::rows, peer::pool};

/// No shop waits longer, and no engine answers later.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// What the engine logs when it finds a defect in itself. The rig provokes `HALT` only, and counts it.
const DEFECTS: [&str; 3] = ["HALT", "panicked", "a repeated reference is not found"];
const BREACH: &str = "a constraint was breached";
const QUARANTINE: &str = "quarantined";

/// What all engines of the run said of themselves.
fn alarms(engines: &Engines) -> anyhow::Result<Alarms> {
    let log = fs::read(engines.log())?;
    let count = |words: &str| -> u64 {
        let found = memchr::memmem::find_iter(&log, words.as_bytes()).count();
        u64::try_from(found).unwrap_or(u64::MAX)
    };
    Ok(Alarms {
        invariant_violations: DEFECTS.into_iter().map(count).sum::<u64>() - engines.provoked,
        breaches: count(BREACH),
        quarantined: count(QUARANTINE),
    })
}

/// What is known of a run beside histories and rows. No memory at rest: it did not come to rest, and
/// calls are open still.
pub(super) fn told(
    engines: &Engines,
    before: Before,
    memory: Option<Memory>,
) -> anyhow::Result<Run> {
    Ok(Run {
        resent: memory.is_some(),
        before,
        answer_within: Some(ANSWER_WITHIN),
        memory,
        alarms: Some(alarms(engines)?),
        ..Run::default()
    })
}

/// How many changes of terms were acknowledged, and what the auditor says.
pub(super) fn judge(ground: &Ground, run: &Run) -> anyhow::Result<(usize, Verdict)> {
    let mut history = History::default();
    for file in fs::read_dir(&ground.histories)? {
        let path = file?.path();
        auditor::read(&path, &mut history)
            .with_context(|| format!("reading {}", path.display()))?;
    }
    let options = pool::near(&Postgres::url(&ground.postgres.socket))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let read = runtime.block_on(rows::read(&options))?;
    let calls = history.invocations.iter();
    let changes = calls.filter(|call| {
        matches!(call.call, Call::Change(_)) && call.answer() == Some(&Answer::Changed)
    });
    let changes = changes.count();
    Ok((changes, auditor::audit(&history, &read.store, run)))
}
