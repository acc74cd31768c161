//! What becomes one batch, and what does not.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::{batch_sizes, one_batch, one_lane};
use crate::{
    fault::Fault,
    ids::BalanceId,
    testing::{
        CommitFault,
        outcomes::{fault, fresh},
        scene,
    },
};

#[test]
fn what_waits_while_a_batch_is_under_way_is_the_next_batch() {
    scene(&one_lane(), async |scene| {
        one_batch(&scene, &["A-1", "A-2", "A-3"], [])
            .await
            .into_iter()
            .for_each(|done| drop(fresh(done)));
        assert_eq!(batch_sizes(&scene), [1, 3]);
        scene.check_at_rest().await;
    });
}

#[test]
fn batch_ends_at_its_largest_number_of_entries() {
    scene(
        &one_lane().configure(|config| config.batch_entries_max = 2),
        async |scene| {
            one_batch(&scene, &["A-1", "A-2", "A-3"], [])
                .await
                .into_iter()
                .for_each(|done| drop(fresh(done)));
            assert_eq!(batch_sizes(&scene), [1, 2, 1]);
            scene.check_at_rest().await;
        },
    );
}

#[test]
fn batch_ends_at_its_bytes_but_one_large_entry_passes() {
    let world = one_lane().configure(|config| config.batch_bytes_max = 64 * 1024);
    scene(&world, async |scene| {
        let ids: Vec<_> = (0..80).map(|n| format!("A-{n}")).collect();
        let orders = ids.iter().map(|id| {
            let mut draft = scene.world.draft(id, &[("key", 1)]);
            draft.metadata.insert("note".to_owned(), "x".repeat(2000));
            scene.engine.fulfill(scene.world.request_of(draft))
        });
        join_all(orders)
            .await
            .into_iter()
            .for_each(|done| drop(fresh(done)));
        let sizes = batch_sizes(&scene);
        assert_eq!(sizes.iter().sum::<usize>(), 80);
        // 64 KiB hold 28 entries of 2000 bytes, an id, a serial and 128 bytes.
        assert!(sizes.iter().all(|size| *size <= 29), "{sizes:?}");
        // What did not fit begins the next batch and is none of its own.
        assert!(sizes.len() <= 4, "{sizes:?}");
        scene.check_at_rest().await;
    });
}

#[test]
fn kinds_do_not_mix_and_all_of_them_get_through() {
    scene(&one_lane(), async |scene| {
        scene.world.store.hold_commits();
        let restock = scene.world.store_import("key", 5, false);
        let release = async {
            sleep(Duration::from_millis(1)).await;
            scene.world.store.let_commits();
        };
        let (first, credit, second, restocked, third, ()) = tokio::join!(
            scene.fulfill("A-1", &[("key", 1)]),
            scene.credit("PAY-1", "1.00"),
            scene.fulfill("A-2", &[("key", 1)]),
            scene.engine.restock(restock),
            scene.fulfill("A-3", &[("key", 1)]),
            release,
        );
        for done in [first, second, third] {
            fresh(done);
        }
        credit.expect("credited");
        restocked.expect("on sale");
        assert_eq!(scene.stock("key").await.stock, 102);
        scene.check_at_rest().await;
    });
}

#[test]
fn what_holds_money_is_not_shed_any_more() {
    scene(&one_lane().product("other", 5), async |scene| {
        let store = &scene.world.store;
        fresh(scene.fulfill("A-0", &[("key", 1)]).await);
        store.hold_fetches();
        let slow = Some(CommitFault::Takes(Duration::from_millis(300)));
        store.faults().commits = [slow.clone(), slow].into();
        let queued = async {
            sleep(Duration::from_millis(10)).await;
            scene.fulfill("A-2", &[("key", 1)]).await
        };
        let shedding = async {
            sleep(Duration::from_millis(400)).await;
            assert!(scene.engine.fulfiller().lanes.is_shedding(BalanceId(1)));
            store.let_fetches();
        };
        let (first, second, held, ()) = tokio::join!(
            scene.fulfill("A-1", &[("key", 1)]),
            queued,
            scene.fulfill("A-3", &[("other", 1)]),
            shedding,
        );
        scene.check_at_rest().await;
        // A lane that is alive when a test fails ends the process.
        scene.engine.drain().await;
        for done in [first, second, held] {
            fresh(done);
        }
    });
}

#[test]
fn work_that_would_wait_long_is_shed_until_the_lane_has_caught_up() {
    scene(&one_lane(), async |scene| {
        let slow = Some(CommitFault::Takes(Duration::from_millis(300)));
        scene.world.store.faults().commits = [slow.clone(), slow].into();
        let queued = async {
            sleep(Duration::from_millis(10)).await;
            scene.fulfill("A-2", &[("key", 1)]).await
        };
        let shed = async {
            // The second batch has waited 290 ms when the first one is done.
            sleep(Duration::from_millis(350)).await;
            scene.fulfill("A-3", &[("key", 1)]).await
        };
        let (first, second, third) =
            tokio::join!(scene.fulfill("A-1", &[("key", 1)]), queued, shed);
        fresh(first);
        fresh(second);
        assert!(matches!(fault(third), Fault::Overloaded { .. }));
        sleep(Duration::from_millis(300)).await;
        fresh(scene.fulfill("A-3", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}
