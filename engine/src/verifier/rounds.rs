//! The rounds over balances and shelves, one of each at a time.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{Drift, Source, replay};
use crate::{
    actors::ask::ask,
    balances::messages::Prove,
    catalog::Sku,
    fault::Fault,
    fulfillments::fulfiller::Fulfiller,
    ids::BalanceId,
    inventory::messages::{Offered, StillOffered},
    metrics::{self, Proof},
    money::Money,
};

/// Serials of a window that are looked at in one step.
const SERIALS_MAX: usize = 256;
/// How long one step may take.
const STEP_DEADLINE: Duration = Duration::from_secs(10);

/// What one look found.
type Found = Result<Option<Drift>, Fault>;

/// Where the verifier is in its rounds.
pub(crate) struct Verifier {
    fulfiller: Arc<Fulfiller>,
    source: Arc<dyn Source>,
    entries_max: i64,
    /// Rounds over all balances; each looks at another slice of every ledger.
    round: i64,
    balance: Option<BalanceId>,
    shelf: Option<Sku>,
    /// Looks at shelves; each begins further back in the window.
    looks: usize,
}

impl Verifier {
    pub(crate) fn new(
        fulfiller: Arc<Fulfiller>,
        source: Arc<dyn Source>,
        entries_max: u32,
    ) -> Self {
        Self {
            fulfiller,
            source,
            entries_max: i64::from(entries_max),
            round: 0,
            balance: None,
            shelf: None,
            looks: 0,
        }
    }

    /// One step each time, until the engine ends.
    pub(crate) async fn run(mut self, every: Duration, mut ended: watch::Receiver<bool>) {
        while !*ended.borrow() {
            tokio::select! {
                biased;
                _ = ended.changed() => return,
                () = sleep(every) => {}
            }
            if timeout(STEP_DEADLINE, self.step()).await.is_err() {
                tracing::warn!("a step of the verifier took too long and was given up");
            }
        }
    }

    /// The next balance and the next shelf.
    pub(crate) async fn step(&mut self) {
        // The memory of a process that does not own the shard proves nothing.
        if !self.is_owner() {
            return;
        }
        self.next_balance().await;
        self.next_shelf().await;
    }

    fn is_owner(&self) -> bool {
        self.fulfiller.lanes.ownership.is_fresh()
    }

    async fn next_balance(&mut self) {
        match self.source.next(self.balance).await {
            Ok(Some((id, last))) => {
                self.balance = Some(id);
                let found = self.balance(id, last).await;
                if let Some(drift) = self.judge("balance", &id, &found).await {
                    metrics::violation(drift);
                    self.fulfiller.balances.registry.quarantine(id).await;
                }
            }
            Ok(None) => {
                self.balance = None;
                self.round += 1;
            }
            Err(_) => metrics::proved("balance", Proof::Failed),
        }
    }

    async fn balance(&self, id: BalanceId, last: i64) -> Found {
        let slices = last / self.entries_max + 1;
        let from = (self.round % slices) * self.entries_max;
        let through = (from + self.entries_max).min(last);
        let lines = self.source.lines(id, from.max(1), through).await?;
        match replay::check(from, through, &lines) {
            Some(drift) => Ok(Some(drift)),
            None => self.memory(id).await,
        }
    }

    /// Compares the actor, if there is one, with the ledger at the version it has reached.
    async fn memory(&self, id: BalanceId) -> Found {
        let Some(handle) = self.fulfiller.balances.registry.peek(&id) else {
            return Ok(None);
        };
        let Ok(Some((version, posted))) = ask(&handle.actor, |reply| Prove { reply }).await else {
            return Ok(None);
        };
        let stored = if version == 0 {
            Some(Money::ZERO)
        } else {
            let lines = self.source.lines(id, version, version).await?;
            lines.first().map(|line| line.balance_after)
        };
        Ok((stored != Some(posted)).then_some(Drift::Posted))
    }

    async fn next_shelf(&mut self) {
        let next = self.fulfiller.inventory.registry.active_after(self.shelf);
        self.shelf = next.as_ref().map(|(sku, _)| *sku);
        let Some((sku, handle)) = next else {
            self.looks += 1;
            return;
        };
        let skip = self.looks * SERIALS_MAX;
        let offered = ask(&handle.actor, |reply| Offered {
            skip,
            limit: SERIALS_MAX,
            reply,
        });
        let Ok(offered) = offered.await else {
            return;
        };
        let found = match self.source.claimed(offered).await {
            Ok(claimed) if claimed.is_empty() => Ok(None),
            // Sold meanwhile, unless they are still offered.
            Ok(claimed) => {
                let still = ask(&handle.actor, |reply| StillOffered {
                    serials: claimed,
                    reply,
                });
                Ok(matches!(still.await, Ok(true)).then_some(Drift::Claimed))
            }
            Err(fault) => Err(fault),
        };
        if let Some(drift) = self.judge("inventory", &sku, &found).await {
            metrics::violation(drift);
            self.fulfiller.inventory.registry.quarantine(sku).await;
        }
    }

    /// Counts what was found; gives the drift's name if it counts.
    async fn judge(
        &self,
        actor: &'static str,
        key: &(dyn std::fmt::Display + Sync),
        found: &Found,
    ) -> Option<&'static str> {
        let drift = match found {
            Ok(None) => {
                metrics::proved(actor, Proof::Same);
                return None;
            }
            // Another owner may have written since this process lost the shard, and perhaps it does not
            // know yet that it did.
            Ok(Some(_)) if !self.fulfiller.lanes.ownership.confirm().await => return None,
            Ok(Some(drift)) => drift.name(),
            Err(_) => {
                metrics::proved(actor, Proof::Failed);
                return None;
            }
        };
        metrics::proved(actor, Proof::Drift);
        tracing::error!(actor, %key, drift, "storage and memory have drifted apart");
        Some(drift)
    }
}
