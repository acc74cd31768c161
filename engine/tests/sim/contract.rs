//! The contract of storage, kept by the simulated database in good weather: what the runs believe of
//! Postgres is what Postgres does.

use std::panic::{AssertUnwindSafe, catch_unwind};

use actix_rt::System;
use engine::testing::contract::{self, Subject};

use crate::{
    database::{Database, Link},
    dice::Dice,
    panics,
    power::Power,
    weather::Weather,
};

/// Checks every clause. Err: which one is not kept, and how that showed.
pub(crate) fn keep() -> Result<(), String> {
    kept(
        "every_kind_commits_and_is_found",
        contract::every_kind_commits_and_is_found,
    )?;
    kept(
        "references_are_per_balance_and_kind",
        contract::references_are_per_balance_and_kind,
    )?;
    kept(
        "refused_batches_have_their_class_and_write_nothing",
        contract::refused_batches_have_their_class_and_write_nothing,
    )?;
    kept(
        "existing_references_are_told_in_order",
        contract::existing_references_are_told_in_order,
    )?;
    kept("fence_ends_sessions", contract::fence_ends_sessions)?;
    kept("takeover_ends_owners", contract::takeover_ends_owners)?;
    kept("lanes_are_independent", contract::lanes_are_independent)?;
    kept(
        "balances_load_as_their_ledgers_end",
        contract::balances_load_as_their_ledgers_end,
    )?;
    kept(
        "imports_are_sold_in_the_order_of_their_numbers",
        contract::imports_are_sold_in_the_order_of_their_numbers,
    )?;
    kept(
        "windows_leave_out_what_is_claimed",
        contract::windows_leave_out_what_is_claimed,
    )?;
    kept(
        "withdrawals_claim_and_are_found",
        contract::withdrawals_claim_and_are_found,
    )?;
    kept(
        "withdrawals_are_made_once",
        contract::withdrawals_are_made_once,
    )?;
    kept(
        "serials_stand_where_their_import_says",
        contract::serials_stand_where_their_import_says,
    )?;
    kept(
        "reservations_are_told_until_they_end",
        contract::reservations_are_told_until_they_end,
    )?;
    kept(
        "reservations_are_of_the_owner_only",
        contract::reservations_are_of_the_owner_only,
    )?;
    Ok(())
}

fn kept(name: &str, clause: impl AsyncFnOnce(&Subject)) -> Result<(), String> {
    let told = catch_unwind(AssertUnwindSafe(|| check(clause)));
    let how = || panics::told().pop().unwrap_or_default();
    told.map_err(|_| format!("the contract of storage, {name}: {}", how()))
}

fn check(clause: impl AsyncFnOnce(&Subject)) {
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
