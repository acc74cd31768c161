//! What others hold of a balance's actor, and how one comes to life.

use std::sync::Arc;

use actix::Actor;

use super::{BalanceActor, Source, actor::Start, hold::LedgerEnd, order_ids::SettledBudget};
use crate::{
    actors::{Arbiters, Changes, Handle, Latch, Registry},
    clock::Clock,
    config::Config,
    fault::Fault,
    ids::BalanceId,
    relationships::Terms,
};

/// One incarnation of a balance's actor.
pub(crate) type BalanceHandle = Handle<BalanceActor>;

/// All balances that are in memory.
pub(crate) struct Balances {
    pub(crate) registry: Registry<BalanceId, BalanceHandle>,
    arbiters: Arc<Arbiters>,
    source: Arc<dyn Source>,
    clock: Arc<dyn Clock>,
    budget: Arc<SettledBudget>,
    /// Changes of products and programs.
    changes: Changes,
    joined_max: usize,
}

impl Balances {
    pub(crate) fn new(
        (registry, changes): (Registry<BalanceId, BalanceHandle>, Changes),
        arbiters: Arc<Arbiters>,
        source: Arc<dyn Source>,
        clock: Arc<dyn Clock>,
        config: &Config,
    ) -> Self {
        let budget = Arc::new(SettledBudget::new(config.settled_entries_max));
        Self {
            registry,
            arbiters,
            source,
            clock,
            budget,
            changes,
            joined_max: config.joined_max,
        }
    }

    /// The balance's actor, loaded if need be under these terms.
    pub(crate) async fn handle(
        &self,
        id: BalanceId,
        terms: &Arc<Terms>,
    ) -> Result<BalanceHandle, Fault> {
        self.registry
            .resolve(id, |generation| self.load(id, generation, terms))
            .await
    }

    async fn load(
        &self,
        id: BalanceId,
        generation: u64,
        terms: &Arc<Terms>,
    ) -> Result<BalanceHandle, Fault> {
        let loaded = self.source.load(id, self.clock.now()).await?;
        let loaded = loaded.ok_or(Fault::Aborted {
            reason: "no such balance",
        })?;
        if loaded.relationship != terms.relationship {
            return Err(Fault::Aborted {
                reason: "the balance is of another relationship",
            });
        }
        let latch = Arc::new(Latch::default());
        let start = Start {
            id,
            end: Arc::new(LedgerEnd::new(loaded.version, loaded.posted)),
            loaded,
            terms: Arc::clone(terms),
            latch: Arc::clone(&latch),
            budget: Arc::clone(&self.budget),
            changes: self.changes.clone(),
            joined_max: self.joined_max,
        };
        let arbiter = self.arbiters.of(id);
        let actor = BalanceActor::start_in_arbiter(arbiter, |_| BalanceActor::new(start));
        Ok(BalanceHandle::new(actor, generation, latch))
    }
}
