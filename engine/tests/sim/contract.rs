//! The contract of storage, kept by the simulated database in good weather: what the runs believe of
//! Postgres is what Postgres does.

use actix_rt::System;
use engine::testing::contract::{self, Subject};

use crate::{
    database::{Database, Link},
    dice::Dice,
    power::Power,
    weather::Weather,
};

/// Checks every clause.
///
/// # Panics
/// If one is not kept.
pub(crate) fn keep() {
    kept(contract::every_kind_commits_and_is_found);
    kept(contract::references_are_per_balance_and_kind);
    kept(contract::refused_batches_have_their_class_and_write_nothing);
    kept(contract::existing_references_are_told_in_order);
    kept(contract::fence_ends_sessions);
    kept(contract::takeover_ends_owners);
    kept(contract::lanes_are_independent);
    kept(contract::balances_load_as_their_ledgers_end);
    kept(contract::imports_are_sold_in_the_order_of_their_numbers);
    kept(contract::windows_leave_out_what_is_claimed);
    kept(contract::withdrawals_claim_and_are_found);
    kept(contract::withdrawals_are_made_once);
    kept(contract::serials_stand_where_their_import_says);
}

fn kept(clause: impl AsyncFnOnce(&Subject)) {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let builder = builder.enable_time().start_paused(true);
        builder.build().expect("a runtime")
    };
    System::with_tokio_rt(runtime).block_on(async {
        let weather = Weather::new(Dice::new(1), false);
        weather.calm();
        let power = Power::on(&weather);
        let subject = Subject::in_memory(|world| {
            let db = Database::new(world.store.clone(), &weather);
            Link::new(&db, &power)
        });
        clause(&subject).await;
    });
}
