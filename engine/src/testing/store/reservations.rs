//! Reservations as rows: stored by the owner of the shard only, and waited for while they are.

use std::collections::BTreeMap;

use futures_util::future::{BoxFuture, ready};

use super::{MemoryStore, Tables};
use crate::{
    catalog::Sku,
    ids::WithdrawalId,
    inventory::{Reach, Reservation, ReserveCall, ReservedUnits},
    journal::Owner,
    testing::contract::ReservationRows,
};

/// Units kept for the withdrawal of this row's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationRow {
    pub sku: Sku,
    pub quantity: u32,
    pub reach: Reach,
    /// In which order they were made.
    pub number: usize,
    pub ended: bool,
}

/// A transaction that stores a reservation. As long as it lives, whoever reads what is reserved waits.
pub struct Storing {
    store: MemoryStore,
    sku: Sku,
}

impl Drop for Storing {
    fn drop(&mut self) {
        self.store.0.storing.send_modify(|storing| {
            let left = storing.get_mut(&self.sku).expect("it was counted");
            *left -= 1;
            if *left == 0 {
                storing.remove(&self.sku);
            }
        });
    }
}

impl MemoryStore {
    /// Begins to store a reservation of a shelf.
    pub fn storing(&self, sku: Sku) -> Storing {
        let count = |storing: &mut BTreeMap<Sku, usize>| *storing.entry(sku).or_default() += 1;
        self.0.storing.send_modify(count);
        let store = self.clone();
        Storing { store, sku }
    }

    /// Returns once no transaction stores a reservation of the shelf.
    pub(super) async fn stored(&self, sku: Sku) {
        let mut storing = self.0.storing.subscribe();
        // The sender lives as long as `self`.
        drop(
            storing
                .wait_for(|storing| !storing.contains_key(&sku))
                .await,
        );
    }
}

impl ReservationRows for MemoryStore {
    fn store(&self, reservation: Reservation) -> BoxFuture<'_, bool> {
        let stored = self.tables().reserve(&reservation);
        if stored {
            drop(reservation.stored());
        }
        Box::pin(ready(stored))
    }

    fn end(&self, id: WithdrawalId) -> BoxFuture<'_, bool> {
        Box::pin(ready(self.tables().end_reservation(id)))
    }

    fn pay(&self, id: WithdrawalId) -> BoxFuture<'_, ()> {
        self.tables().pay_reservation(id);
        Box::pin(ready(()))
    }
}

impl Tables {
    /// Stores a reservation; false if whoever made it does not own the shard any more.
    pub fn reserve(&mut self, reservation: &Reservation) -> bool {
        let own = self.is_owner(reservation.owner());
        if own {
            self.insert_reservation(reservation.call(), reservation.reach());
        }
        own
    }

    pub fn is_owner(&self, owner: Owner) -> bool {
        self.owners.last() == Some(&owner)
    }

    /// Writes a row, or begins it anew; one that has no end keeps its place.
    pub fn insert_reservation(&mut self, call: &ReserveCall, reach: Reach) {
        let before = self.reservations.get(&call.id).filter(|row| !row.ended);
        let (reach, number) = before.map_or((reach, self.reservations_made), |row| {
            (row.reach, row.number)
        });
        let row = ReservationRow {
            sku: call.sku,
            quantity: call.quantity,
            reach,
            number,
            ended: false,
        };
        self.reservations_made += 1;
        self.reservations.insert(call.id, row);
    }

    /// Ends a reservation; false if there is none, or it ended before.
    pub fn end_reservation(&mut self, id: WithdrawalId) -> bool {
        let row = self.reservations.get_mut(&id);
        row.is_some_and(|row| !std::mem::replace(&mut row.ended, true))
    }

    /// Somebody paid for one that has no end: it is in no share, and the last of those that are not.
    pub fn pay_reservation(&mut self, id: WithdrawalId) {
        let row = self.reservations.get_mut(&id);
        if let Some(row) = row.filter(|row| !row.ended && row.reach == Reach::Share) {
            (row.reach, row.number) = (Reach::Shelf, self.reservations_made);
            self.reservations_made += 1;
        }
    }

    /// Reservations of a shelf without an end, whose withdrawals were not made, in their order.
    pub fn reserved(&self, sku: Sku) -> Vec<ReservedUnits> {
        let of_shelf = self
            .reservations
            .iter()
            .filter(|(id, row)| row.sku == sku && !row.ended && !self.withdrawals.contains_key(id));
        let mut rows: Vec<_> = of_shelf.collect();
        rows.sort_by_key(|(_, row)| (row.reach, row.number));
        let units = |(id, row): (&WithdrawalId, &ReservationRow)| ReservedUnits {
            id: *id,
            quantity: row.quantity,
            reach: row.reach,
        };
        rows.into_iter().map(units).collect()
    }
}
