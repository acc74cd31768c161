//! Serials that come onto their shelves, are kept for somebody, and leave them without an order.
//!
//! Keeps: all of it runs in tasks of the engine; what was begun goes on, whoever stops waiting.

use std::sync::Arc;

use super::Engine;
use crate::{
    catalog::Sku,
    clock::Deadline,
    config::ms,
    fault::Fault,
    fulfillments::fulfiller::Fulfiller,
    ids::{MerchantId, SerialId, WithdrawalId},
    inventory::{
        self, Pulled, Purpose, Reach, Removed, Reservation, ReserveCall, Reserved, ReservedAll,
        Reserver, Restock, Waiting, WithdrawalCall, Withdrawer,
    },
    merchants::Merchant,
    metrics,
};

/// How many serials of one sku there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stock {
    /// Unclaimed, those included that are held right now.
    pub stock: u64,
    /// What an order could have now: what nobody holds or has reserved.
    pub available: u64,
}

impl Engine {
    /// Puts a stored import on sale.
    pub async fn restock(&self, restock: Restock) -> Result<(), Fault> {
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let restocking = self.0.tasks.spawn(async move {
            let merchant = fulfiller.snapshots.merchant(restock.merchant).await?;
            let merchant = merchant.ok_or(Fault::Aborted {
                reason: "no such merchant",
            })?;
            inventory::restock(
                &fulfiller.inventory,
                &fulfiller.lanes,
                restock,
                &merchant.key,
            )
            .await
        });
        restocking.await.unwrap_or(Err(Fault::OutcomeUnknown))
    }

    /// Puts every stored import on sale that was left off it, and says how many there were. One that
    /// fails is left to the next call: it must keep neither the others off sale nor the engine from
    /// starting.
    pub async fn restock_waiting(&self) -> Result<usize, Fault> {
        let waiting = self.0.fulfiller.inventory.source.unnumbered().await?;
        let (count, mut left) = (waiting.len(), 0);
        for restock in waiting {
            if let Err(fault) = self.restock(restock).await {
                tracing::error!(import.id = %restock.import, "left an import off sale: {fault}");
                left += 1;
            }
        }
        metrics::imports_off_sale(left);
        Ok(count)
    }

    /// Takes those of these serials off the shelf that nobody has, once per id. Once it returns, none of
    /// them is sold any more.
    pub async fn remove(
        &self,
        call: WithdrawalCall,
        serials: Vec<SerialId>,
    ) -> Result<Removed, Fault> {
        let merchant = call.merchant;
        let removing = async move |fulfiller: Arc<Fulfiller>, merchant: Arc<Merchant>| {
            withdrawer(&fulfiller, &merchant, &call)
                .remove(serials)
                .await
        };
        self.withdrawing(merchant, removing).await
    }

    /// Takes so many serials from the front of the shelf, all or none, once per id. What is reserved under
    /// the id it has; what is reserved under others it leaves.
    pub async fn pull(
        &self,
        call: WithdrawalCall,
        purpose: Purpose,
        quantity: u32,
    ) -> Result<Pulled, Fault> {
        let deadline = Deadline::after(ms(self.0.config.claim_deadline_ms));
        let merchant = call.merchant;
        let pulling = async move |fulfiller: Arc<Fulfiller>, merchant: Arc<Merchant>| {
            let withdrawer = withdrawer(&fulfiller, &merchant, &call);
            withdrawer.pull(purpose, quantity, deadline).await
        };
        self.withdrawing(merchant, pulling).await
    }

    /// Keeps units of a shelf for the withdrawal of this id. Nobody else gets them while the reservation
    /// lives, nor while its row has no end.
    pub async fn reserve(&self, call: ReserveCall) -> Result<Reserved, Fault> {
        self.reserving(call, Reach::Shelf).await
    }

    /// The same of several shelves for somebody who has paid, for withdrawals of which some may have been executed: of
    /// all of them, or as far as the first that has too few, and what comes of that one. They are asked in the order
    /// of shelves, which is the same for everybody.
    pub async fn reserve_all(&self, mut calls: Vec<ReserveCall>) -> Result<ReservedAll, Fault> {
        calls.sort_unstable_by_key(|call| call.sku);
        let mut kept = Vec::with_capacity(calls.len());
        let mut calls = calls.into_iter();
        while let Some(call) = calls.next() {
            let source = &self.0.fulfiller.inventory.source;
            if source.withdrawal(call.id).await?.is_some() {
                continue;
            }
            match self.reserve(call).await? {
                Reserved::Held(reservation) => kept.push(reservation),
                Reserved::OutOfStock => {
                    let given_up = calls.collect();
                    return Ok(ReservedAll::Waits(self.wait(kept, call, given_up).await?));
                }
            }
        }
        Ok(ReservedAll::Held(kept))
    }

    /// Whoever has paid waits for this, keeps those and gives these up.
    pub async fn wait(
        &self,
        mut kept: Vec<Reservation>,
        at: ReserveCall,
        given_up: Vec<ReserveCall>,
    ) -> Result<Waiting, Fault> {
        kept.push(self.wait_for_stock(at).await?);
        Ok(Waiting { kept, at, given_up })
    }

    /// The same for somebody who has neither paid nor anybody's yes: out of a share of the shelf.
    pub async fn reserve_unpaid(&self, call: ReserveCall) -> Result<Reserved, Fault> {
        self.reserving(call, Reach::Share).await
    }

    /// The same for what was paid and refused: it waits for what comes, before anybody else but those that
    /// wait already.
    pub async fn wait_for_stock(&self, call: ReserveCall) -> Result<Reservation, Fault> {
        match self.reserving(call, Reach::Beyond).await? {
            Reserved::Held(reservation) => Ok(reservation),
            Reserved::OutOfStock => Err(Fault::Aborted {
                reason: "what is still to come was called out of stock",
            }),
        }
    }

    async fn reserving(&self, call: ReserveCall, reach: Reach) -> Result<Reserved, Fault> {
        let deadline = Deadline::after(ms(self.0.config.claim_deadline_ms));
        let reserving = async move |fulfiller: Arc<Fulfiller>, merchant: Arc<Merchant>| {
            let reserver = reserver(&fulfiller, &merchant);
            reserver.reserve(call, reach, deadline).await
        };
        self.withdrawing(call.merchant, reserving).await
    }

    /// What the row of a reservation says is durable: its end, so its units are free, or that somebody has paid for
    /// it, so they are in the share of those who have not no more. Repeating it is harmless; if it is left out or
    /// fails, memory finds it out a while later.
    pub async fn compare(
        &self,
        merchant: MerchantId,
        sku: Sku,
        id: WithdrawalId,
    ) -> Result<(), Fault> {
        let comparing = async move |fulfiller: Arc<Fulfiller>, merchant: Arc<Merchant>| {
            reserver(&fulfiller, &merchant).compare(sku, id).await
        };
        self.withdrawing(merchant, comparing).await
    }

    /// In a task of its own: what was begun goes on, whoever stops waiting.
    async fn withdrawing<T: Send + 'static, F>(
        &self,
        merchant: MerchantId,
        work: impl FnOnce(Arc<Fulfiller>, Arc<Merchant>) -> F + Send + 'static,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let withdrawing = self.0.tasks.spawn(async move {
            let merchant = fulfiller.snapshots.merchant(merchant).await?;
            let merchant = merchant.ok_or(Fault::Aborted {
                reason: "no such merchant",
            })?;
            work(fulfiller, merchant).await
        });
        withdrawing.await.unwrap_or(Err(Fault::OutcomeUnknown))
    }

    /// How many serials of a sku there are. The sku must be of this merchant.
    pub async fn stock(&self, merchant: MerchantId, sku: Sku) -> Result<Stock, Fault> {
        let merchant = self.merchant(merchant).await?;
        let merchant = merchant.ok_or(Fault::Aborted {
            reason: "no such merchant",
        })?;
        inventory::stock(&self.0.fulfiller.inventory, sku, &merchant.key).await
    }
}

const fn reserver<'a>(fulfiller: &'a Fulfiller, merchant: &'a Merchant) -> Reserver<'a> {
    Reserver {
        inventory: &fulfiller.inventory,
        lanes: &fulfiller.lanes,
        merchant,
    }
}

const fn withdrawer<'a>(
    fulfiller: &'a Fulfiller,
    merchant: &'a Merchant,
    call: &'a WithdrawalCall,
) -> Withdrawer<'a> {
    Withdrawer {
        inventory: &fulfiller.inventory,
        lanes: &fulfiller.lanes,
        merchant,
        sku: call.sku,
        id: call.id,
        by: call.by.as_ref(),
    }
}
