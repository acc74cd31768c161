//! Actors that die, are put away and come back: one incarnation per key, and nobody is lied to.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    actors::{
        Arbiters, Poison,
        ask::{ask, tell},
    },
    balances::messages::{Held, Hold, OpenCredit},
    clock::{Deadline, EPOCH},
    fault::Fault,
    ids::BalanceId,
    inventory::messages::{Claim, Claimed},
    money::Money,
    relationships::Terms,
    testing::{
        Scene, World,
        outcomes::{fault, fresh, replayed},
        scene, usd,
    },
};

const LIVE: BalanceId = BalanceId(1);

fn world() -> World {
    World::new().product("key", 10).balance("50.00")
}

async fn poison_balance(scene: &Scene) {
    let balances = &scene.engine.fulfiller().balances;
    let handle = balances.handle(LIVE, scene.world.relationship).await;
    let handle = handle.expect("a balance");
    tell(&handle.actor, Poison);
}

async fn poison_shelf(scene: &Scene) {
    let inventory = &scene.engine.fulfiller().inventory;
    let key = &scene.world.merchant.key;
    let handle = inventory.handle(scene.world.sku("key"), key).await;
    tell(&handle.expect("a shelf").actor, Poison);
}

#[test]
fn dead_actors_are_rebuilt_from_what_is_durable() {
    scene(&world(), async |scene| {
        let first = fresh(scene.fulfill("A-1", &[("key", 2)]).await);
        poison_balance(&scene).await;
        poison_shelf(&scene).await;
        assert_eq!(replayed(scene.fulfill("A-1", &[("key", 2)]).await), first);
        fresh(scene.fulfill("A-2", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn reads_alone_bring_a_dead_actor_back() {
    scene(&world(), async |scene| {
        poison_balance(&scene).await;
        assert_eq!(scene.balance().await.posted, usd("50.00"));
        poison_shelf(&scene).await;
        assert_eq!(scene.stock("key").await.available, 10);
    });
}

#[test]
fn actor_that_dies_with_an_order_in_a_lane_comes_back_after_the_order_is_decided() {
    scene(&world(), async |scene| {
        let store = &scene.world.store;
        store.hold_commits();
        let meanwhile = async {
            store.commit_waits().await;
            poison_balance(&scene).await;
            poison_shelf(&scene).await;
            let release = async {
                sleep(Duration::from_millis(500)).await;
                assert_eq!(scene.footprint().entries, 1, "the successor waits");
                store.let_commits();
            };
            tokio::join!(scene.fulfill("A-2", &[("key", 1)]), release).0
        };
        let (first, second) = tokio::join!(scene.fulfill("A-1", &[("key", 1)]), meanwhile);
        fresh(first);
        fresh(second);
        replayed(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn callers_that_joined_an_actor_that_died_are_told_that_it_is_unknown() {
    scene(&world(), async |scene| {
        let store = &scene.world.store;
        store.hold_commits();
        let meanwhile = async {
            store.commit_waits().await;
            let die = async {
                sleep(Duration::from_millis(1)).await;
                poison_balance(&scene).await;
                sleep(Duration::from_millis(1)).await;
                store.let_commits();
            };
            tokio::join!(scene.fulfill("A-1", &[("key", 1)]), die).0
        };
        let (first, joined) = tokio::join!(scene.fulfill("A-1", &[("key", 1)]), meanwhile);
        fresh(first);
        assert_eq!(fault(joined), Fault::OutcomeUnknown);
        replayed(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn balance_that_took_long_to_load_is_not_told_by_an_owner_replaced_meanwhile() {
    let world = world().configure(|config| config.hydration_deadline_ms = 7000);
    scene(&world, async |scene| {
        let store = &scene.world.store;
        store.hold_commits();
        let replace = async {
            store.commit_waits().await;
            poison_balance(&scene).await;
            let next = async {
                store.free_lease();
                let next = scene.world.start(Arbiters::current()).await;
                sleep(Duration::from_secs(4)).await;
                store.let_commits();
                next.expect("the shard is free")
            };
            tokio::join!(scene.engine.balance(scene.world.scope()), next)
        };
        let (_, (told, next)) = tokio::join!(scene.fulfill("A-1", &[("key", 1)]), replace);
        assert_eq!(told, Err(Fault::Unavailable));
        next.check_at_rest().await;
    });
}

#[test]
fn actor_that_keeps_dying_is_quarantined_and_all_others_live_on() {
    let world = world().product("pin", 5);
    scene(&world, async |scene| {
        for order in ["A-1", "A-2", "A-3"] {
            poison_shelf(&scene).await;
            drop(scene.fulfill(order, &[("key", 1)]).await);
        }
        let dead = fault(scene.fulfill("A-4", &[("key", 1)]).await);
        assert!(matches!(dead, Fault::Aborted { .. }), "{dead:?}");
        fresh(scene.fulfill("A-5", &[("pin", 1)]).await);
        assert_eq!(scene.balance().await.held, Money::ZERO);
        scene.world.store.audit();
    });
}

#[test]
fn idle_actors_are_put_away_and_come_back_as_they_were() {
    scene(&world(), async |scene| {
        fresh(scene.fulfill("A-1", &[("key", 2)]).await);
        let fulfiller = scene.engine.fulfiller();
        assert_eq!(fulfiller.balances.registry.len(), 1);
        sleep(Duration::from_mins(3)).await;
        assert_eq!(fulfiller.balances.registry.len(), 0);
        assert_eq!(fulfiller.inventory.registry.len(), 0);
        replayed(scene.fulfill("A-1", &[("key", 2)]).await);
        scene.check_at_rest().await;
    });
}

/// Whoever loads an actor may have read terms that a change has replaced since.
#[test]
fn successor_starts_under_the_terms_that_were_acknowledged() {
    scene(&world(), async |scene| {
        let relationship = scene.world.relationship;
        let old = scene.engine.terms(relationship).await;
        let old = old.expect("readable").expect("terms");
        let limit = |terms: &mut Terms| terms.purchase_limit_daily = Some(Money::ZERO);
        scene.change_terms(limit).await.expect("in force");
        poison_balance(&scene).await;
        let fulfiller = scene.engine.fulfiller();
        let seen = fulfiller.snapshots.changes.seen();
        let held = loop {
            let handle = fulfiller.balances.handle(LIVE, relationship).await;
            let handle = handle.expect("a balance");
            let asked = ask(&handle.actor, |reply| Hold {
                request: Arc::new(scene.world.request("A-1", &[("key", 1)])),
                quote: Ok(Money::ZERO),
                terms: Arc::clone(&old),
                seen,
                now: EPOCH,
                deadline: Deadline::after(Duration::from_secs(1)),
                reply,
            });
            match asked.await {
                Ok(held) => break held,
                Err(_) => fulfiller.balances.registry.bury(LIVE, &handle),
            }
        };
        assert!(matches!(held, Held::TermsChanged));
    });
}

#[test]
fn drain_says_so_at_once_and_admits_nothing() {
    scene(&world(), async |scene| {
        let store = &scene.world.store;
        store.hold_commits();
        let draining = async {
            sleep(Duration::from_millis(1)).await;
            let watching = async {
                sleep(Duration::from_millis(1)).await;
                assert!(scene.engine.readiness().draining);
                let refused = scene.fulfill("A-2", &[("key", 1)]).await;
                assert_eq!(fault(refused), Fault::overloaded());
                store.let_commits();
            };
            tokio::join!(scene.engine.drain(), watching);
        };
        let (delivered, ()) = tokio::join!(scene.fulfill("A-1", &[("key", 1)]), draining);
        fresh(delivered);
    });
}

#[test]
fn actor_with_a_hold_out_is_not_put_away() {
    scene(&world(), async |scene| {
        let fulfiller = scene.engine.fulfiller();
        let relationship = scene.world.relationship;
        let handle = fulfiller.balances.handle(LIVE, relationship).await;
        let handle = handle.expect("a balance");
        let hold = ask(&handle.actor, |reply| OpenCredit { reply }).await;
        let hold = hold.expect("an actor");
        sleep(Duration::from_mins(5)).await;
        assert!(handle.actor.connected());
        assert_eq!(fulfiller.balances.registry.len(), 1);
        drop(hold);
        sleep(Duration::from_mins(3)).await;
        assert_eq!(fulfiller.balances.registry.len(), 0);
        assert!(!handle.actor.connected());
    });
}

#[test]
fn reply_that_nobody_takes_gives_its_serials_back() {
    scene(&world(), async |scene| {
        let fulfiller = scene.engine.fulfiller();
        let (sku, key) = (scene.world.sku("key"), &scene.world.merchant.key);
        let handle = fulfiller.inventory.handle(sku, key).await.expect("a shelf");
        let (reply, answer) = tokio::sync::oneshot::channel();
        let deadline = Deadline::after(Duration::from_secs(1));
        scene.world.store.hold_fetches();
        let quantity = 10;
        tell(
            &handle.actor,
            Claim {
                quantity,
                withdrawal: None,
                deadline,
                reply,
            },
        );
        drop(answer);
        scene.world.store.let_fetches();
        sleep(Duration::from_millis(1)).await;
        let all = ask(&handle.actor, |reply| Claim {
            quantity,
            withdrawal: None,
            deadline,
            reply,
        })
        .await;
        assert!(matches!(all, Ok(Claimed::Stock(_))));
        drop(all);
        scene.check_at_rest().await;
    });
}

#[test]
fn first_use_that_cannot_be_loaded_is_not_executed_and_the_next_one_is() {
    scene(&world(), async |scene| {
        scene
            .world
            .store
            .faults()
            .loads
            .push_back(Fault::Unavailable);
        let shed = fault(scene.fulfill("A-1", &[("key", 1)]).await);
        assert!(matches!(shed, Fault::Overloaded { .. }));
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn burst_of_one_reseller_is_bounded() {
    let world = World::new()
        .product("key", 100)
        .balance("500.00")
        .configure(|config| {
            config.in_flight_max = 8;
            config.relationship_in_flight_max = 4;
        });
    scene(&world, async |scene| {
        scene.world.store.hold_commits();
        let ids: Vec<_> = (0..6).map(|n| format!("A-{n}")).collect();
        let burst = ids.iter().map(|id| scene.fulfill(id, &[("key", 1)]));
        let burst = futures_util::future::join_all(burst);
        let release = async {
            sleep(Duration::from_millis(400)).await;
            scene.world.store.let_commits();
        };
        let (outcomes, ()) = tokio::join!(burst, release);
        let (delivered, shed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((delivered.len(), shed.len()), (4, 2));
        for outcome in shed {
            assert!(matches!(fault(outcome), Fault::Overloaded { .. }));
        }
        scene.check_at_rest().await;
    });
}
