//! The store as the sources from which actors and snapshots are loaded.

use std::collections::BTreeMap;

use chrono::Datelike;
use futures_util::future::BoxFuture;
use tokio::task::yield_now;

use super::{Claimant, EntryRow, ImportRow, MemoryStore, Tables};
use crate::{
    balances::{self, Loaded, Spending},
    catalog::{self, Product, Sku},
    clock::Timestamp,
    fault::Fault,
    ids::{
        BalanceId, ImportId, KeyId, MerchantId, ProductId, RelationshipId, SerialId, WithdrawalId,
    },
    inventory::{
        self, Position, ReservedUnits, Restock, ShelvedSerial, Standing, Withdrawal, import::Import,
    },
    merchants::{self, Merchant},
    money::Money,
    relationships::{self, Terms},
};

impl merchants::Source for MemoryStore {
    fn find(&self, id: MerchantId) -> BoxFuture<'_, Result<Option<Merchant>, Fault>> {
        Box::pin(async move {
            yield_now().await;
            Ok(self.tables().merchants.get(&id).cloned())
        })
    }
}

impl relationships::Source for MemoryStore {
    fn find(&self, id: RelationshipId) -> BoxFuture<'_, Result<Option<Terms>, Fault>> {
        Box::pin(async move {
            yield_now().await;
            Ok(self.tables().terms.get(&id).cloned())
        })
    }
}

impl catalog::Source for MemoryStore {
    fn find(&self, id: ProductId) -> BoxFuture<'_, Result<Option<Product>, Fault>> {
        Box::pin(async move {
            yield_now().await;
            Ok(self.tables().products.get(&id).cloned())
        })
    }
}

impl balances::Source for MemoryStore {
    fn load(&self, id: BalanceId, now: Timestamp) -> BoxFuture<'_, Result<Option<Loaded>, Fault>> {
        Box::pin(async move {
            yield_now().await;
            self.0.loads.pass().await;
            if let Some(fault) = self.faults().loads.pop_front() {
                return Err(fault);
            }
            let tables = self.tables();
            let Some(&relationship) = tables.balances.get(&id) else {
                return Ok(None);
            };
            let last = tables.ledger(id).next_back().map(EntryRow::stamp);
            Ok(Some(Loaded {
                relationship,
                version: last.map_or(0, |stamp| stamp.version),
                posted: last.map_or(Money::ZERO, |stamp| stamp.balance_after),
                spending: spending(&tables, id, now),
            }))
        })
    }
}

/// What the ledger says was bought on the day and in the month of `now`.
fn spending(tables: &Tables, id: BalanceId, now: Timestamp) -> Spending {
    let (mut today, mut month) = (Money::ZERO, Money::ZERO);
    let mut keys_today = BTreeMap::<KeyId, Money>::new();
    let add = |sum: &mut Money, cost| *sum = sum.checked_add(cost).expect("a bounded sum");
    for row in tables.ledger(id) {
        let EntryRow::Fulfillment(bought) = row else {
            continue;
        };
        let (at, cost) = (bought.stamp.created_at, bought.contents.total);
        if (at.year(), at.month()) == (now.year(), now.month()) {
            add(&mut month, cost);
        }
        if at.date_naive() == now.date_naive() {
            add(&mut today, cost);
            add(keys_today.entry(bought.contents.key).or_default(), cost);
        }
    }
    Spending {
        day: now.date_naive(),
        today,
        month,
        keys_today,
    }
}

/// The unclaimed serials of a sku after a position, in the order in which they are sold.
fn shelved(
    tables: &Tables,
    sku: Sku,
    after: Option<Position>,
) -> impl Iterator<Item = ShelvedSerial> {
    let mut on_sale: Vec<(i64, ImportId, &ImportRow)> = tables
        .imports
        .iter()
        .filter(|(_, import)| import.sku == sku)
        .filter_map(|(&id, import)| {
            let beside = crate::sabotage::breaks("fetch_without_number").then_some(i64::MAX);
            Some((import.number.or(beside)?, id, import))
        })
        .filter(|(number, ..)| after.is_none_or(|after| *number >= after.number))
        .collect();
    on_sale.sort_by_key(|(number, ..)| *number);
    let serials = on_sale.into_iter().flat_map(move |(number, id, import)| {
        let first = after.filter(|after| after.number == number);
        let first = first.map_or(0, |after| after.serial.ordinal() + 1);
        let ordinals = first..u32::try_from(import.serials.len()).expect("a bounded import");
        ordinals.map(move |ordinal| ShelvedSerial {
            position: Position {
                number,
                serial: id.serial(ordinal),
            },
            sealed: import.serials[ordinal as usize].clone(),
        })
    });
    serials.filter(|serial| !tables.claims.contains_key(&serial.position.serial))
}

/// Where a serial stands, as seen from one shelf of its merchant.
fn standing(tables: &Tables, (merchant, sku): (MerchantId, Sku), serial: SerialId) -> Standing {
    let import = tables.imports.get(&serial.import());
    let Some(import) = import.filter(|import| import.merchant == merchant) else {
        return Standing::Unknown;
    };
    let Some(sealed) = import.serials.get(serial.ordinal() as usize) else {
        return Standing::Unknown;
    };
    if import.sku != sku {
        return Standing::OtherProduct;
    }
    if tables.claims.contains_key(&serial) {
        return Standing::Claimed;
    }
    import.number.map_or(Standing::NotOnSale, |number| {
        Standing::Free(ShelvedSerial {
            position: Position { number, serial },
            sealed: sealed.clone(),
        })
    })
}

impl inventory::Source for MemoryStore {
    fn fetch(
        &self,
        sku: Sku,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ShelvedSerial>, Fault>> {
        Box::pin(async move {
            yield_now().await;
            let panics = self.faults().fetch_panics.checked_sub(1);
            if let Some(left) = panics {
                self.faults().fetch_panics = left;
                panic!("a defect in a source");
            }
            let fault = self.faults().fetches.pop_front();
            let read = shelved(&self.tables(), sku, after).take(limit).collect();
            self.0.fetches.pass().await;
            fault.map_or(Ok(read), Err)
        })
    }

    fn count(&self, sku: Sku, after: Option<Position>) -> BoxFuture<'_, Result<u64, Fault>> {
        Box::pin(async move {
            yield_now().await;
            Ok(shelved(&self.tables(), sku, after).count() as u64)
        })
    }

    fn count_to(
        &self,
        sku: Sku,
        after: Option<Position>,
        most: usize,
    ) -> BoxFuture<'_, Result<usize, Fault>> {
        Box::pin(async move {
            yield_now().await;
            let fault = self.faults().counts.pop_front();
            let counted = shelved(&self.tables(), sku, after).take(most).count();
            self.0.fetches.pass().await;
            fault.map_or(Ok(counted), Err)
        })
    }

    fn quarantine(&self, serial: SerialId) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async move {
            yield_now().await;
            self.tables()
                .claims
                .entry(serial)
                .or_insert(Claimant::Quarantine);
            Ok(())
        })
    }

    fn rehearse(&self, import: Import) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async move {
            yield_now().await;
            let row = ImportRow {
                merchant: import.merchant,
                sku: import.target.sku,
                number: None,
                test: true,
                serials: import.serials.into_iter().map(|one| one.sealed).collect(),
            };
            self.tables().imports.insert(import.target.import, row);
            Ok(())
        })
    }

    fn standing(
        &self,
        merchant: MerchantId,
        sku: Sku,
        serials: Vec<SerialId>,
    ) -> BoxFuture<'_, Result<Vec<Standing>, Fault>> {
        Box::pin(async move {
            yield_now().await;
            let tables = self.tables();
            let standing = |serial| standing(&tables, (merchant, sku), serial);
            Ok(serials.into_iter().map(standing).collect())
        })
    }

    fn withdrawal(&self, id: WithdrawalId) -> BoxFuture<'_, Result<Option<Withdrawal>, Fault>> {
        Box::pin(async move {
            yield_now().await;
            Ok(self
                .tables()
                .withdrawals
                .get(&id)
                .map(|row| (**row).clone()))
        })
    }

    fn reserved(&self, sku: Sku) -> BoxFuture<'_, Result<Vec<ReservedUnits>, Fault>> {
        Box::pin(async move {
            self.stored(sku).await;
            Ok(self.tables().reserved(sku))
        })
    }

    fn unnumbered(&self) -> BoxFuture<'_, Result<Vec<Restock>, Fault>> {
        Box::pin(async move {
            yield_now().await;
            let tables = self.tables();
            let waiting = tables
                .imports
                .iter()
                .filter(|(_, import)| import.number.is_none() && !import.test);
            let restock = |(&id, import): (_, &ImportRow)| Restock {
                merchant: import.merchant,
                sku: import.sku,
                import: id,
            };
            Ok(waiting.map(restock).collect())
        })
    }
}
