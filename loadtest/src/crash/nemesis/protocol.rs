//! Connections cut at a message.

use std::time::Duration;

use super::strike::{Effect, Nemesis, effect};
use crate::crash::{postgres::Backend, process::wait_for, proxy::Cut};

const HAPPENS_WITHIN: Duration = Duration::from_secs(5);

impl Nemesis<'_> {
    pub(super) fn cut(&mut self, cut: Cut) -> anyhow::Result<Effect> {
        let scissors = self.ground.proxy.scissors.clone();
        let before = scissors.happened();
        scissors.arm(cut);
        if cut.is_of_parse() {
            // New connections prepare their statements anew.
            self.ground.postgres.terminate(Backend::Writer)?;
        }
        wait_for(HAPPENS_WITHIN, || scissors.happened() > before);
        scissors.disarm();
        Ok(effect(scissors.happened() > before))
    }
}
