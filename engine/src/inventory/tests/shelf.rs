//! The window of a shelf: pure, exhaustively in the small, and against readings that come late.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    clock::EPOCH,
    fault::Fault,
    fulfillments::Refusal,
    ids::ImportId,
    inventory::{
        Position, ShelvedSerial,
        beyond::Beyond,
        messages::Window,
        pool::{Pool, Taken, Waiting, WindowBytes},
    },
    random::SeededRandom,
    testing::{
        World,
        outcomes::{fault, fresh, refusal},
        scene,
    },
    vault::Sealed,
};

pub(super) fn serials(numbers: std::ops::Range<u32>) -> Vec<ShelvedSerial> {
    let import = ImportId::for_import(EPOCH, &SeededRandom::new(1));
    let serial = |ordinal| ShelvedSerial {
        position: Position {
            number: 1,
            serial: import.serial(ordinal),
        },
        sealed: Sealed::from_bytes(*b""),
    };
    numbers.map(serial).collect()
}

/// What was read; nothing is said of what is behind it but where there is nothing.
pub(super) fn read(serials: Vec<ShelvedSerial>, more: bool) -> Window {
    Window {
        end: serials.last().map(|serial| serial.position),
        serials,
        closed: 0,
        beyond: (!more).then_some(Beyond::NOTHING),
    }
}

pub(super) fn fetched(pool: &mut Pool, numbers: std::ops::Range<u32>, more: bool) {
    pool.fetched(read(serials(numbers), more));
}

/// How many serials to read next; nothing is to be counted.
fn wanted(pool: &mut Pool, waiting: usize, soon: bool) -> Option<usize> {
    let waiting = Waiting {
        serials: waiting,
        ..Waiting::default()
    };
    let wanted = pool.wanted(waiting, soon)?;
    assert_eq!(wanted.counted, 0, "nothing is reserved");
    Some(wanted.serials)
}

#[test]
fn claims_take_the_oldest_and_releases_put_them_back_in_order() {
    let mut pool = Pool::new(4, 16);
    fetched(&mut pool, 0..4, false);
    let Taken::Serials(first) = pool.claim(2) else {
        panic!("there are four");
    };
    assert_eq!(first, serials(0..2));
    pool.release(first);
    assert_eq!(pool.claim(3), Taken::Serials(serials(0..3)));
    assert_eq!(pool.claim(2), Taken::Out, "all or none");
    assert_eq!(pool.claim(1), Taken::Serials(serials(3..4)));
    assert_eq!((pool.in_window(), pool.held()), (0, 4));
}

#[test]
fn out_is_said_only_when_nothing_is_left_to_read() {
    let mut pool = Pool::new(4, 16);
    assert_eq!(pool.claim(1), Taken::Short);
    fetched(&mut pool, 0..4, true);
    assert_eq!(pool.claim(5), Taken::Short);
    fetched(&mut pool, 4..5, false);
    assert_eq!(pool.claim(6), Taken::Out);
    pool.restocked();
    assert_eq!(pool.claim(6), Taken::Short);
}

#[test]
fn window_is_read_ahead_below_half_and_doubles_when_it_is_read_again_soon() {
    let mut pool = Pool::new(4, 8);
    assert_eq!(wanted(&mut pool, 0, false), Some(4));
    fetched(&mut pool, 0..4, true);
    drop(pool.claim(1));
    assert_eq!(wanted(&mut pool, 0, true), None, "more than half is there");
    drop(pool.claim(2));
    assert_eq!(wanted(&mut pool, 0, false), Some(3), "one is left of four");
    assert_eq!(wanted(&mut pool, 0, true), Some(7), "one is left of eight");
    fetched(&mut pool, 4..11, true);
    drop(pool.claim(8));
    assert_eq!(pool.claim(2), Taken::Short);
    assert_eq!(wanted(&mut pool, 2, true), Some(8), "no more than eight");
    assert_eq!(
        wanted(&mut pool, 100, true),
        Some(100),
        "but for a claim that is larger"
    );
}

/// Serials of a kilobyte, all read.
fn large(pool: &mut Pool, numbers: std::ops::Range<u32>) {
    let mut read = serials(numbers);
    for serial in &mut read {
        serial.sealed = Sealed::from_bytes([7; 1024]);
    }
    pool.fetched(self::read(read, true));
}

#[test]
fn window_of_large_serials_is_bounded_by_their_bytes() {
    let all = Arc::new(WindowBytes::new(20 * 1024));
    let mut pool = Pool::new(4, 64).within(8 * 1024, Arc::clone(&all));
    large(&mut pool, 0..4);
    drop(pool.claim(4));
    assert_eq!(wanted(&mut pool, 0, true), Some(8));
    large(&mut pool, 4..12);
    drop(pool.claim(6));
    assert_eq!(
        wanted(&mut pool, 0, true),
        Some(6),
        "eight kilobytes hold eight"
    );
    assert_eq!(
        wanted(&mut pool, 10, false),
        Some(8),
        "but a claim is served"
    );
}

#[test]
fn windows_together_leave_only_what_is_claimed_when_they_are_full() {
    let all = Arc::new(WindowBytes::new(4 * 1024));
    let within = || Pool::new(4, 64).within(64 * 1024, Arc::clone(&all));
    let (mut full, mut other) = (within(), within());
    large(&mut other, 0..1);
    drop(other.claim(1));
    large(&mut full, 0..4);
    assert_eq!(wanted(&mut other, 0, false), None);
    assert_eq!(wanted(&mut other, 2, false), Some(2));
    drop(full);
    assert_eq!(wanted(&mut other, 0, false), Some(4));
}

#[test]
#[should_panic(expected = "storage is read onwards")]
fn reading_that_goes_back_ends_the_actor() {
    let mut pool = Pool::new(4, 8);
    fetched(&mut pool, 0..4, true);
    fetched(&mut pool, 3..5, true);
}

/// Every order of claims, releases and confirmations of a few serials: none is ever in two places.
#[test]
fn serial_is_in_one_place_in_every_order_of_events() {
    fn explore(trail: &[usize], depth: usize) {
        let (mut pool, mut held, mut sold) = (Pool::new(2, 4), Vec::new(), BTreeSet::new());
        fetched(&mut pool, 0..3, false);
        for event in trail {
            match event {
                0 | 1 => {
                    if let Taken::Serials(taken) = pool.claim(event + 1) {
                        held.push(taken);
                    }
                }
                2 if !held.is_empty() => pool.release(held.remove(0)),
                3 => {
                    if let Some(taken) = held.pop() {
                        pool.confirm(taken.len());
                        sold.extend(taken.iter().map(|serial| serial.position));
                    }
                }
                _ => {}
            }
            let out: Vec<_> = held
                .iter()
                .flatten()
                .map(|serial| serial.position)
                .collect();
            assert_eq!(pool.held(), out.len());
            assert_eq!(pool.in_window() + out.len() + sold.len(), 3, "{trail:?}");
            let places: BTreeSet<_> = out.iter().chain(&sold).collect();
            assert_eq!(places.len(), out.len() + sold.len(), "{trail:?}");
        }
        if depth > 0 {
            for event in 0..4 {
                explore(&[trail, &[event]].concat(), depth - 1);
            }
        }
    }
    explore(&[], 6);
}

#[test]
fn restock_during_a_reading_is_not_missed() {
    scene(
        &World::new().product("key", 1).balance("50.00"),
        async |scene| {
            let store = &scene.world.store;
            store.hold_fetches();
            let restock = async {
                store.fetch_waits().await;
                // The reading has seen one serial and the end of the shelf.
                let import = scene.world.store_import("key", 4, false);
                scene.engine.restock(import).await.expect("numbered");
                store.let_fetches();
            };
            let (delivered, ()) = tokio::join!(scene.fulfill("A-1", &[("key", 3)]), restock);
            fresh(delivered);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn reading_that_panics_is_one_that_failed() {
    scene(
        &World::new().product("key", 1).balance("50.00"),
        async |scene| {
            scene.world.store.faults().fetch_panics = 1;
            let refused = scene.fulfill("A-1", &[("key", 1)]).await;
            assert_eq!(fault(refused), Fault::overloaded());
            fresh(scene.fulfill("A-1", &[("key", 1)]).await);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn claims_wait_for_a_reading_in_the_order_they_came() {
    scene(
        &World::new().product("key", 3).balance("50.00"),
        async |scene| {
            let store = &scene.world.store;
            store.hold_fetches();
            let rest = async {
                store.fetch_waits().await;
                let release = async {
                    sleep(Duration::from_millis(1)).await;
                    store.let_fetches();
                };
                let second = scene.fulfill("A-2", &[("key", 2)]);
                tokio::join!(second, release).0
            };
            let (first, second) = tokio::join!(scene.fulfill("A-1", &[("key", 2)]), rest);
            fresh(first);
            let product = scene.world.sku("key").product;
            assert_eq!(refusal(second), Refusal::OutOfStock { product });
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn shelf_that_cannot_be_read_is_not_out_of_stock() {
    scene(
        &World::new().product("key", 3).balance("50.00"),
        async |scene| {
            let store = &scene.world.store;
            store.faults().fetches.push_back(Fault::Unavailable);
            let shed = fault(scene.fulfill("A-1", &[("key", 1)]).await);
            assert!(matches!(shed, Fault::Overloaded { .. }));
            store.hold_fetches();
            let late = fault(scene.fulfill("A-1", &[("key", 1)]).await);
            assert!(matches!(late, Fault::Overloaded { .. }), "{late:?}");
            store.let_fetches();
            fresh(scene.fulfill("A-1", &[("key", 1)]).await);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn shelf_out_of_service_has_stock_that_nobody_can_have() {
    scene(&World::new().product("key", 3), async |scene| {
        let shelves = &scene.engine.fulfiller().inventory.registry;
        shelves.quarantine(scene.world.sku("key")).await;
        let stock = scene.stock("key").await;
        assert_eq!((stock.stock, stock.available), (3, 0));
    });
}
