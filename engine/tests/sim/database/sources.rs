//! What actors and snapshots are loaded from: read at one instant, told at a later one, or not at all.

use std::time::Duration;

use engine::{
    balances::{self, Loaded},
    catalog::{self, Product, Sku},
    clock::Timestamp,
    fault::Fault,
    ids::{BalanceId, MerchantId, ProductId, RelationshipId, SerialId, WithdrawalId},
    inventory::{
        self, Position, ReservedUnits, Restock, ShelvedSerial, Standing, Withdrawal, import::Import,
    },
    merchants::{self, Merchant},
    relationships::{self, Terms},
    verifier::{self, Line},
};
use futures_util::future::BoxFuture;
use tokio::time::sleep;

use super::Link;
use crate::tally::{Call, Kind, Sometimes};

/// Longer than any claim waits for the shelf.
const CLAIM_DEADLINE_MAX: Duration = Duration::from_secs(2);

impl Link {
    /// Reads on a connection of the pool.
    async fn read<T>(&self, read: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let gone = |_| Fault::Unavailable;
        self.power.gate(Call::Read).await.map_err(gone)?;
        self.power
            .alive(Call::Read, self.latency())
            .await
            .map_err(gone)?;
        if !self.db.is_up() {
            return Err(Fault::Unavailable);
        }
        let read = self.power.alive(Call::Read, read).await.map_err(gone)?;
        self.power
            .alive(Call::Read, self.latency())
            .await
            .map_err(gone)?;
        read
    }
}

impl merchants::Source for Link {
    fn find(&self, id: MerchantId) -> BoxFuture<'_, Result<Option<Merchant>, Fault>> {
        Box::pin(self.read(merchants::Source::find(&self.db.store, id)))
    }
}

impl relationships::Source for Link {
    fn find(&self, id: RelationshipId) -> BoxFuture<'_, Result<Option<Terms>, Fault>> {
        Box::pin(self.read(relationships::Source::find(&self.db.store, id)))
    }
}

impl catalog::Source for Link {
    fn find(&self, id: ProductId) -> BoxFuture<'_, Result<Option<Product>, Fault>> {
        Box::pin(self.read(catalog::Source::find(&self.db.store, id)))
    }
}

impl balances::Source for Link {
    fn load(&self, id: BalanceId, now: Timestamp) -> BoxFuture<'_, Result<Option<Loaded>, Fault>> {
        Box::pin(async move {
            if self.weather().strikes(Kind::LoadFailed, 50) {
                return Err(Fault::Unavailable);
            }
            self.read(balances::Source::load(&self.db.store, id, now))
                .await
        })
    }
}

impl inventory::Source for Link {
    fn fetch(
        &self,
        sku: Sku,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ShelvedSerial>, Fault>> {
        Box::pin(async move {
            let dice = &self.weather().dice;
            if self.weather().strikes(Kind::FetchFailed, 40) {
                return Err(Fault::Unavailable);
            }
            if self.weather().strikes(Kind::FetchLate, 30) {
                let late = dice.millis(100, 3000);
                if late > CLAIM_DEADLINE_MAX {
                    self.weather().reached(Sometimes::ParkedTooLong);
                }
                sleep(late).await;
            }
            let stale = self.weather().strikes(Kind::FetchStale, 60);
            let read = inventory::Source::fetch(&self.db.store, sku, after, limit);
            let read = self.read(read).await;
            if stale {
                sleep(dice.millis(5, 1500)).await;
            }
            read
        })
    }

    fn count(&self, sku: Sku, after: Option<Position>) -> BoxFuture<'_, Result<u64, Fault>> {
        Box::pin(self.read(inventory::Source::count(&self.db.store, sku, after)))
    }

    fn count_to(
        &self,
        sku: Sku,
        after: Option<Position>,
        most: usize,
    ) -> BoxFuture<'_, Result<usize, Fault>> {
        Box::pin(async move {
            let dice = &self.weather().dice;
            if self.weather().strikes(Kind::CountFailed, 100) {
                return Err(Fault::Unavailable);
            }
            let stale = self.weather().strikes(Kind::FetchStale, 60);
            let counted = inventory::Source::count_to(&self.db.store, sku, after, most);
            let counted = self.read(counted).await;
            if stale {
                sleep(dice.millis(5, 1500)).await;
            }
            counted
        })
    }

    fn quarantine(&self, serial: SerialId) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(self.read(inventory::Source::quarantine(&self.db.store, serial)))
    }

    fn rehearse(&self, import: Import) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(self.read(inventory::Source::rehearse(&self.db.store, import)))
    }

    fn standing(
        &self,
        merchant: MerchantId,
        sku: Sku,
        serials: Vec<SerialId>,
    ) -> BoxFuture<'_, Result<Vec<Standing>, Fault>> {
        let store = &self.db.store;
        Box::pin(self.read(inventory::Source::standing(store, merchant, sku, serials)))
    }

    fn withdrawal(&self, id: WithdrawalId) -> BoxFuture<'_, Result<Option<Withdrawal>, Fault>> {
        Box::pin(self.read(inventory::Source::withdrawal(&self.db.store, id)))
    }

    fn reserved(&self, sku: Sku) -> BoxFuture<'_, Result<Vec<ReservedUnits>, Fault>> {
        Box::pin(self.read(inventory::Source::reserved(&self.db.store, sku)))
    }

    fn unnumbered(&self) -> BoxFuture<'_, Result<Vec<Restock>, Fault>> {
        Box::pin(async move {
            let read = self
                .read(inventory::Source::unnumbered(&self.db.store))
                .await;
            if read.as_ref().is_ok_and(|waiting| !waiting.is_empty()) {
                self.weather().struck(Kind::ImportUnnumbered);
            }
            read
        })
    }
}

impl verifier::Source for Link {
    fn next(
        &self,
        after: Option<BalanceId>,
    ) -> BoxFuture<'_, Result<Option<(BalanceId, i64)>, Fault>> {
        Box::pin(self.read(verifier::Source::next(&self.db.store, after)))
    }

    fn lines(
        &self,
        balance: BalanceId,
        from: i64,
        through: i64,
    ) -> BoxFuture<'_, Result<Vec<Line>, Fault>> {
        let lines = verifier::Source::lines(&self.db.store, balance, from, through);
        Box::pin(self.read(lines))
    }

    fn claimed(&self, serials: Vec<SerialId>) -> BoxFuture<'_, Result<Vec<SerialId>, Fault>> {
        Box::pin(self.read(verifier::Source::claimed(&self.db.store, serials)))
    }
}
