//! Postgres keeps the contract that the memory store of the engine's tests keeps.

use std::sync::Arc;

use engine::{
    ids::WithdrawalId,
    inventory::{Ending, Reservation},
    testing::contract::{self, ReservationRows, Subject},
};
use futures_util::future::BoxFuture;
use persistence::{
    Database,
    balances::PgBalances,
    inventory::{PgInventory, reservations},
};

use crate::ground::{Ground, at};

/// Each in a transaction of its own.
struct PgReservations(Database);

impl ReservationRows for PgReservations {
    fn store(&self, reservation: Reservation) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let mut tx = self.0.begin().await.unwrap();
            // In the order in which they are stored.
            let (now,): (_,) = sqlx::query_as("SELECT clock_timestamp()")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            match reservations::insert(&mut tx, reservation, now).await {
                Ok(_) => {
                    tx.commit().await.unwrap();
                    true
                }
                Err(_) => false,
            }
        })
    }

    fn end(&self, id: WithdrawalId) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let mut tx = self.0.begin().await.unwrap();
            let ended = reservations::end(&mut tx, id, Ending::Expired, at(5)).await;
            tx.commit().await.unwrap();
            ended.unwrap()
        })
    }

    fn pay(&self, id: WithdrawalId) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut tx = self.0.begin().await.unwrap();
            let (now,): (_,) = sqlx::query_as("SELECT clock_timestamp()")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            reservations::paid(&mut tx, id, now).await.unwrap();
            tx.commit().await.unwrap();
        })
    }
}

async fn kept(clause: impl AsyncFnOnce(&Subject)) {
    let ground = Ground::new().await;
    let mut imports = [
        ground.import(4).await,
        ground.import(4).await,
        ground.import(4).await,
    ];
    imports.sort_by_key(|restock| restock.import);
    let subject = Subject {
        journal: Arc::new(ground.journal()),
        balance_source: Arc::new(PgBalances::new(ground.db.clone())),
        inventory_source: Arc::new(PgInventory::new(ground.db.clone())),
        reservations: Arc::new(PgReservations(ground.db.clone())),
        relationship: ground.relationship,
        balances: ground.balances,
        sku: ground.sku,
        imports,
    };
    clause(&subject).await;
}

#[tokio::test]
async fn every_kind_commits_and_is_found() {
    kept(contract::every_kind_commits_and_is_found).await;
}

#[tokio::test]
async fn references_are_per_balance_and_kind() {
    kept(contract::references_are_per_balance_and_kind).await;
}

#[tokio::test]
async fn refused_batches_have_their_class_and_write_nothing() {
    kept(contract::refused_batches_have_their_class_and_write_nothing).await;
}

#[tokio::test]
async fn existing_references_are_told_in_order() {
    kept(contract::existing_references_are_told_in_order).await;
}

#[tokio::test]
async fn fence_ends_sessions() {
    kept(contract::fence_ends_sessions).await;
}

#[tokio::test]
async fn takeover_ends_owners() {
    kept(contract::takeover_ends_owners).await;
}

#[tokio::test]
async fn lanes_are_independent() {
    kept(contract::lanes_are_independent).await;
}

#[tokio::test]
async fn balances_load_as_their_ledgers_end() {
    kept(contract::balances_load_as_their_ledgers_end).await;
}

#[tokio::test]
async fn imports_are_sold_in_the_order_of_their_numbers() {
    kept(contract::imports_are_sold_in_the_order_of_their_numbers).await;
}

#[tokio::test]
async fn windows_leave_out_what_is_claimed() {
    kept(contract::windows_leave_out_what_is_claimed).await;
}

#[tokio::test]
async fn withdrawals_claim_and_are_found() {
    kept(contract::withdrawals_claim_and_are_found).await;
}

#[tokio::test]
async fn withdrawals_are_made_once() {
    kept(contract::withdrawals_are_made_once).await;
}

#[tokio::test]
async fn serials_stand_where_their_import_says() {
    kept(contract::serials_stand_where_their_import_says).await;
}

#[tokio::test]
async fn reservations_are_told_until_they_end() {
    kept(contract::reservations_are_told_until_they_end).await;
}

#[tokio::test]
async fn reservations_are_of_the_owner_only() {
    kept(contract::reservations_are_of_the_owner_only).await;
}
