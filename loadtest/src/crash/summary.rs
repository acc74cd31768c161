//! What a run did and what the auditor said of it, for people and for the record.
//!
//! Keeps: the commit and the seed stand beside every figure; acts that met nothing are not counted.

use std::{collections::BTreeMap, fmt};

use auditor::{Finding, Verdict};
use serde::Serialize;

use super::nemesis::{Figure, Nemesis};
use crate::compare::machine;

#[derive(Serialize)]
pub(super) struct Summary {
    commit: String,
    seed: u64,
    pub(super) seconds: u64,
    /// Orders delivered and acknowledged; replays not counted.
    pub(super) acknowledged: u64,
    pub(super) calls: u64,
    /// Changes of terms that were acknowledged while shops bought.
    pub(super) terms_changed: usize,
    pub(super) engine_starts: u64,
    /// From the end of an act until orders were acknowledged again.
    longest_outage_ms: u128,
    figures: BTreeMap<Figure, u64>,
    acts: BTreeMap<String, u64>,
    missed: BTreeMap<String, u64>,
    verdict: Option<Verdict>,
}

impl Summary {
    pub(super) fn new(seed: u64, nemesis: &Nemesis<'_>) -> Self {
        Self {
            commit: machine::commit(),
            seed,
            seconds: 0,
            acknowledged: 0,
            calls: 0,
            terms_changed: 0,
            engine_starts: 0,
            longest_outage_ms: nemesis.longest_outage.as_millis(),
            figures: nemesis.figures.clone(),
            acts: nemesis.done.clone(),
            missed: nemesis.missed.clone(),
            verdict: None,
        }
    }

    pub(super) fn judge(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }

    /// A run without a verdict is not good.
    pub(super) fn good(&self) -> bool {
        self.verdict.as_ref().is_some_and(Verdict::good)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "crash: commit {}, seed {}, {} s",
            self.commit, self.seed, self.seconds
        )?;
        writeln!(
            formatter,
            "{} orders acknowledged in {} calls, {} changes of terms, {} engines started, longest \
             outage {} ms",
            self.acknowledged,
            self.calls,
            self.terms_changed,
            self.engine_starts,
            self.longest_outage_ms
        )?;
        for (figure, count) in &self.figures {
            writeln!(formatter, "{count:6} {figure:?}")?;
        }
        for (act, count) in &self.acts {
            writeln!(formatter, "{count:10} {act}")?;
        }
        for (act, count) in &self.missed {
            writeln!(formatter, "{count:10} {act}: met nothing, not counted")?;
        }
        let Some(verdict) = &self.verdict else {
            return writeln!(formatter, "no verdict");
        };
        write!(formatter, "{verdict}")?;
        let points = verdict.points.iter();
        let holding = points.filter(|(_, finding)| matches!(finding, Finding::Holds { .. }));
        writeln!(
            formatter,
            "{} points hold, {} are violated",
            holding.count(),
            verdict.violated().len()
        )
    }
}
