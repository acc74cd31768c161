//! Several shelves for somebody who has paid: whoever waits keeps nothing behind the shelf that is waited for.

use futures_util::future::join_all;

use crate::{
    ids::WithdrawalId,
    inventory::{Pulled, Purpose, Reservation, ReserveCall, Reserved, ReservedAll, WithdrawalCall},
    testing::{Scene, World, scene},
};

const SHELVES: [&str; 4] = ["a", "b", "c", "d"];

fn call(scene: &Scene, name: &str, number: u128) -> ReserveCall {
    ReserveCall {
        id: WithdrawalId::from_uuid(uuid::Uuid::from_u128(number)),
        merchant: scene.world.merchant.id,
        sku: scene.world.sku(name),
        quantity: 1,
    }
}

/// Stores the row, as the cold path does.
fn store(scene: &Scene, reservation: Reservation) {
    let store = &scene.world.store;
    let storing = store.storing(reservation.call().sku);
    assert!(store.tables().reserve(&reservation), "it owns the shard");
    drop(reservation.stored());
    drop(storing);
}

/// Tries to deliver, as the cold path does; false if it waits.
async fn carried(scene: &Scene, cart: &[ReserveCall]) -> bool {
    match scene.engine.reserve_all(cart.to_vec()).await.unwrap() {
        ReservedAll::Waits(waiting) => {
            for reservation in waiting.kept {
                store(scene, reservation);
            }
            for call in waiting.given_up {
                let ended = scene.world.store.tables().end_reservation(call.id);
                if ended {
                    let ReserveCall {
                        merchant, sku, id, ..
                    } = call;
                    scene.engine.compare(merchant, sku, id).await.unwrap();
                }
            }
            false
        }
        ReservedAll::Held(kept) => {
            for reservation in kept {
                store(scene, reservation);
            }
            for call in cart {
                let withdrawal = WithdrawalCall {
                    id: call.id,
                    merchant: call.merchant,
                    sku: call.sku,
                    by: None,
                };
                let pulled = scene.engine.pull(withdrawal, Purpose::Sale, 1).await;
                assert!(matches!(pulled, Ok(Pulled::Serials(own)) if own.len() == 1));
            }
            true
        }
    }
}

/// Tries all of them a few times, each beside the others; how many are delivered.
async fn rounds(scene: &Scene, carts: &[[ReserveCall; 2]]) -> usize {
    let mut delivered = 0;
    for _ in 0..=2 * carts.len() {
        let all = join_all(carts.iter().map(|cart| carried(scene, cart))).await;
        delivered = all.into_iter().filter(|delivered| *delivered).count();
    }
    delivered
}

#[test]
fn of_carts_that_wait_for_the_same_shelves_none_waits_for_another_that_waits_for_it() {
    for count in 2..=SHELVES.len() {
        let shelves = &SHELVES[..count];
        let mut world = World::new().balance("500.00");
        for name in shelves {
            world = world.product(name, 1);
        }
        scene(&world, async |scene| {
            // Each wants one of its own shelf first and one of the next one's, all around.
            let carts: Vec<_> = (0..count)
                .map(|at| {
                    let next = (at + 1) % count;
                    let number = u128::try_from(at).unwrap() * 2 + 1;
                    [
                        call(&scene, shelves[at], number),
                        call(&scene, shelves[next], number + 1),
                    ]
                })
                .collect();
            assert!(rounds(&scene, &carts).await > 0, "{count} wait for ever");
            for name in shelves {
                let import = scene.world.store_import(name, 1, false);
                scene.engine.restock(import).await.unwrap();
            }
            assert_eq!(
                rounds(&scene, &carts).await,
                count,
                "there is enough for all"
            );
            scene.check_at_rest().await;
        });
    }
}

#[test]
fn what_is_kept_behind_the_shelf_that_is_waited_for_is_given_up() {
    let world = World::new()
        .balance("500.00")
        .product("a", 1)
        .product("b", 1);
    scene(&world, async |scene| {
        let mut names = ["a", "b"];
        names.sort_by_key(|name| scene.world.sku(name));
        let [first, second] = names;
        let cart = [call(&scene, second, 1), call(&scene, first, 2)];
        for call in cart {
            let Ok(Reserved::Held(reservation)) = scene.engine.reserve(call).await else {
                panic!("it is there");
            };
            store(&scene, reservation);
        }
        // Of the first nothing is left for it.
        let ReserveCall {
            merchant, sku, id, ..
        } = cart[1];
        assert!(scene.world.store.tables().end_reservation(id));
        scene.engine.compare(merchant, sku, id).await.unwrap();
        let other = call(&scene, first, 3);
        let Ok(Reserved::Held(other)) = scene.engine.reserve(other).await else {
            panic!("it is free");
        };
        assert!(!carried(&scene, &cart).await);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        assert_eq!(scene.stock(second).await.available, 1);
        drop(other);
        assert!(carried(&scene, &cart).await, "both are there again");
        scene.check_at_rest().await;
    });
}
