//! The end of a run before the auditor: every word of every shop, and every row.
//!
//! Keeps: a history or a row that cannot be read is an error, and a run with an error has failed.

use std::{fs, time::Duration};

use anyhow::Context as _;
use auditor::{Alarms, Before, History, Run, Verdict};

use super::{engine::Engines, ground::Ground, postgres::Postgres};
use crate::{auditor::rows, peer::pool};

/// No shop waits longer, and no engine answers later.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// What the engine logs when it finds a defect in itself. The rig provokes none of them.
const DEFECTS: [&str; 3] = ["HALT", "panicked", "a repeated reference is not found"];
const BREACH: &str = "a constraint was breached";
const QUARANTINE: &str = "quarantined";

/// What all engines of the run said of themselves.
pub(super) fn alarms(engines: &Engines) -> anyhow::Result<Alarms> {
    let log = fs::read(engines.log())?;
    let count = |words: &str| -> u64 {
        let found = memchr::memmem::find_iter(&log, words.as_bytes()).count();
        u64::try_from(found).unwrap_or(u64::MAX)
    };
    Ok(Alarms {
        invariant_violations: DEFECTS.into_iter().map(count).sum(),
        breaches: count(BREACH),
        quarantined: count(QUARANTINE),
    })
}

pub(super) fn judge(ground: &Ground, before: Before, alarms: Alarms) -> anyhow::Result<Verdict> {
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
    let run = Run {
        resent: true,
        before,
        answer_within: Some(ANSWER_WITHIN),
        alarms: Some(alarms),
        ..Run::default()
    };
    Ok(auditor::audit(&history, &read.store, &run))
}
