//! The memory store keeps the contract that Postgres keeps.

use std::sync::Arc;

use super::contract::{self, Subject};

fn kept(clause: impl AsyncFnOnce(&Subject)) {
    let subject = Subject::in_memory(|world| Arc::new(world.store.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(clause(&subject));
}

#[test]
fn every_kind_commits_and_is_found() {
    kept(contract::every_kind_commits_and_is_found);
}

#[test]
fn references_are_per_balance_and_kind() {
    kept(contract::references_are_per_balance_and_kind);
}

#[test]
fn refused_batches_have_their_class_and_write_nothing() {
    kept(contract::refused_batches_have_their_class_and_write_nothing);
}

#[test]
fn existing_references_are_told_in_order() {
    kept(contract::existing_references_are_told_in_order);
}

#[test]
fn fence_ends_sessions() {
    kept(contract::fence_ends_sessions);
}

#[test]
fn takeover_ends_owners() {
    kept(contract::takeover_ends_owners);
}

#[test]
fn lanes_are_independent() {
    kept(contract::lanes_are_independent);
}

#[test]
fn balances_load_as_their_ledgers_end() {
    kept(contract::balances_load_as_their_ledgers_end);
}

#[test]
fn imports_are_sold_in_the_order_of_their_numbers() {
    kept(contract::imports_are_sold_in_the_order_of_their_numbers);
}

#[test]
fn windows_leave_out_what_is_claimed() {
    kept(contract::windows_leave_out_what_is_claimed);
}

#[test]
fn withdrawals_claim_and_are_found() {
    kept(contract::withdrawals_claim_and_are_found);
}

#[test]
fn withdrawals_are_made_once() {
    kept(contract::withdrawals_are_made_once);
}

#[test]
fn serials_stand_where_their_import_says() {
    kept(contract::serials_stand_where_their_import_says);
}

#[test]
fn reservations_are_told_until_they_end() {
    kept(contract::reservations_are_told_until_they_end);
}

#[test]
fn reservations_are_of_the_owner_only() {
    kept(contract::reservations_are_of_the_owner_only);
}
