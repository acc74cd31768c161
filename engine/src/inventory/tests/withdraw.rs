//! Serials that leave the shelf by name or for their merchant: against readings, orders, crashes.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::sleep;

use super::shelf::{fetched, read, serials};
use crate::{
    fault::Fault,
    fulfillments::Refusal,
    ids::{SerialId, WithdrawalId},
    inventory::{
        Kept, Position, Pulled, Purpose, Removed, WithdrawalCall,
        messages::Window,
        pool::{Pool, Taken},
    },
    journal::Failure,
    testing::{
        CommitFault, Scene, World,
        outcomes::{fresh, refusal},
        scene,
    },
};

fn world(serials: u32) -> World {
    World::new().product("key", serials).balance("500.00")
}

fn call(scene: &Scene, number: u128) -> WithdrawalCall {
    WithdrawalCall {
        id: WithdrawalId::from_uuid(uuid::Uuid::from_u128(number)),
        merchant: scene.world.merchant.id,
        sku: scene.world.sku("key"),
        by: None,
    }
}

/// Every serial of the product, in the order of sale.
fn all(scene: &Scene) -> Vec<SerialId> {
    let tables = scene.world.store.tables();
    let of_import = tables.imports.iter().flat_map(|(id, row)| {
        let count = u32::try_from(row.serials.len()).expect("a small import");
        (0..count).map(|ordinal| id.serial(ordinal))
    });
    of_import.collect()
}

async fn pull(scene: &Scene, number: u128, quantity: u32) -> Result<Pulled, Fault> {
    let call = call(scene, number);
    scene.engine.pull(call, Purpose::Pull, quantity).await
}

async fn remove(scene: &Scene, number: u128, serials: Vec<SerialId>) -> Removed {
    let removed = scene.engine.remove(call(scene, number), serials).await;
    removed.expect("answered")
}

fn pulled(done: Result<Pulled, Fault>) -> Vec<SerialId> {
    match done {
        Ok(Pulled::Serials(serials)) => serials,
        other => panic!("not pulled: {other:?}"),
    }
}

#[test]
fn serials_given_away_by_name_come_back_or_stay_away() {
    let mut pool = Pool::new(4, 16);
    fetched(&mut pool, 0..4, true);
    let all = serials(0..8);
    let named = [&all[1], &all[5], &all[6]].map(Clone::clone).to_vec();
    let taken = pool.withdraw(named.clone());
    assert_eq!(taken, named);
    assert_eq!((pool.held(), pool.held_beyond()), (3, 2));
    assert_eq!(pool.withdraw(named), [], "they are in somebody's hands");
    fetched(&mut pool, 4..8, false);
    assert_eq!((pool.in_window(), pool.held_beyond()), (5, 0));
    pool.release(vec![taken[1].clone()]);
    pool.withdrawn(&[taken[0].clone(), taken[2].clone()]);
    assert_eq!((pool.in_window(), pool.held()), (6, 0));
    let Taken::Serials(sold) = pool.claim(6) else {
        panic!("six are left");
    };
    let sold: BTreeSet<u32> = sold
        .iter()
        .map(|one| one.position.serial.ordinal())
        .collect();
    assert_eq!(sold, BTreeSet::from([0, 2, 3, 4, 5, 7]));
}

#[test]
fn reading_that_began_before_a_withdrawal_does_not_bring_it_back() {
    let mut pool = Pool::new(4, 16);
    fetched(&mut pool, 0..2, true);
    let ahead = serials(3..4);
    // The reading is under way; the withdrawal begins and is durable before it ends.
    let taken = pool.withdraw(ahead);
    pool.withdrawn(&taken);
    fetched(&mut pool, 2..5, false);
    assert_eq!(pool.claim(5), Taken::Out);
    let Taken::Serials(sold) = pool.claim(4) else {
        panic!("four are left");
    };
    assert!(sold.iter().all(|one| one.position.serial.ordinal() != 3));
}

/// Every order of a reading, a withdrawal and its end: no serial is lost, none is in two places.
#[test]
fn serial_by_name_is_in_one_place_in_every_order_of_events() {
    fn explore(trail: &[usize], depth: usize) {
        let (mut pool, mut named, mut gone) = (Pool::new(2, 4), Vec::new(), BTreeSet::new());
        // What a reading under way has met, and up to where storage was read.
        let (mut reading, mut end) = (None::<Vec<_>>, 0);
        let mut held = Vec::new();
        for event in trail {
            match event {
                0 if reading.is_none() && end < 4 => {
                    let free = serials(end..end + 2);
                    let free = free.into_iter().filter(|one| !gone.contains(&one.position));
                    reading = Some(free.collect());
                }
                1 => {
                    if let Some(met) = reading.take() {
                        end += 2;
                        let last = serials(end - 1..end)[0].position;
                        pool.fetched(Window {
                            end: Some(last),
                            ..self::read(met, end < 4)
                        });
                    }
                }
                // Also what is withdrawn already, by somebody who looked at storage before it was.
                2 => named.extend(pool.withdraw(serials(1..3))),
                3 => pool.release(std::mem::take(&mut named)),
                4 => {
                    let done: Vec<_> = std::mem::take(&mut named);
                    gone.extend(done.iter().map(|one| one.position));
                    pool.withdrawn(&done);
                }
                5 => {
                    if let Taken::Serials(taken) = pool.claim(1) {
                        held.extend(taken);
                    }
                }
                _ => {}
            }
            check(&pool, (&named, &gone, &held), end, trail);
        }
        if depth > 0 {
            for event in 0..6 {
                explore(&[trail, &[event]].concat(), depth - 1);
            }
        }
    }
    explore(&[], 6);
}

type Placed<'a> = (
    &'a [crate::inventory::ShelvedSerial],
    &'a BTreeSet<Position>,
    &'a [crate::inventory::ShelvedSerial],
);

fn check(pool: &Pool, (named, gone, held): Placed<'_>, end: u32, trail: &[usize]) {
    let offered = pool.offered(0, 99);
    let met = |serial: &SerialId| serial.ordinal() < end;
    let mut places: Vec<SerialId> = offered;
    places.extend(held.iter().map(|one| one.position.serial));
    let named = named.iter().map(|one| one.position.serial);
    places.extend(named.filter(met));
    places.extend(gone.iter().map(|position| position.serial).filter(met));
    let once: BTreeSet<_> = places.iter().collect();
    assert_eq!(once.len(), places.len(), "in two places: {trail:?}");
    let all = usize::try_from(end).expect("few");
    assert_eq!(places.len(), all, "lost: {trail:?}");
}

#[test]
fn removed_serials_are_never_sold_and_the_others_are() {
    scene(&world(5), async |scene| {
        let all = all(&scene);
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        let removed = remove(&scene, 1, vec![all[0], all[1], all[4]]).await;
        assert_eq!(removed.removed, [all[1], all[4]]);
        assert_eq!(removed.kept, [(all[0], Kept::Claimed)]);
        let sold = fresh(scene.fulfill("A-2", &[("key", 2)]).await);
        let sold: Vec<_> = sold.contents.serials().map(|serial| serial.id).collect();
        assert_eq!(sold, [all[2], all[3]]);
        let product = scene.world.sku("key").product;
        let refused = refusal(scene.fulfill("A-3", &[("key", 1)]).await);
        assert_eq!(refused, Refusal::OutOfStock { product });
        scene.check_at_rest().await;
    });
}

#[test]
fn serials_of_a_shelf_that_nobody_read_are_removed_unseen() {
    scene(&world(3), async |scene| {
        let all = all(&scene);
        let removed = remove(&scene, 1, vec![all[1]]).await;
        assert_eq!(removed.removed, [all[1]]);
        let sold = fresh(scene.fulfill("A-1", &[("key", 2)]).await);
        let sold: Vec<_> = sold.contents.serials().map(|serial| serial.id).collect();
        assert_eq!(sold, [all[0], all[2]]);
        scene.check_at_rest().await;
    });
}

#[test]
fn serials_in_somebodys_hands_stay_there() {
    scene(&world(2), async |scene| {
        let all = all(&scene);
        let store = &scene.world.store;
        store.hold_commits();
        let removal = async {
            store.commit_waits().await;
            let removed = remove(&scene, 1, all.clone()).await;
            store.let_commits();
            removed
        };
        // Both are claimed by an order that is not durable yet.
        let (sold, removed) = tokio::join!(scene.fulfill("A-1", &[("key", 2)]), removal);
        fresh(sold);
        assert_eq!(removed.removed, []);
        assert_eq!(removed.kept, [(all[0], Kept::Held), (all[1], Kept::Held)]);
        scene.check_at_rest().await;
    });
}

#[test]
fn repeated_withdrawals_are_answered_as_the_first() {
    scene(&world(5), async |scene| {
        let all = all(&scene);
        let first = pulled(pull(&scene, 1, 2).await);
        assert_eq!(first, all[..2]);
        assert_eq!(pulled(pull(&scene, 1, 2).await), first);
        let removed = remove(&scene, 2, vec![all[2], all[0]]).await;
        assert_eq!(remove(&scene, 2, vec![all[2], all[0]]).await, removed);
        assert_eq!(removed.removed, [all[2]]);
        assert_eq!(scene.stock("key").await.stock, 2);
        assert_eq!(pull(&scene, 3, 3).await, Ok(Pulled::OutOfStock));
        assert_eq!(pulled(pull(&scene, 3, 2).await), all[3..]);
        scene.check_at_rest().await;
    });
}

#[test]
fn pull_whose_answer_was_lost_is_found_by_its_id() {
    scene(&world(3), async |scene| {
        let all = all(&scene);
        let store = &scene.world.store;
        store.faults().commits = [Some(CommitFault::AnswerLost)].into();
        assert_eq!(
            pulled(pull(&scene, 1, 2).await),
            all[..2],
            "the fence says so"
        );
        store.faults().commits = [Some(CommitFault::Fails(Failure::Full))].into();
        let fault = pull(&scene, 2, 1).await;
        assert!(matches!(fault, Err(Fault::Overloaded { .. })), "{fault:?}");
        sleep(Duration::from_secs(2)).await;
        assert_eq!(pulled(pull(&scene, 2, 1).await), all[2..]);
        scene.check_at_rest().await;
    });
}

#[test]
fn removal_during_a_reading_is_not_undone_by_it() {
    scene(&world(3), async |scene| {
        let all = all(&scene);
        let store = &scene.world.store;
        store.hold_fetches();
        let removal = async {
            store.fetch_waits().await;
            // The reading has met all three.
            let removed = remove(&scene, 1, vec![all[1]]).await;
            store.let_fetches();
            removed
        };
        let (sold, removed) = tokio::join!(scene.fulfill("A-1", &[("key", 2)]), removal);
        assert_eq!(removed.removed, [all[1]]);
        let sold: Vec<_> = fresh(sold).contents.serials().map(|one| one.id).collect();
        assert_eq!(sold, [all[0], all[2]]);
        scene.check_at_rest().await;
    });
}
