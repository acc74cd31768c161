//! Takes serials off the shelf for their merchant: memory first, then the lane of their SKU.
//!
//! Keeps: what is withdrawn was in nobody's hands when the actor gave it away, and from then on no claim
//! gets it. An id that was executed is answered from what is stored; no refusal is told before it was
//! looked for, and none by a process that may have lost its shard.

use std::sync::Arc;

use super::{
    Inventory, Pulled, Purpose, Removed, ShelvedSerial, Standing, StockHold, Withdrawal,
    messages::{Claim, Claimed, Withdraw},
    reserve::Reserver,
};
use crate::{
    actors::ask::ask,
    audit::Actor,
    catalog::Sku,
    clock::Deadline,
    fault::Fault,
    ids::{SerialId, WithdrawalId},
    journal::{Lanes, Verdict, WithdrawalIntent},
    merchants::Merchant,
};

/// What a withdrawal passes through, and for whom.
pub(crate) struct Withdrawer<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) lanes: &'a Lanes,
    pub(crate) merchant: &'a Merchant,
    pub(crate) sku: Sku,
    pub(crate) id: WithdrawalId,
    pub(crate) by: Option<&'a Actor>,
}

impl Withdrawer<'_> {
    /// Removes those of the serials that nobody has. They are named once each.
    pub(crate) async fn remove(&self, serials: Vec<SerialId>) -> Result<Removed, Fault> {
        if let Some(done) = self.find().await? {
            return self.removed(&serials, done.serials).await;
        }
        let hold = self.take(&serials).await?;
        let taken = ids(&hold);
        if taken.is_empty() {
            self.still_owner()?;
            return self.removed(&serials, taken).await;
        }
        let removed = self.append(Purpose::Removal, hold).await?;
        self.removed(&serials, removed).await
    }

    /// Takes so many serials from the front of the shelf, all or none.
    pub(crate) async fn pull(
        &self,
        purpose: Purpose,
        quantity: u32,
        deadline: Deadline,
    ) -> Result<Pulled, Fault> {
        if let Some(done) = self.find().await? {
            return Ok(Pulled::Serials(done.serials));
        }
        if let Some(hold) = self.claim(quantity, deadline).await? {
            return Ok(Pulled::Serials(self.append(purpose, hold).await?));
        }
        // An owner that was replaced knows nothing of what its successor has reserved for this id.
        if !self.lanes.ownership.confirm().await {
            return Err(Fault::OutcomeUnknown);
        }
        // What another call of this id took may be why there is nothing left.
        let done = self.find().await?;
        Ok(done.map_or(Pulled::OutOfStock, |done| Pulled::Serials(done.serials)))
    }

    async fn find(&self) -> Result<Option<Withdrawal>, Fault> {
        self.inventory.source.withdrawal(self.id).await
    }

    /// What memory says may be told only while this process is known to own it.
    fn still_owner(&self) -> Result<(), Fault> {
        if self.lanes.ownership.is_fresh() {
            Ok(())
        } else {
            Err(Fault::OutcomeUnknown)
        }
    }

    /// Those serials that this withdrawal has, and why the others stay.
    async fn removed(&self, wanted: &[SerialId], removed: Vec<SerialId>) -> Result<Removed, Fault> {
        let others: Vec<_> = wanted
            .iter()
            .copied()
            .filter(|serial| !removed.contains(serial))
            .collect();
        let standing = self.standing(&others).await.map_err(|fault| {
            // The removal is durable, whatever cannot be read now.
            if removed.is_empty() {
                fault
            } else {
                Fault::OutcomeUnknown
            }
        })?;
        let kept = others.into_iter().zip(standing);
        let kept = kept.map(|(serial, standing)| (serial, standing.kept()));
        Ok(Removed {
            kept: kept.collect(),
            removed,
        })
    }

    async fn standing(&self, serials: &[SerialId]) -> Result<Vec<Standing>, Fault> {
        if serials.is_empty() {
            return Ok(Vec::new());
        }
        let source = &self.inventory.source;
        source
            .standing(self.merchant.id, self.sku, serials.to_vec())
            .await
    }

    /// Has the actor give away those that are free. They are read after the actor was found: what
    /// became of a serial before this actor lived is durable, and what becomes of it since, it knows.
    async fn take(&self, serials: &[SerialId]) -> Result<StockHold, Fault> {
        loop {
            let handle = self.inventory.handle(self.sku, &self.merchant.key).await?;
            let mut free = Vec::with_capacity(serials.len());
            let mut closed = false;
            for standing in self.standing(serials).await? {
                if let Standing::Free(shelved) = standing {
                    if self.opens(&shelved).await? {
                        free.push(shelved);
                    } else {
                        closed = true;
                    }
                }
            }
            let asked = ask(&handle.actor, |reply| Withdraw {
                serials: free,
                closed,
                reply,
            });
            match asked.await {
                Ok(taken) => return taken,
                Err(_) => self.inventory.registry.bury(self.sku, &handle),
            }
        }
    }

    /// One that does not open is quarantined by whoever meets it, and that is a claim already.
    async fn opens(&self, shelved: &ShelvedSerial) -> Result<bool, Fault> {
        let serial = shelved.position.serial;
        if self
            .merchant
            .key
            .open_serial(serial, &shelved.sealed)
            .is_ok()
        {
            return Ok(true);
        }
        self.inventory.source.quarantine(serial).await?;
        Ok(false)
    }

    async fn claim(&self, quantity: u32, deadline: Deadline) -> Result<Option<StockHold>, Fault> {
        loop {
            let handle = self.inventory.handle(self.sku, &self.merchant.key).await?;
            let asked = ask(&handle.actor, |reply| Claim {
                quantity,
                withdrawal: Some(self.id),
                deadline,
                reply,
            });
            match asked.await {
                Ok(Claimed::Stock(hold)) => return Ok(Some(hold)),
                Ok(Claimed::OutOfStock) => return Ok(None),
                Ok(Claimed::Failed(fault)) => return Err(fault),
                Err(_) if deadline.passed() => return Err(Fault::overloaded()),
                Err(_) => self.inventory.registry.bury(self.sku, &handle),
            }
        }
    }

    /// Makes it durable; the serials that this id has then, which may be those of an earlier call.
    async fn append(&self, purpose: Purpose, hold: StockHold) -> Result<Vec<SerialId>, Fault> {
        let withdrawal = Arc::new(Withdrawal {
            id: self.id,
            merchant: self.merchant.id,
            sku: self.sku,
            purpose,
            serials: ids(&hold),
            by: self.by.cloned(),
        });
        let ownership = Arc::clone(&self.lanes.ownership);
        let intent = WithdrawalIntent::new(Arc::clone(&withdrawal), hold, ownership);
        match self.lanes.withdraw(intent, self.sku).await {
            Verdict::Committed(intent, ()) => {
                intent.settle();
                Ok(withdrawal.serials.clone())
            }
            Verdict::Duplicate(intent) => {
                drop(intent);
                // What is reserved for it is not needed: if nobody hears, the rows say so later.
                let (lanes, merchant) = (self.lanes, self.merchant);
                let reserver = Reserver {
                    inventory: self.inventory,
                    lanes,
                    merchant,
                };
                drop(reserver.compare(self.sku, self.id).await);
                let done = self.find().await.map_err(|_| Fault::OutcomeUnknown)?;
                done.map(|done| done.serials).ok_or(Fault::OutcomeUnknown)
            }
            Verdict::Aborted(_, fault) => Err(fault),
            Verdict::Disowned => Err(Fault::OutcomeUnknown),
        }
    }
}

fn ids(hold: &StockHold) -> Vec<SerialId> {
    let serials = hold.serials().iter();
    serials.map(|shelved| shelved.position.serial).collect()
}
