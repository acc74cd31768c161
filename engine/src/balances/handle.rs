//! What others hold of a balance's actor, and how one comes to life.

use std::sync::Arc;

use actix::Actor;

use super::{BalanceActor, Source, actor::Start, hold::LedgerEnd, order_ids::SettledBudget};
use crate::{
    actors::{Arbiters, Handle, Latch, Registry},
    clock::Clock,
    config::Config,
    fault::Fault,
    ids::{BalanceId, RelationshipId},
    snapshots::Snapshots,
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
    snapshots: Arc<Snapshots>,
    joined_max: usize,
}

impl Balances {
    pub(crate) fn new(
        (registry, snapshots): (Registry<BalanceId, BalanceHandle>, Arc<Snapshots>),
        arbiters: Arc<Arbiters>,
        source: Arc<dyn Source>,
        clock: Arc<dyn Clock>,
        config: &Config,
    ) -> Self {
        let budget = Arc::new(SettledBudget::new(
            config.settled_entries_max,
            config.settled_bytes_max,
        ));
        Self {
            registry,
            arbiters,
            source,
            clock,
            budget,
            snapshots,
            joined_max: config.joined_max,
        }
    }

    /// The actor of this relationship's balance, loaded if need be.
    pub(crate) async fn handle(
        &self,
        id: BalanceId,
        relationship: RelationshipId,
    ) -> Result<BalanceHandle, Fault> {
        self.registry
            .resolve(id, |generation| self.load(id, generation, relationship))
            .await
    }

    async fn load(
        &self,
        id: BalanceId,
        generation: u64,
        relationship: RelationshipId,
    ) -> Result<BalanceHandle, Fault> {
        let loaded = self.source.load(id, self.clock.now()).await?;
        let loaded = loaded.ok_or(Fault::Aborted {
            reason: "no such balance",
        })?;
        if loaded.relationship != relationship {
            return Err(Fault::Aborted {
                reason: "the balance is of another relationship",
            });
        }
        // Not those of whoever asks, which may be older than what an actor before this one was told: a
        // change is in the snapshots before any actor hears of it.
        let terms = self.snapshots.terms(relationship).await?;
        let terms = terms.ok_or(Fault::Aborted {
            reason: "no such relationship",
        })?;
        let latch = Arc::new(Latch::default());
        let start = Start {
            id,
            end: Arc::new(LedgerEnd::new(loaded.version, loaded.posted)),
            loaded,
            terms,
            latch: Arc::clone(&latch),
            budget: Arc::clone(&self.budget),
            changes: self.snapshots.changes.clone(),
            joined_max: self.joined_max,
        };
        let arbiter = self.arbiters.of(id);
        let actor = BalanceActor::start_in_arbiter(arbiter, |_| BalanceActor::new(start));
        Ok(BalanceHandle::new(actor, generation, latch))
    }
}
