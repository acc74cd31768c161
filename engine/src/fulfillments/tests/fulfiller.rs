//! The choreography: one execution per order id, everything or nothing, the same answer for ever.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use crate::{
    actors::Arbiters,
    balances::EntryKind,
    engine::Credited,
    fault::Fault,
    fulfillments::{Delivery, Refusal},
    ids::{BalanceId, MerchantId},
    money::Money,
    testing::{
        World,
        outcomes::{fault, fresh, refusal, replayed},
        restarted, scene, usd,
    },
};

#[test]
fn delivery_has_one_debit_and_its_serials_claimed() {
    scene(
        &World::new().product("key", 3).balance("10.00"),
        async |scene| {
            let delivered = fresh(scene.fulfill("A-1", &[("key", 2)]).await);

            assert_eq!(delivered.contents.total, usd("5.00"));
            assert_eq!(delivered.stamp.balance_after, usd("5.00"));
            assert_eq!(delivered.contents.serials().count(), 2);
            let left = scene.footprint();
            assert_eq!((left.entries, left.claims.len()), (2, 2));
            assert_eq!(scene.stock("key").await.available, 1);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn serials_of_a_delivery_open_under_the_merchants_key() {
    scene(
        &World::new().product("key", 1).balance("2.50"),
        async |scene| {
            let delivered = fresh(scene.fulfill("A-1", &[("key", 1)]).await);
            let serial = delivered.contents.serials().next().expect("one serial");
            let opened = scene
                .world
                .merchant
                .key
                .open_serial(serial.id, &serial.sealed);
            assert!(
                opened
                    .expect("what was sealed")
                    .expose()
                    .starts_with("key-")
            );
        },
    );
}

#[test]
fn retry_returns_the_first_result_even_after_a_restart() {
    scene(
        &World::new().product("key", 3).balance("10.00"),
        async |scene| {
            let first = fresh(scene.fulfill("A-1", &[("key", 2)]).await);
            scene.world.clock.advance(Duration::from_secs(90));
            let second = replayed(scene.fulfill("A-1", &[("key", 2)]).await);
            let scene = restarted(scene).await;
            let third = replayed(scene.fulfill("A-1", &[("key", 2)]).await);

            assert_eq!((&first, &first), (&second, &third));
            assert_eq!(scene.footprint().entries, 2);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn other_body_under_a_bound_order_id_is_a_mismatch() {
    scene(
        &World::new()
            .product("key", 3)
            .product("pin", 3)
            .balance("10.00"),
        async |scene| {
            fresh(scene.fulfill("A-1", &[("key", 2)]).await);
            let before = scene.footprint();
            let expected = |fields: &[&'static str]| Refusal::OrderMismatch {
                fields: fields.to_vec(),
            };

            let settled = refusal(scene.fulfill("A-1", &[("key", 1)]).await);
            assert_eq!(settled, expected(&["quantity"]));
            let scene = restarted(scene).await;
            let stored = refusal(scene.fulfill("A-1", &[("pin", 2)]).await);
            assert_eq!(stored, expected(&["product_id"]));
            assert_eq!(scene.footprint(), before);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn other_body_under_a_running_order_id_is_a_mismatch() {
    scene(
        &World::new().product("key", 3).balance("10.00"),
        async |scene| {
            scene.world.store.hold_commits();
            let late = async {
                scene.world.store.commit_waits().await;
                let other = refusal(scene.fulfill("A-1", &[("key", 2)]).await);
                scene.world.store.let_commits();
                other
            };
            let (first, other) = tokio::join!(scene.fulfill("A-1", &[("key", 1)]), late);
            fresh(first);
            assert_eq!(
                other,
                Refusal::OrderMismatch {
                    fields: vec!["quantity"]
                }
            );
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn simultaneous_twins_get_one_execution_and_the_same_answer() {
    scene(
        &World::new().product("key", 200).balance("500.00"),
        async |scene| {
            let twins = (0..200).map(|_| scene.fulfill("A-1", &[("key", 1)]));
            let outcomes = join_all(twins).await;

            let fresh = outcomes
                .iter()
                .filter(|outcome| matches!(outcome, Ok(Delivery::Fresh(_))));
            assert_eq!(fresh.count(), 1);
            let first = outcomes[0]
                .as_ref()
                .expect("delivered")
                .fulfillment()
                .clone();
            for outcome in &outcomes {
                assert_eq!(outcome.as_ref().expect("delivered").fulfillment(), &first);
            }
            let left = scene.footprint();
            assert_eq!((left.entries, left.claims.len()), (2, 1));
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn twin_that_accepts_the_price_is_not_refused_for_the_one_that_does_not() {
    let world = World::new().product("key", 1).balance("2.50");
    scene(&world, async |scene| {
        let asks = |max_total: &str| {
            let mut draft = scene.world.draft("A-1", &[("key", 1)]);
            draft.max_total = Some(usd(max_total));
            scene.engine.fulfill(scene.world.request_of(draft))
        };
        let (mean, generous, mean_too) = tokio::join!(asks("0.01"), asks("2.50"), asks("0.01"));
        assert!(matches!(refusal(mean), Refusal::PriceChanged { .. }));
        crate::testing::outcomes::fresh(generous);
        assert!(matches!(refusal(mean_too), Refusal::PriceChanged { .. }));
        scene.check_at_rest().await;
    });
}

#[test]
fn more_twins_than_may_wait_are_told_that_the_order_is_running() {
    let world = World::new().product("key", 1).balance("2.50");
    scene(
        &world.configure(|config| config.joined_max = 2),
        async |scene| {
            let twins = (0..5).map(|_| scene.fulfill("A-1", &[("key", 1)]));
            let outcomes = join_all(twins).await;
            let (delivered, other): (Vec<_>, Vec<_>) =
                outcomes.into_iter().partition(Result::is_ok);
            assert_eq!(delivered.len(), 3);
            assert!(
                other
                    .into_iter()
                    .all(|outcome| refusal(outcome) == Refusal::OrderInProgress)
            );
        },
    );
}

#[test]
fn different_orders_at_once_share_what_there_is_and_no_more() {
    scene(
        &World::new().product("key", 30).balance("50.00"),
        async |scene| {
            let ids: Vec<_> = (0..40).map(|n| format!("A-{n}")).collect();
            let orders = ids.iter().map(|id| scene.fulfill(id, &[("key", 1)]));
            let outcomes = join_all(orders).await;
            // Money for 20, serials for 30.
            assert_eq!(
                outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
                20
            );
            for refused in outcomes.into_iter().filter(Result::is_err) {
                let refused = refusal(refused);
                assert!(
                    matches!(refused, Refusal::InsufficientBalance { .. }),
                    "{refused:?}"
                );
            }
            assert_eq!(scene.balance().await.posted, Money::ZERO);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn all_lines_are_delivered_or_none() {
    let world = World::new()
        .product("key", 3)
        .product("pin", 1)
        .variant("game/pro", 2);
    scene(&world.balance("100.00"), async |scene| {
        let before = scene.footprint();
        let short = scene
            .fulfill("A-1", &[("pin", 2), ("key", 1), ("game/pro", 1)])
            .await;
        let product = scene.world.sku("pin").product;
        assert_eq!(refusal(short), Refusal::OutOfStock { product });
        assert_eq!(scene.footprint(), before);
        scene.check_at_rest().await;

        let lines = [("pin", 1), ("key", 3), ("game/pro", 2)];
        let delivered = fresh(scene.fulfill("A-1", &lines).await);
        let asked = lines
            .iter()
            .map(|(name, count)| (scene.world.sku(name), *count));
        let asked = asked.collect::<Vec<_>>();
        let got = delivered
            .contents
            .lines
            .iter()
            .map(|line| (line.sku, line.quantity()));
        assert_eq!(
            got.collect::<Vec<_>>(),
            asked,
            "lines keep the request's order"
        );
        assert_eq!(delivered.contents.total, usd("18.00"));
        scene.check_at_rest().await;
    });
}

#[test]
fn two_lines_of_one_product_never_share_a_serial() {
    scene(
        &World::new().product("key", 3).balance("10.00"),
        async |scene| {
            let too_many = scene.fulfill("A-1", &[("key", 2), ("key", 2)]).await;
            assert!(matches!(refusal(too_many), Refusal::OutOfStock { .. }));
            let delivered = fresh(scene.fulfill("A-1", &[("key", 2), ("key", 1)]).await);
            assert_eq!(delivered.contents.serials().count(), 3);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn client_that_hangs_up_finds_its_order_under_the_order_id() {
    scene(
        &World::new().product("key", 3).balance("10.00"),
        async |scene| {
            scene.world.store.hold_commits();
            let gone = timeout(
                Duration::from_millis(10),
                scene.fulfill("A-1", &[("key", 1)]),
            )
            .await;
            assert!(gone.is_err(), "the client did not wait for an answer");
            scene.world.store.let_commits();
            sleep(Duration::from_millis(1)).await;
            replayed(scene.fulfill("A-1", &[("key", 1)]).await);
            assert_eq!(scene.footprint().claims.len(), 1);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn passed_deadline_is_unknown_and_a_later_call_knows() {
    scene(
        &World::new().product("key", 3).balance("10.00"),
        async |scene| {
            scene.world.store.hold_commits();
            let late = fault(scene.fulfill("A-1", &[("key", 1)]).await);
            assert_eq!(late, Fault::OutcomeUnknown);
            scene.world.store.let_commits();
            sleep(Duration::from_millis(50)).await;
            replayed(scene.fulfill("A-1", &[("key", 1)]).await);
            assert_eq!(scene.footprint().claims.len(), 1);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn drain_lets_what_runs_end_and_sheds_what_comes() {
    scene(
        &World::new().product("key", 3).balance("10.00"),
        async |scene| {
            scene.world.store.hold_commits();
            let during = async {
                scene.world.store.commit_waits().await;
                let drain = async {
                    scene.engine.drain().await;
                    assert!(scene.engine.readiness().draining);
                };
                let rest = async {
                    sleep(Duration::from_millis(1)).await;
                    let shed = fault(scene.fulfill("A-2", &[("key", 1)]).await);
                    scene.world.store.let_commits();
                    shed
                };
                tokio::join!(drain, rest).1
            };
            let (running, shed) = tokio::join!(scene.fulfill("A-1", &[("key", 1)]), during);
            fresh(running);
            assert!(matches!(shed, Fault::Overloaded { .. }), "{shed:?}");
            assert_eq!(scene.footprint().claims.len(), 1);
            let again = scene
                .world
                .start(Arbiters::current())
                .await
                .expect("the shard is free");
            again.check_at_rest().await;
        },
    );
}

#[test]
fn balance_is_not_told_once_the_shard_was_given_up() {
    scene(
        &World::new().product("key", 3).balance("10.00"),
        async |scene| {
            let scope = scene.world.scope();
            assert!(scene.engine.balance(scope).await.is_ok());
            scene.engine.drain().await;
            // The next owner sells already, and its heartbeat is not ours.
            let told = scene.engine.balance(scope).await;
            assert!(matches!(told, Err(Fault::Unavailable)), "{told:?}");
        },
    );
}

#[test]
fn nothing_is_accepted_under_old_terms_once_a_change_is_acknowledged() {
    let world = World::new().product("key", 64).balance("500.00");
    scene(&world, async |scene| {
        let ids: Vec<_> = (0..48).map(|n| format!("A-{n}")).collect();
        let acknowledged = std::cell::Cell::new(false);
        let orders = ids.iter().zip(0..).map(async |(id, turn)| {
            for _ in 0..turn {
                tokio::task::yield_now().await;
            }
            let began_after = acknowledged.get();
            (began_after, scene.fulfill(id, &[("key", 1)]).await)
        });
        let change = async {
            sleep(Duration::from_micros(1)).await;
            let revoke = |terms: &mut crate::relationships::Terms| terms.keys.clear();
            scene.change_terms(revoke).await.expect("acknowledged");
            acknowledged.set(true);
        };
        let (outcomes, ()) = tokio::join!(join_all(orders), change);
        let after = scene.fulfill("late", &[("key", 1)]).await;
        for (began_after, outcome) in outcomes.into_iter().chain([(true, after)]) {
            if began_after {
                assert_eq!(refusal(outcome), Refusal::KeyRevoked);
            }
        }
        scene.check_at_rest().await;
    });
}

#[test]
fn credit_is_applied_once_per_reference() {
    scene(&World::new(), async |scene| {
        let first = scene.credit("PAY-1", "5.00").await.expect("credited");
        let second = scene.credit("PAY-1", "5.00").await.expect("credited");
        let (Credited::Fresh(first), Credited::Replayed(second)) = (first, second) else {
            panic!("not once");
        };
        assert_eq!(first, second);
        assert_eq!(scene.balance().await.posted, usd("5.00"));
        scene.check_at_rest().await;
    });
}

#[test]
fn equal_credits_of_one_batch_are_applied_once() {
    scene(&World::new().balance("1.00"), async |scene| {
        scene.world.store.hold_commits();
        let credits = async {
            let references = ["PAY-0", "PAY-1", "PAY-2", "PAY-1", "PAY-1", "PAY-3"];
            join_all(references.map(|reference| scene.credit(reference, "5.00"))).await
        };
        let release = async {
            scene.world.store.commit_waits().await;
            sleep(Duration::from_millis(1)).await;
            scene.world.store.let_commits();
        };
        let (outcomes, ()) = tokio::join!(credits, release);
        let fresh = |outcome: &&Result<Credited, Fault>| matches!(outcome, Ok(Credited::Fresh(_)));
        assert_eq!(outcomes.iter().filter(fresh).count(), 4);
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(scene.balance().await.posted, usd("21.00"));
        scene.check_at_rest().await;
    });
}

#[test]
fn money_is_spendable_once_its_credit_is_answered() {
    scene(&World::new().product("key", 1), async |scene| {
        let poor = refusal(scene.fulfill("A-1", &[("key", 1)]).await);
        let (required, available) = (usd("2.50"), Money::ZERO);
        assert_eq!(
            poor,
            Refusal::InsufficientBalance {
                required,
                available
            }
        );
        scene.credit("PAY-1", "2.50").await.expect("credited");
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn credit_beyond_the_largest_amount_is_refused_and_the_engine_lives() {
    scene(&World::new().balance("9999999999.99"), async |scene| {
        let beyond = scene.credit("PAY-1", "0.01").await;
        assert!(matches!(beyond, Err(Fault::Excess)), "{beyond:?}");
        assert_eq!(scene.footprint().entries, 1);
        scene.check_at_rest().await;
    });
}

#[test]
fn stock_counts_what_is_held_but_offers_only_what_is_free() {
    scene(
        &World::new().product("key", 150).balance("500.00"),
        async |scene| {
            assert_eq!(scene.stock("key").await.available, 150);
            scene.world.store.hold_commits();
            let look = async {
                scene.world.store.commit_waits().await;
                let seen = scene.stock("key").await;
                scene.world.store.let_commits();
                seen
            };
            let (delivered, seen) = tokio::join!(scene.fulfill("A-1", &[("key", 10)]), look);
            fresh(delivered);
            assert_eq!((seen.stock, seen.available), (150, 140));
            assert_eq!(scene.stock("key").await.stock, 140);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn restock_sells_what_was_stored_and_an_unnumbered_import_is_numbered_at_start() {
    let world = World::new().product("key", 1).balance("10.00");
    world.store_import("key", 1, false);
    scene(&world, async |scene| {
        fresh(scene.fulfill("A-1", &[("key", 2)]).await);
        assert!(matches!(
            refusal(scene.fulfill("A-2", &[("key", 1)]).await),
            Refusal::OutOfStock { .. }
        ));
        let restock = scene.world.store_import("key", 2, false);
        assert_eq!(
            scene.stock("key").await.stock,
            0,
            "stored is not yet on sale"
        );
        scene.engine.restock(restock).await.expect("numbered");
        fresh(scene.fulfill("A-2", &[("key", 2)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn import_that_was_left_off_sale_is_put_on_it_at_the_next_look() {
    scene(&World::new().product("key", 1), async |scene| {
        scene.world.store_import("key", 2, false);
        assert_eq!(scene.engine.restock_waiting().await, Ok(1));
        assert_eq!(scene.stock("key").await.available, 3);
        assert_eq!(scene.engine.restock_waiting().await, Ok(0));
    });
}

#[test]
fn import_that_cannot_be_put_on_sale_keeps_neither_others_nor_the_engine_from_it() {
    let world = World::new().foreign_product("foreign").product("key", 0);
    let damaged = world.store_import("foreign", 1, false).import;
    world.store_import("key", 2, false);
    {
        let mut tables = world.store.tables();
        let import = tables.imports.get_mut(&damaged).expect("it is stored");
        import.merchant = MerchantId::from_uuid(damaged.uuid());
    }
    scene(&world, async |scene| {
        assert_eq!(scene.stock("key").await.available, 2);
        assert_eq!(
            scene.engine.restock_waiting().await,
            Ok(1),
            "it waits still"
        );
    });
}

#[test]
fn serial_that_does_not_open_is_never_sold() {
    let world = World::new().product("key", 3).balance("10.00");
    {
        let mut tables = world.store.tables();
        let import = tables.imports.values_mut().next().expect("one import");
        import.serials.swap(0, 1);
    }
    scene(&world, async |scene| {
        let short = refusal(scene.fulfill("A-1", &[("key", 2)]).await);
        assert!(matches!(short, Refusal::OutOfStock { .. }));
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn find_tells_running_bound_and_free_apart() {
    scene(
        &World::new().product("key", 3).balance("10.00"),
        async |scene| {
            let find = async |id: &str| {
                let id = scene.world.request(id, &[("key", 1)]).order_id().clone();
                scene.engine.find(scene.world.scope(), &id).await
            };
            assert!(find("A-1").await.expect("readable").is_none());
            scene.world.store.hold_commits();
            let look = async {
                scene.world.store.commit_waits().await;
                let running = find("A-1").await.expect_err("running");
                scene.world.store.let_commits();
                running
            };
            let (delivered, running) = tokio::join!(scene.fulfill("A-1", &[("key", 1)]), look);
            let delivered = fresh(delivered);
            assert_eq!(refusal(Err(running)), Refusal::OrderInProgress);
            assert_eq!(
                find("A-1").await.expect("readable"),
                Some(Arc::clone(&delivered))
            );
            let again = restarted(scene.clone()).await;
            let id = delivered.contents.order_id.clone();
            let found = again
                .engine
                .find(again.world.scope(), &id)
                .await
                .expect("readable");
            assert_eq!(found, Some(delivered));
        },
    );
}

#[test]
fn request_is_recorded_as_it_was_asked() {
    scene(
        &World::new().product("key", 1).balance("10.00"),
        async |scene| {
            fresh(scene.fulfill("A-1", &[("key", 1)]).await);
            let tables = scene.world.store.tables();
            let row = tables.ledger(BalanceId(1)).next_back().expect("an entry");
            assert_eq!(
                (row.kind(), row.reference()),
                (EntryKind::Fulfillment, "A-1")
            );
        },
    );
}
