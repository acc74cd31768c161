//! Keeps units of a shelf for a withdrawal that may come: in memory first, while its row is stored.
//!
//! Keeps: no refusal is told by a process that may have lost its shard; what memory keeps without a row is
//! found by a comparison with the rows, and given back. So is what is in the share of those who have not paid
//! and is paid by now.

use std::collections::BTreeMap;

use super::{
    Inventory, Reach, ReserveCall, Reserved,
    handle::InventoryHandle,
    messages::{Paid, Reserve, Reserving, Settled, WithoutRows},
};
use crate::{
    actors::ask::{Gone, ask, tell},
    catalog::Sku,
    clock::Deadline,
    fault::Fault,
    ids::WithdrawalId,
    journal::Lanes,
    merchants::Merchant,
};

/// What a reservation passes through, and for whom.
pub(crate) struct Reserver<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) lanes: &'a Lanes,
    pub(crate) merchant: &'a Merchant,
}

impl Reserver<'_> {
    pub(crate) async fn reserve(
        &self,
        call: ReserveCall,
        reach: Reach,
        deadline: Deadline,
    ) -> Result<Reserved, Fault> {
        let owner = self.lanes.ownership.owner;
        loop {
            let handle = self.inventory.handle(call.sku, &self.merchant.key).await?;
            let asked = ask(&handle.actor, |reply| Reserve {
                call,
                reach,
                owner,
                deadline,
                reply,
            });
            match asked.await {
                Ok(Reserving::Held(reservation)) => return Ok(Reserved::Held(reservation)),
                Ok(Reserving::OutOfStock) if self.lanes.ownership.is_fresh() => {
                    return Ok(Reserved::OutOfStock);
                }
                Ok(Reserving::OutOfStock) => return Err(Fault::Unavailable),
                Ok(Reserving::Failed(fault)) => return Err(fault),
                Err(_) if deadline.passed() => return Err(Fault::overloaded()),
                Err(_) => self.inventory.registry.bury(call.sku, &handle),
            }
        }
    }

    /// What its row says is durable: its end, so the units are free, or that somebody has paid, so they are in no
    /// share. Repeating it is harmless, also when the id was reserved again: the row decides.
    pub(crate) async fn compare(&self, sku: Sku, id: WithdrawalId) -> Result<(), Fault> {
        loop {
            let handle = self.inventory.handle(sku, &self.merchant.key).await?;
            match told(self.inventory, sku, &handle, Some(id)).await? {
                Ok(()) => return Ok(()),
                Err(Gone) => self.inventory.registry.bury(sku, &handle),
            }
        }
    }
}

/// Gives back what shelves in memory keep although there is no row for it: its end was told to nobody, or
/// whether it was stored was not known. What was paid is in nobody's share from then on.
pub(crate) async fn compare(inventory: &Inventory) {
    for (sku, handle) in inventory.registry.active() {
        // What cannot be read is compared the next time, and who is gone is loaded with its rows.
        drop(told(inventory, sku, &handle, None).await);
    }
}

/// Tells a shelf what it keeps without a row, and what is paid, of all or of one reservation. The rows are read
/// after the actor was asked: what it has made since has another number.
async fn told(
    inventory: &Inventory,
    sku: Sku,
    handle: &InventoryHandle,
    only: Option<WithdrawalId>,
) -> Result<Result<(), Gone>, Fault> {
    let Ok(mut settled) = ask(&handle.actor, |reply| Settled { reply }).await else {
        return Ok(Err(Gone));
    };
    settled.retain(|made| only.is_none_or(|only| only == made.id));
    if settled.is_empty() {
        return Ok(Ok(()));
    }
    let mut gone: BTreeMap<_, _> = settled.into_iter().map(|made| (made.id, made)).collect();
    let rows = inventory.source.reserved(sku).await?;
    let known = rows
        .into_iter()
        .map(|row| (row.reach, gone.remove(&row.id)));
    let paid = known.filter(|(reach, _)| *reach != Reach::Share);
    let paid: Vec<_> = paid.filter_map(|(_, made)| made).collect();
    if !paid.is_empty() {
        tell(&handle.actor, Paid { paid });
    }
    let gone: Vec<_> = gone.into_values().collect();
    if !gone.is_empty() {
        tell(&handle.actor, WithoutRows { gone });
    }
    Ok(Ok(()))
}
