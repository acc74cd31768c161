//! One act after the other, and what each of them did.
//!
//! Keeps: an act counts only if it met what it was to break, and only after orders were acknowledged
//! again.

use std::{
    collections::BTreeMap,
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::act::{Act, Figure};
use crate::{
    crash::{crowd::Crowd, engine::Engines, ground::Ground, postgres::End},
    schedule::Dice,
};

/// Until an engine serves again after Postgres does.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(45);
const PROGRESS_WITHIN: Duration = Duration::from_secs(45);
/// Orders that must be acknowledged between two acts.
const PROGRESS: u64 = 40;

pub(in crate::crash) struct Nemesis<'a> {
    pub(in crate::crash) ground: &'a mut Ground,
    pub(in crate::crash) engines: &'a mut Engines,
    pub(in crate::crash) crowd: &'a mut Crowd,
    pub(super) dice: Dice,
    pub(in crate::crash) done: BTreeMap<String, u64>,
    /// Acts that found nothing to break at their moment.
    pub(in crate::crash) missed: BTreeMap<String, u64>,
    pub(in crate::crash) figures: BTreeMap<Figure, u64>,
    pub(in crate::crash) longest_outage: Duration,
}

/// Whether an act did what its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Done,
    Missed,
}

impl<'a> Nemesis<'a> {
    pub(in crate::crash) fn new(
        ground: &'a mut Ground,
        engines: &'a mut Engines,
        crowd: &'a mut Crowd,
        seed: u64,
    ) -> Self {
        Self {
            ground,
            engines,
            crowd,
            dice: Dice::new(seed ^ 0x4e45_4d45),
            done: BTreeMap::new(),
            missed: BTreeMap::new(),
            figures: BTreeMap::new(),
            longest_outage: Duration::ZERO,
        }
    }

    /// Does one act and waits until orders are acknowledged again.
    pub(in crate::crash) fn strike(&mut self, act: Act) -> anyhow::Result<()> {
        self.rest(300);
        let started = Instant::now();
        let effect = self.act(act).with_context(|| format!("act `{act}`"))?;
        let acted = Instant::now();
        self.recover().with_context(|| format!("after `{act}`"))?;
        self.longest_outage = self.longest_outage.max(acted.elapsed());
        let name = act.to_string();
        self.crowd.note(&format!(
            "{name}: {effect:?}, {} ms, orders again after {} ms",
            (acted - started).as_millis(),
            acted.elapsed().as_millis()
        ));
        match effect {
            Effect::Done => {
                *self.done.entry(name).or_default() += 1;
                for (figure, count) in act.figures() {
                    *self.figures.entry(*figure).or_default() += count;
                }
            }
            Effect::Missed => *self.missed.entry(name).or_default() += 1,
        }
        Ok(())
    }

    /// Postgres takes connections, one engine serves, orders are acknowledged.
    pub(in crate::crash) fn recover(&mut self) -> anyhow::Result<()> {
        self.ground.postgres.recover()?;
        self.engines.ensure_serving(READY_WITHIN)?;
        let before = self.crowd.acknowledged();
        let until = Instant::now() + PROGRESS_WITHIN;
        while self.crowd.acknowledged() < before + PROGRESS {
            self.crowd.check()?;
            ensure!(
                Instant::now() < until,
                "no {PROGRESS} orders were acknowledged within {PROGRESS_WITHIN:?}"
            );
            // Postgres may fail late, and an engine may find out late that it is not the owner.
            self.ground.postgres.recover()?;
            self.engines.ensure_serving(READY_WITHIN)?;
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn act(&mut self, act: Act) -> anyhow::Result<Effect> {
        match act {
            Act::EngineKilled => self.kill_engine(),
            Act::EngineKilledAtCommit => self.kill_engine_at_commit(),
            Act::EngineKilledBesideWaiting => self.kill_engine_beside_waiting(),
            Act::EngineKilledTwice => self.kill_engine_twice(),
            Act::EngineFrozen => self.freeze_engine(),
            Act::EngineFrozenAndReplaced => self.freeze_and_replace_engine(),
            Act::EngineCutOffAndReplaced => self.cut_off_and_replace_engine(),
            Act::SecondEngine => self.start_second_engine(),
            Act::RollingRestart => self.restart_rolling(),
            Act::SessionTerminated(which) => Ok(effect(self.ground.postgres.terminate(which)?)),
            Act::SessionKilled(which) => Ok(effect(self.ground.postgres.kill(which)?)),
            Act::CommitsCancelled => Ok(effect(self.ground.postgres.cancel_commits()? > 0)),
            Act::PostgresStopped => self.end_postgres(End::Immediate),
            Act::PostgresKilled => self.end_postgres(End::Kill),
            Act::PostgresAndEngineKilled => self.end_both(),
            Act::ProtocolCut(cut) => self.cut(cut),
            Act::TablesFull => self.fill_tables(),
            Act::LogFull => self.fill_log(),
            Act::StandbyLate => self.delay_standby(),
            Act::StandbyAway => self.stop_standby(),
            Act::FailedOver => self.fail_over(),
            Act::FailedOverAfterCancelledWaits => self.fail_over_after_cancelled_waits(),
            Act::FailedOverBehind => self.fail_over_behind(),
        }
    }

    fn end_postgres(&mut self, how: End) -> anyhow::Result<Effect> {
        self.ground.postgres.end(how)?;
        self.rest(700);
        self.ground.postgres.start()?;
        Ok(Effect::Done)
    }

    fn end_both(&mut self) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        if self.dice.below(2) == 0 {
            self.ground.postgres.end(End::Kill)?;
            self.engines.kill(serving)?;
        } else {
            self.engines.kill(serving)?;
            self.ground.postgres.end(End::Immediate)?;
        }
        self.rest(200);
        self.ground.postgres.start()?;
        Ok(Effect::Done)
    }

    /// Up to so many milliseconds.
    pub(super) fn rest(&mut self, millis_max: usize) {
        sleep(Duration::from_millis(self.dice.below(millis_max) as u64));
    }

    /// Whether the engines' log has said this since it was as long as `from`.
    pub(super) fn engine_said(&self, words: &str, from: u64) -> bool {
        self.times_said(words, from) > 0
    }

    /// How often the engines' log has said this since.
    pub(super) fn times_said(&self, words: &str, from: u64) -> u64 {
        let log = fs::read(self.engines.log()).unwrap_or_default();
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let new = log.get(from..).unwrap_or_default();
        memchr::memmem::find_iter(new, words.as_bytes()).count() as u64
    }

    pub(super) fn engine_log_length(&self) -> u64 {
        fs::metadata(self.engines.log()).map_or(0, |found| found.len())
    }
}

pub(super) const fn effect(met: bool) -> Effect {
    if met { Effect::Done } else { Effect::Missed }
}
