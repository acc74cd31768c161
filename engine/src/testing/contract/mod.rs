//! What both storages do, memory and Postgres: one suite, two subjects.
//!
//! Keeps: what the engine's tests believe of Postgres is what Postgres does. Each function wants a
//! subject of its own with an empty ledger and nothing on sale.

mod journal;
mod lanes;
mod reservations;
mod sources;
mod withdrawals;

use std::sync::Arc;

use super::World;

pub use journal::{
    every_kind_commits_and_is_found, existing_references_are_told_in_order, fence_ends_sessions,
    lanes_are_independent, references_are_per_balance_and_kind,
    refused_batches_have_their_class_and_write_nothing, takeover_ends_owners,
};
pub use reservations::{
    ReservationRows, reservations_are_of_the_owner_only, reservations_are_told_until_they_end,
};
pub use sources::{
    balances_load_as_their_ledgers_end, imports_are_sold_in_the_order_of_their_numbers,
    windows_leave_out_what_is_claimed,
};
pub use withdrawals::{
    serials_stand_where_their_import_says, withdrawals_are_made_once,
    withdrawals_claim_and_are_found,
};

use crate::{
    balances,
    catalog::Sku,
    ids::{BalanceId, RelationshipId},
    inventory::{self, Restock},
    journal::Journal,
};

/// A storage with one relationship, its two balances, and imports of four serials each that wait for
/// their numbers, in the order of their ids.
pub struct Subject {
    pub journal: Arc<dyn Journal>,
    pub balance_source: Arc<dyn balances::Source>,
    pub inventory_source: Arc<dyn inventory::Source>,
    pub reservations: Arc<dyn ReservationRows>,
    pub relationship: RelationshipId,
    pub balances: [BalanceId; 2],
    pub sku: Sku,
    pub imports: [Restock; 3],
}

impl Subject {
    /// What a clause wants, in a world of its own; `storage` is what the engine would meet of its store.
    pub fn in_memory<S>(storage: impl FnOnce(&World) -> Arc<S>) -> Self
    where
        S: Journal + balances::Source + inventory::Source,
    {
        let world = World::new().product("key", 0);
        world.store.tables().imports.clear();
        let mut imports = [(); 3].map(|()| world.store_import("key", 4, false));
        imports.sort_by_key(|restock| restock.import);
        let storage = storage(&world);
        Self {
            journal: storage.clone(),
            balance_source: storage.clone(),
            inventory_source: storage,
            reservations: Arc::new(world.store.clone()),
            relationship: world.relationship,
            balances: [BalanceId(1), BalanceId(2)],
            sku: world.sku("key"),
            imports,
        }
    }
}
