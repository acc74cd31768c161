//! Engines killed, frozen, doubled and replaced.

use std::{thread::sleep, time::Duration};

use anyhow::ensure;

use super::strike::{Effect, Nemesis, READY_WITHIN};
use crate::crash::{process::wait_for, proxy::Cut};

/// Longer than the owner's silence after which a waiting engine takes over.
const REPLACED_WITHIN: Duration = Duration::from_secs(30);
const DRAIN_WITHIN: Duration = Duration::from_secs(30);
/// Orders of a new owner before the old one wakes.
const SOLD: u64 = 200;
const SOLD_WITHIN: Duration = Duration::from_secs(8);
/// What an engine says that was replaced before it was asked to end.
const REPLACED: &str = "another process has taken over";
/// An owner that was replaced while it was frozen finds that out and ends.
const DEMOTED_WITHIN: Duration = Duration::from_secs(30);

impl Nemesis<'_> {
    pub(super) fn kill_engine(&mut self) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        self.engines.kill(serving)?;
        self.rest(150);
        self.restart()?;
        Ok(Effect::Done)
    }

    /// What it told before its commit was durable is told for nothing.
    pub(super) fn kill_engine_at_commit(&mut self) -> anyhow::Result<Effect> {
        let cut = Cut::of_a_commit(&mut self.dice);
        self.kill_engine_at(cut)
    }

    /// What it did not tell is done, and is asked for again.
    pub(super) fn kill_engine_after_commit(&mut self) -> anyhow::Result<Effect> {
        self.kill_engine_at(Cut::of_a_commits_answer())
    }

    fn kill_engine_at(&mut self, cut: Cut) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        let met = self.cut(cut)?;
        // As long as it takes to tell somebody, and shorter than it takes to give the commit up.
        sleep(Duration::from_millis(50));
        self.engines.kill(serving)?;
        self.restart()?;
        Ok(met)
    }

    pub(super) fn kill_engine_twice(&mut self) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        self.engines.kill(serving)?;
        let next = self.engines.start()?;
        self.rest(500);
        self.engines.kill(next)?;
        self.restart()?;
        Ok(Effect::Done)
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        let next = self.engines.start()?;
        // Not ready is no failure here: it may have met a database that was not ready either.
        self.engines.becomes_ready(next, READY_WITHIN);
        Ok(())
    }

    /// Starts an engine that has to wait for the lock.
    fn waiting(&mut self) -> anyhow::Result<usize> {
        let next = self.engines.start()?;
        // Long enough to connect and to look at the database.
        sleep(Duration::from_millis(900));
        Ok(next)
    }

    pub(super) fn kill_engine_beside_waiting(&mut self) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        let next = self.waiting()?;
        self.rest(200);
        self.engines.kill(serving)?;
        self.engines.becomes_ready(next, READY_WITHIN);
        Ok(Effect::Done)
    }

    pub(super) fn freeze_engine(&mut self) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        self.engines.freeze(serving)?;
        sleep(Duration::from_secs(1));
        self.rest(4000);
        self.engines.thaw(serving)?;
        Ok(Effect::Done)
    }

    pub(super) fn freeze_and_replace_engine(&mut self) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        let next = self.waiting()?;
        self.engines.freeze(serving)?;
        let replaced = self.engines.becomes_ready(next, REPLACED_WITHIN);
        ensure!(replaced, "nobody took over from a frozen engine");
        // The new owner sells before the old one wakes, so that what the old one knows is false by then,
        // and somebody has asked the old one since.
        let before = self.crowd.acknowledged();
        wait_for(SOLD_WITHIN, || self.crowd.acknowledged() > before + SOLD);
        sleep(Duration::from_millis(300));
        self.rest(1500);
        self.engines.thaw(serving)?;
        let ended = self.engines.ends(serving, DEMOTED_WITHIN)?;
        ensure!(ended, "an engine that was replaced did not end");
        Ok(Effect::Done)
    }

    /// It lives and is asked, and hears nothing from Postgres: what it knows is false soon.
    pub(super) fn cut_off_and_replace_engine(&mut self) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        let next = self.waiting()?;
        let process = self.engines.process(serving);
        self.ground.proxy.cut_off(process);
        let replaced = self.engines.becomes_ready(next, REPLACED_WITHIN);
        let before = self.crowd.acknowledged();
        wait_for(SOLD_WITHIN, || self.crowd.acknowledged() > before + SOLD);
        // Long enough for somebody to ask both.
        sleep(Duration::from_millis(1500));
        self.ground.proxy.cut_off(None);
        ensure!(replaced, "nobody took over from an engine that was cut off");
        let ended = self.engines.ends(serving, DEMOTED_WITHIN)?;
        ensure!(ended, "an engine that was replaced did not end");
        Ok(Effect::Done)
    }

    pub(super) fn start_second_engine(&mut self) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        let second = self.waiting()?;
        for _ in 0..20 {
            let both = self.engines.is_ready(serving) && self.engines.is_ready(second);
            ensure!(!both, "two engines serve one database");
            sleep(Duration::from_millis(50));
        }
        self.engines.kill(second)?;
        Ok(Effect::Done)
    }

    pub(super) fn restart_rolling(&mut self) -> anyhow::Result<Effect> {
        let serving = self.engines.ensure_serving(READY_WITHIN)?;
        // From before there is another one: it may take over while it is being started.
        let from = self.engine_log_length();
        let next = self.waiting()?;
        let status = self.engines.drain(serving, DRAIN_WITHIN)?;
        if !status.success() && self.engine_said(REPLACED, from) {
            // Its session had ended just before, and the waiting engine was faster to lock.
            return Ok(Effect::Missed);
        }
        ensure!(status.success(), "a drain ended with {status}");
        let replaced = self.engines.becomes_ready(next, READY_WITHIN);
        ensure!(replaced, "the next engine did not take over after a drain");
        Ok(Effect::Done)
    }
}
