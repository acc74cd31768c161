//! Reservations on the whole engine: against orders, crashes, commits that fail, and each other.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    actors::{Poison, ask::tell},
    fault::Fault,
    fulfillments::Refusal,
    ids::WithdrawalId,
    inventory::{
        Kept, Pulled, Purpose, Reservation, ReserveCall, Reserved, Restock, Stored, WithdrawalCall,
    },
    journal::{Failure, Owner},
    testing::{
        CommitFault, Scene, World,
        outcomes::{fault, fresh, refusal},
        restarted, scene,
    },
};

fn world(serials: u32) -> World {
    World::new().product("key", serials).balance("500.00")
}

fn id(number: u128) -> WithdrawalId {
    WithdrawalId::from_uuid(uuid::Uuid::from_u128(number))
}

async fn reserve(scene: &Scene, number: u128, quantity: u32) -> Result<Reserved, Fault> {
    let call = ReserveCall {
        id: id(number),
        merchant: scene.world.merchant.id,
        sku: scene.world.sku("key"),
        quantity,
    };
    scene.engine.reserve(call).await
}

/// A paid invoice for which there was nothing waits.
async fn waits(scene: &Scene, number: u128, quantity: u32) {
    assert_eq!(
        redeem(scene, number, quantity).await,
        Ok(Pulled::OutOfStock)
    );
    let call = ReserveCall {
        id: id(number),
        merchant: scene.world.merchant.id,
        sku: scene.world.sku("key"),
        quantity,
    };
    let waits = scene.engine.wait_for_stock(call).await;
    drop(store(scene, waits.expect("whatever there is")));
}

async fn import(scene: &Scene, serials: u32) {
    let import: Restock = scene.world.store_import("key", serials, false);
    scene.engine.restock(import).await.expect("numbered");
}

async fn held(scene: &Scene, number: u128, quantity: u32) -> Reservation {
    match reserve(scene, number, quantity).await {
        Ok(Reserved::Held(reservation)) => reservation,
        other => panic!("not reserved: {other:?}"),
    }
}

/// Stores the row, as the cold path does.
fn store(scene: &Scene, reservation: Reservation) -> Stored {
    let store = &scene.world.store;
    let storing = store.storing(reservation.call().sku);
    assert!(store.tables().reserve(&reservation), "it owns the shard");
    let stored = reservation.stored();
    drop(storing);
    stored
}

async fn stored(scene: &Scene, number: u128, quantity: u32) {
    drop(store(scene, held(scene, number, quantity).await));
}

/// Ends the row, and lets the engine know.
async fn end(scene: &Scene, number: u128) {
    assert!(scene.world.store.tables().end_reservation(id(number)));
    let (merchant, sku) = (scene.world.merchant.id, scene.world.sku("key"));
    let released = scene.engine.compare(merchant, sku, id(number)).await;
    assert_eq!(released, Ok(()));
}

async fn redeem(scene: &Scene, number: u128, quantity: u32) -> Result<Pulled, Fault> {
    let call = WithdrawalCall {
        id: id(number),
        merchant: scene.world.merchant.id,
        sku: scene.world.sku("key"),
        by: None,
    };
    scene.engine.pull(call, Purpose::Sale, quantity).await
}

async fn redeemed(scene: &Scene, number: u128, quantity: u32) -> usize {
    match redeem(scene, number, quantity).await {
        Ok(Pulled::Serials(serials)) => serials.len(),
        other => panic!("not redeemed: {other:?}"),
    }
}

async fn out_of_stock(scene: &Scene, order: &str, quantity: u32) {
    let product = scene.world.sku("key").product;
    let refused = refusal(scene.fulfill(order, &[("key", quantity)]).await);
    assert_eq!(refused, Refusal::OutOfStock { product });
}

async fn available(scene: &Scene) -> (u64, u64) {
    sleep(Duration::from_millis(1)).await;
    let stock = scene.stock("key").await;
    (stock.stock, stock.available)
}

#[test]
fn reserved_units_are_sold_to_their_invoice_and_to_nobody_else() {
    scene(&world(4), async |scene| {
        stored(&scene, 1, 3).await;
        assert_eq!(available(&scene).await, (4, 1));
        out_of_stock(&scene, "A-1", 2).await;
        assert!(matches!(
            reserve(&scene, 2, 2).await,
            Ok(Reserved::OutOfStock)
        ));
        fresh(scene.fulfill("A-2", &[("key", 1)]).await);
        assert_eq!(redeem(&scene, 9, 1).await, Ok(Pulled::OutOfStock));
        assert_eq!(redeemed(&scene, 1, 3).await, 3);
        assert_eq!(redeemed(&scene, 1, 3).await, 3, "once per id");
        assert_eq!(available(&scene).await, (0, 0));
        scene.check_at_rest().await;
    });
}

#[test]
fn units_are_free_when_the_invoice_ends_or_was_never_stored() {
    scene(&world(2), async |scene| {
        drop(held(&scene, 1, 2).await);
        stored(&scene, 2, 2).await;
        end(&scene, 2).await;
        end_again(&scene, 2).await;
        store(&scene, held(&scene, 3, 2).await).aborted();
        scene.world.store.tables().reservations.remove(&id(3));
        fresh(scene.fulfill("A-1", &[("key", 2)]).await);
        scene.check_at_rest().await;
    });
}

async fn end_again(scene: &Scene, number: u128) {
    let (merchant, sku) = (scene.world.merchant.id, scene.world.sku("key"));
    let released = scene.engine.compare(merchant, sku, id(number)).await;
    assert_eq!(released, Ok(()));
}

#[test]
fn late_payment_takes_what_is_free() {
    scene(&world(3), async |scene| {
        stored(&scene, 1, 2).await;
        end(&scene, 1).await;
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        scene.check_at_rest().await;
    });
}

#[test]
fn reservation_stands_again_when_its_withdrawal_is_not_executed() {
    scene(&world(2), async |scene| {
        stored(&scene, 1, 2).await;
        let faults = [Some(CommitFault::Fails(Failure::Full))];
        scene.world.store.faults().commits = faults.into();
        let fault = redeem(&scene, 1, 2).await;
        assert!(matches!(fault, Err(Fault::Overloaded { .. })), "{fault:?}");
        sleep(Duration::from_secs(2)).await;
        out_of_stock(&scene, "A-1", 1).await;
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        scene.check_at_rest().await;
    });
}

#[test]
fn second_call_of_a_withdrawal_under_way_is_not_told_that_there_is_nothing() {
    scene(&world(2), async |scene| {
        stored(&scene, 1, 2).await;
        scene.world.store.hold_commits();
        let second = async {
            scene.world.store.commit_waits().await;
            let second = redeem(&scene, 1, 2).await;
            scene.world.store.let_commits();
            second
        };
        let (first, second) = tokio::join!(redeemed(&scene, 1, 2), second);
        assert_eq!((first, second), (2, Err(Fault::OutcomeUnknown)));
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        scene.check_at_rest().await;
    });
}

#[test]
fn invoice_that_expires_while_it_is_delivered_keeps_nothing() {
    for fails in [false, true] {
        scene(&world(2), async |scene| {
            stored(&scene, 1, 2).await;
            let store = &scene.world.store;
            if fails {
                store.faults().commits = [Some(CommitFault::Fails(Failure::Full))].into();
            }
            store.hold_commits();
            let expiry = async {
                store.commit_waits().await;
                end(&scene, 1).await;
                store.let_commits();
            };
            let (delivered, ()) = tokio::join!(redeem(&scene, 1, 2), expiry);
            assert_eq!(delivered.is_err(), fails, "{delivered:?}");
            sleep(Duration::from_secs(2)).await;
            let free = if fails { 2 } else { 0 };
            assert_eq!(available(&scene).await, (free, free));
        });
    }
}

#[test]
fn reservations_outlive_the_actor_and_the_process() {
    scene(&world(3), async |scene| {
        stored(&scene, 1, 2).await;
        let inventory = &scene.engine.fulfiller().inventory;
        let (sku, key) = (scene.world.sku("key"), &scene.world.merchant.key);
        let handle = inventory.handle(sku, key).await.expect("a shelf");
        tell(&handle.actor, Poison);
        out_of_stock(&scene, "A-1", 2).await;
        let scene = restarted(scene).await;
        out_of_stock(&scene, "A-2", 2).await;
        fresh(scene.fulfill("A-3", &[("key", 1)]).await);
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        let scene = restarted(scene).await;
        scene.check_at_rest().await;
    });
}

#[test]
fn actor_is_not_loaded_while_a_row_is_being_stored() {
    scene(&world(2), async |scene| {
        let reservation = held(&scene, 1, 2).await;
        let inventory = &scene.engine.fulfiller().inventory;
        let (sku, key) = (scene.world.sku("key"), &scene.world.merchant.key);
        let handle = inventory.handle(sku, key).await.expect("a shelf");
        tell(&handle.actor, Poison);
        let storing = scene.world.store.storing(sku);
        let row = async {
            sleep(Duration::from_millis(100)).await;
            assert!(scene.world.store.tables().reserve(&reservation));
            // The answer to the commit comes before whoever reads may pass.
            drop(reservation.stored());
            drop(storing);
        };
        tokio::join!(out_of_stock(&scene, "A-1", 1), row);
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        scene.check_at_rest().await;
    });
}

#[test]
fn units_whose_row_never_came_to_be_are_free_after_a_comparison() {
    let world = world(2).configure(|config| config.idle_ms = 1000);
    scene(&world, async |scene| {
        stored(&scene, 1, 1).await;
        // The answer to its commit was lost, and it was undone.
        drop(held(&scene, 2, 1).await.stored());
        assert_eq!(available(&scene).await, (2, 0));
        // In use all the time, the shelf is never loaded anew.
        for _ in 0..30 {
            sleep(Duration::from_millis(100)).await;
            assert!(scene.stock("key").await.available <= 1);
        }
        assert_eq!(available(&scene).await, (2, 1));
        assert_eq!(redeemed(&scene, 1, 1).await, 1);
        scene.check_at_rest().await;
    });
}

#[test]
fn row_of_an_owner_that_was_replaced_is_not_stored() {
    scene(&world(2), async |scene| {
        let reservation = held(&scene, 1, 2).await;
        let other = Owner(uuid::Uuid::from_u128(7));
        let mut tables = scene.world.store.tables();
        tables.take_over(other, 1);
        assert!(!tables.reserve(&reservation));
    });
}

#[test]
fn serials_are_not_removed_from_under_a_reservation() {
    scene(&world(4), async |scene| {
        stored(&scene, 1, 2).await;
        // Nothing of the shelf was read since.
        let scene = restarted(scene).await;
        let all: Vec<_> = {
            let tables = scene.world.store.tables();
            let import = tables.imports.keys().next().expect("an import");
            (0..4).map(|ordinal| import.serial(ordinal)).collect()
        };
        let call = WithdrawalCall {
            id: id(5),
            merchant: scene.world.merchant.id,
            sku: scene.world.sku("key"),
            by: None,
        };
        let removed = scene.engine.remove(call, all.clone()).await;
        let removed = removed.expect("answered");
        assert_eq!(removed.removed, all[..2]);
        assert_eq!(removed.kept, [(all[2], Kept::Held), (all[3], Kept::Held)]);
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        scene.check_at_rest().await;
    });
}

#[test]
fn removal_that_runs_keeps_nobody_from_what_is_free() {
    let world = world(30).configure(|config| config.window_serials_min = 4);
    scene(&world, async |scene| {
        stored(&scene, 1, 2).await;
        let scene = restarted(scene).await;
        let store = &scene.world.store;
        let named: Vec<_> = {
            let tables = store.tables();
            let import = tables.imports.keys().next().expect("an import");
            (20..22).map(|ordinal| import.serial(ordinal)).collect()
        };
        let call = WithdrawalCall {
            id: id(5),
            merchant: scene.world.merchant.id,
            sku: scene.world.sku("key"),
            by: None,
        };
        store.hold_commits();
        let meanwhile = async {
            store.commit_waits().await;
            // More than was counted until now.
            stored(&scene, 2, 20).await;
            store.let_commits();
        };
        let (removed, ()) = tokio::join!(scene.engine.remove(call, named.clone()), meanwhile);
        assert_eq!(removed.expect("answered").removed, named);
        assert_eq!(available(&scene).await, (28, 6));
        assert_eq!(redeemed(&scene, 2, 20).await, 20);
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        scene.check_at_rest().await;
    });
}

#[test]
fn import_serves_orders_beside_what_is_reserved() {
    scene(&world(2), async |scene| {
        stored(&scene, 1, 2).await;
        out_of_stock(&scene, "A-1", 1).await;
        import(&scene, 2).await;
        fresh(scene.fulfill("A-1", &[("key", 2)]).await);
        out_of_stock(&scene, "A-2", 1).await;
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        scene.check_at_rest().await;
    });
}

#[test]
fn paid_invoices_that_wait_are_served_first_and_the_oldest_before_the_others() {
    for restarts in [false, true] {
        scene(&world(1), async |mut scene| {
            waits(&scene, 1, 3).await;
            waits(&scene, 2, 1).await;
            assert_eq!(available(&scene).await, (1, 0));
            if restarts {
                scene = restarted(scene).await;
            }
            import(&scene, 2).await;
            out_of_stock(&scene, "A-1", 1).await;
            assert_eq!(redeem(&scene, 2, 1).await, Ok(Pulled::OutOfStock));
            assert_eq!(redeemed(&scene, 1, 3).await, 3);
            import(&scene, 2).await;
            assert_eq!(available(&scene).await, (2, 1));
            fresh(scene.fulfill("A-2", &[("key", 1)]).await);
            assert_eq!(redeemed(&scene, 2, 1).await, 1);
            scene.check_at_rest().await;
        });
    }
}

#[test]
fn end_that_is_told_late_does_not_take_what_was_reserved_again() {
    scene(&world(2), async |scene| {
        stored(&scene, 1, 2).await;
        end(&scene, 1).await;
        stored(&scene, 1, 2).await;
        end_again(&scene, 1).await;
        out_of_stock(&scene, "A-1", 1).await;
        // So does a transaction that was undone, if an earlier one was not.
        store(&scene, held(&scene, 1, 2).await).aborted();
        out_of_stock(&scene, "A-2", 1).await;
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        scene.check_at_rest().await;
    });
}

#[test]
fn share_of_those_who_have_not_paid_is_free_once_they_have() {
    for told in [true, false] {
        let world = world(60).configure(|config| config.idle_ms = 1000);
        scene(&world, async |scene| share_is_freed(scene, told).await);
    }
}

async fn share_is_freed(scene: Scene, told: bool) {
    let (merchant, sku) = (scene.world.merchant.id, scene.world.sku("key"));
    let unpaid = async |number| {
        let call = ReserveCall {
            id: id(number),
            merchant,
            sku,
            quantity: 21,
        };
        scene.engine.reserve_unpaid(call).await
    };
    let Ok(Reserved::Held(first)) = unpaid(1).await else {
        panic!("an order is served");
    };
    drop(store(&scene, first));
    assert!(matches!(unpaid(2).await, Ok(Reserved::OutOfStock)));
    fresh(scene.fulfill("A-1", &[("key", 1)]).await);
    scene.world.store.tables().pay_reservation(id(1));
    if told {
        assert_eq!(scene.engine.compare(merchant, sku, id(1)).await, Ok(()));
    } else {
        // In use all the time, the shelf is never loaded anew.
        for _ in 0..30 {
            sleep(Duration::from_millis(100)).await;
            assert_eq!(scene.stock("key").await.available, 38);
        }
    }
    assert!(matches!(unpaid(2).await, Ok(Reserved::Held(_))));
    assert_eq!(redeemed(&scene, 1, 21).await, 21);
    scene.check_at_rest().await;
}

#[test]
fn nothing_is_reserved_while_paid_invoices_wait() {
    scene(&world(1), async |scene| {
        waits(&scene, 1, 2).await;
        assert!(matches!(
            reserve(&scene, 2, 1).await,
            Ok(Reserved::OutOfStock)
        ));
        end(&scene, 1).await;
        drop(held(&scene, 2, 1).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn count_that_fails_is_not_out_of_stock() {
    let world = world(30).configure(|config| config.window_serials_min = 4);
    scene(&world, async |scene| {
        let fails = |times| {
            let faults = vec![Fault::Unavailable; times];
            scene.world.store.faults().counts = faults.into();
        };
        // What was read with it is of use all the same, and the next count tells the rest.
        fails(1);
        stored(&scene, 1, 2).await;
        fails(1);
        let shed = reserve(&scene, 2, 20).await;
        assert_eq!(shed.err(), Some(Fault::Unavailable));
        stored(&scene, 2, 20).await;
        // One that comes with a reading, and the one after it.
        import(&scene, 1).await;
        fails(2);
        let shed = fault(scene.fulfill("A-1", &[("key", 9)]).await);
        assert!(matches!(shed, Fault::Overloaded { .. }), "{shed:?}");
        assert!(scene.world.store.faults().counts.is_empty());
        fresh(scene.fulfill("A-1", &[("key", 9)]).await);
        out_of_stock(&scene, "A-2", 1).await;
        assert_eq!(redeemed(&scene, 2, 20).await, 20);
        assert_eq!(redeemed(&scene, 1, 2).await, 2);
        scene.check_at_rest().await;
    });
}
