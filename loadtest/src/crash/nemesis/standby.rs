//! A standby that is away, that takes over, and that takes over what it should not.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::strike::{Effect, Nemesis, READY_WITHIN, effect};
use crate::crash::{
    engine::HALTED,
    postgres::End,
    process::wait_for,
    standby::{SHOWS_LATE, Standby},
};

/// What the standby had when it left may still be told for so long.
const TOLD_WITHIN: Duration = Duration::from_millis(1500);
/// Orders by which shops have asked again for what they were not told.
const ASKED_AGAIN: u64 = 60;
/// Orders that a standby misses which has fallen behind.
const MISSED: u64 = 150;
const MISSED_WITHIN: Duration = Duration::from_secs(20);
/// Longer than an engine takes to remember its numbers.
const REMEMBERED: Duration = Duration::from_millis(1600);
const HALTS_WITHIN: Duration = Duration::from_secs(45);
const HALT: &str = "HALT";

impl Nemesis<'_> {
    /// Nothing may be acknowledged meanwhile.
    pub(super) fn stop_standby(&mut self) -> anyhow::Result<Effect> {
        self.with_synchronous(|nemesis, standby| {
            standby.postgres.end(End::Immediate)?;
            sleep(TOLD_WITHIN);
            let before = nemesis.crowd.acknowledged();
            sleep(Duration::from_millis(800));
            nemesis.rest(4000);
            let after = nemesis.crowd.acknowledged();
            standby.postgres.start()?;
            ensure!(
                after == before,
                "{} orders were acknowledged without the standby",
                after - before
            );
            Ok(Effect::Done)
        })
    }

    /// It has what was acknowledged, and shows it late: nobody may look there whether an order was delivered.
    pub(super) fn delay_standby(&mut self) -> anyhow::Result<Effect> {
        self.with_synchronous(|nemesis, standby| {
            standby.applies_late(true)?;
            let mut met = 0;
            for _ in 0..2 {
                nemesis.rest(900);
                let killed = nemesis.kill_engine_after_commit()?;
                met += u32::from(killed == Effect::Done);
                // Shops ask first for what they were not told, while it does not show.
                let before = nemesis.crowd.acknowledged();
                let sold = || nemesis.crowd.acknowledged() > before + ASKED_AGAIN;
                wait_for(SHOWS_LATE, sold);
            }
            standby.applies_late(false)?;
            Ok(effect(met == 2))
        })
    }

    /// The standby has everything that was acknowledged.
    pub(super) fn fail_over(&mut self) -> anyhow::Result<Effect> {
        self.with_synchronous(|nemesis, _| {
            nemesis.rest(700);
            nemesis.ground.postgres.end(End::Kill)?;
            Ok(Effect::Done)
        })?;
        self.ground.succeed()?;
        Ok(Effect::Done)
    }

    /// Commits whose wait is cancelled look like successes, and the standby has none of them.
    pub(super) fn fail_over_after_cancelled_waits(&mut self) -> anyhow::Result<Effect> {
        let effect = self.with_synchronous(|nemesis, standby| {
            standby.postgres.end(End::Fast)?;
            let met = nemesis.ground.postgres.cancel_waits()?;
            nemesis.ground.postgres.end(End::Kill)?;
            Ok(effect(met > 0))
        })?;
        self.ground.succeed()?;
        Ok(effect)
    }

    fn with_synchronous(
        &mut self,
        act: impl FnOnce(&mut Self, &mut Standby) -> anyhow::Result<Effect>,
    ) -> anyhow::Result<Effect> {
        let mut standby = if let Some(standby) = self.ground.standby.take() {
            standby
        } else {
            let standby = self.ground.follower()?;
            standby.synchronize(&self.ground.postgres)?;
            standby
        };
        let done = act(self, &mut standby);
        self.ground.standby = Some(standby);
        done
    }

    /// The standby lacks acknowledged orders: an engine that runs must halt, one that starts must refuse.
    /// Then the first Postgres comes back.
    pub(super) fn fail_over_behind(&mut self) -> anyhow::Result<Effect> {
        self.ground.give_standby_up()?;
        let mut standby = self.ground.follower()?;
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        standby.postgres.end(End::Fast)?;
        let before = self.crowd.acknowledged();
        let missed = wait_for(MISSED_WITHIN, || {
            self.crowd.acknowledged() > before + MISSED
        });
        sleep(REMEMBERED);
        let from = self.engine_log_length();
        // Changes that no lane protects would be told by whoever finds this database first.
        self.ground.proxy.journal_only(true);
        self.ground.postgres.end(End::Kill)?;
        standby.promote()?;
        self.ground.proxy.lead_to(standby.postgres.socket_file());
        let running = self.engines.ends_with(serving, HALTS_WITHIN)?;
        self.ground.proxy.journal_only(false);
        // Without the mark of the one that halted, it is the machine that remembers.
        standby
            .postgres
            .sql("UPDATE shards SET halted_at = NULL, halted_because = NULL")?;
        let starting = self.start_behind()?;
        self.engines.end_all()?;
        self.engines.provoked += self.times_said(HALT, from);

        let first = self.ground.postgres.socket_file();
        self.ground.proxy.lead_to(first);
        standby.give_up()?;
        self.ground.postgres.start()?;
        self.ground.postgres.forget_standby()?;
        ensure!(
            running == Some(HALTED),
            "an engine whose orders were lost ended with {running:?}, not {HALTED}"
        );
        ensure!(
            starting == Some(HALTED),
            "an engine that started where orders were lost ended with {starting:?}, not {HALTED}"
        );
        Ok(effect(missed))
    }

    /// How an engine ends that is started now; none if it serves, and sells.
    fn start_behind(&mut self) -> anyhow::Result<Option<i32>> {
        let next = self.engines.start()?;
        let until = Instant::now() + HALTS_WITHIN;
        while Instant::now() < until {
            if let Some(status) = self.engines.ended(next)? {
                return Ok(status.code());
            }
            if self.engines.is_ready(next) {
                let before = self.crowd.acknowledged();
                wait_for(MISSED_WITHIN, || {
                    self.crowd.acknowledged() > before + MISSED
                });
                break;
            }
            sleep(Duration::from_millis(20));
        }
        Ok(None)
    }
}
