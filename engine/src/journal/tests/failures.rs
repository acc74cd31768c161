//! Every class of failure whose outcome is known.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{batch_sizes, one_batch, one_lane};
use crate::{
    actors::Arbiters,
    fault::Fault,
    fulfillments::Refusal,
    journal::Failure,
    testing::{
        Claimant, CommitFault,
        outcomes::{fault, fresh, refusal, replayed},
        restarted, scene,
    },
};

const BREACH: Failure = Failure::Breach {
    constraint: "ledger_entries_pkey",
};

#[expect(clippy::unnecessary_wraps, reason = "one step of a script")]
fn fails(failure: Failure) -> Option<CommitFault> {
    Some(CommitFault::Fails(failure))
}

#[test]
fn passing_conflict_is_tried_again_as_the_same_batch() {
    scene(&one_lane(), async |scene| {
        let script = vec![fails(Failure::Retry); 5];
        for done in one_batch(&scene, &["A-1", "A-2"], script).await {
            fresh(done);
        }
        assert_eq!(batch_sizes(&scene), [1, 2]);
        scene.check_at_rest().await;
    });
}

#[test]
fn conflict_that_does_not_pass_is_not_executed() {
    scene(&one_lane(), async |scene| {
        let script = vec![fails(Failure::Retry); 6];
        for done in one_batch(&scene, &["A-1", "A-2"], script).await {
            assert!(matches!(fault(done), Fault::Overloaded { .. }));
        }
        assert_eq!(batch_sizes(&scene), [1]);
        scene.check_at_rest().await;
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
    });
}

#[test]
fn order_bound_before_a_restart_is_a_replay_in_the_middle_of_a_batch() {
    scene(&one_lane(), async |scene| {
        let bound = fresh(scene.fulfill("A-2", &[("key", 1)]).await);
        fresh(scene.fulfill("A-3", &[("key", 2)]).await);
        let scene = restarted(scene).await;
        let before = scene.footprint();
        let orders = ["A-1", "A-2", "A-3", "A-4"];
        let [first, second, third, fourth] = one_batch(&scene, &orders, [])
            .await
            .try_into()
            .expect("four outcomes");
        fresh(first);
        assert_eq!(replayed(second), bound);
        assert_eq!(
            refusal(third),
            Refusal::OrderMismatch {
                fields: vec!["quantity"]
            }
        );
        fresh(fourth);
        assert_eq!(scene.footprint().entries, before.entries + 3);
        scene.check_at_rest().await;
    });
}

#[test]
fn fenced_lane_gives_the_shard_up_and_executes_nothing() {
    scene(&one_lane(), async |scene| {
        for done in one_batch(&scene, &["A-1", "A-2"], [fails(Failure::Fenced)]).await {
            assert!(matches!(fault(done), Fault::Overloaded { .. }));
        }
        scene.engine.lost().await;
        assert!(!scene.engine.readiness().owner);
        let later = fault(scene.fulfill("A-3", &[("key", 1)]).await);
        assert!(matches!(later, Fault::Overloaded { .. }));
        assert!(
            scene.engine.balance(scene.world.scope()).await.is_err(),
            "memory is not told"
        );
        let credited = timeout(Duration::from_mins(1), scene.credit("PAY-1", "1.00")).await;
        assert!(
            matches!(credited, Ok(Err(Fault::Overloaded { .. }))),
            "{credited:?}"
        );
        assert_eq!(batch_sizes(&scene), [1]);
        scene.world.store.audit();
    });
}

#[test]
fn owner_that_was_replaced_can_commit_nothing() {
    scene(&one_lane(), async |scene| {
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.world.store.free_lease();
        let next = scene
            .world
            .start(Arbiters::current())
            .await
            .expect("the shard is free");
        let late = fault(scene.fulfill("A-2", &[("key", 1)]).await);
        assert!(matches!(late, Fault::Overloaded { .. }), "{late:?}");
        scene.engine.lost().await;
        replayed(next.fulfill("A-1", &[("key", 1)]).await);
        fresh(next.fulfill("A-2", &[("key", 1)]).await);
        next.check_at_rest().await;
    });
}

#[test]
fn replaced_owner_tells_no_refusal_from_its_memory() {
    scene(&one_lane(), async |scene| {
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.world.store.free_lease();
        let _next = scene
            .world
            .start(Arbiters::current())
            .await
            .expect("the shard is free");
        sleep(Duration::from_secs(2)).await;
        let late = fault(scene.fulfill("A-2", &[("key", 100)]).await);
        assert!(matches!(late, Fault::Overloaded { .. }), "{late:?}");
    });
}

#[test]
fn replaced_owner_does_not_acknowledge_changed_terms() {
    scene(&one_lane(), async |scene| {
        scene.world.store.free_lease();
        let next = scene
            .world
            .start(Arbiters::current())
            .await
            .expect("the shard is free");
        fresh(next.fulfill("A-1", &[("key", 1)]).await);
        let changed = scene.change_terms(|terms| terms.keys.clear()).await;
        assert_eq!(changed, Err(Fault::OutcomeUnknown));
        let changed = next.change_terms(|terms| terms.keys.clear()).await;
        assert_eq!(changed, Ok(()));
        assert_eq!(
            refusal(next.fulfill("A-2", &[("key", 1)]).await),
            Refusal::KeyRevoked
        );
    });
}

#[test]
fn breach_hits_the_guilty_one_and_the_others_commit() {
    scene(&one_lane(), async |scene| {
        scene
            .world
            .store
            .faults()
            .references
            .insert("A-2".to_owned(), BREACH);
        let orders = ["A-1", "A-2", "A-3", "A-4"];
        let [first, second, third, fourth] = one_batch(&scene, &orders, [])
            .await
            .try_into()
            .expect("four outcomes");
        for innocent in [first, third, fourth] {
            fresh(innocent);
        }
        assert!(matches!(fault(second), Fault::Aborted { .. }));
        scene.world.store.faults().references.clear();
        fresh(scene.fulfill("A-2", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn serial_that_storage_says_is_claimed_is_not_sold_again() {
    scene(&one_lane(), async |scene| {
        let sold = fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        let sold = sold.contents.serials().next().expect("one serial").id;
        let next = sold.import().serial(1);
        scene
            .world
            .store
            .tables()
            .claims
            .insert(next, Claimant::Quarantine);
        let breached = fault(scene.fulfill("A-2", &[("key", 1)]).await);
        assert!(matches!(breached, Fault::Aborted { .. }));
        let again = fresh(scene.fulfill("A-2", &[("key", 1)]).await);
        assert_ne!(
            again.contents.serials().next().expect("one serial").id,
            next
        );
        scene.check_at_rest().await;
    });
}

#[test]
fn full_storage_executes_nothing_reads_on_and_resumes_alone() {
    scene(&one_lane(), async |scene| {
        fresh(scene.fulfill("A-0", &[("key", 1)]).await);
        let scene = restarted(scene).await;
        for done in one_batch(&scene, &["A-1", "A-2"], [fails(Failure::Full)]).await {
            assert!(matches!(fault(done), Fault::Overloaded { .. }));
        }
        let during = fault(scene.fulfill("A-3", &[("key", 1)]).await);
        assert!(matches!(during, Fault::Overloaded { .. }));
        let id = scene.world.request("A-0", &[("key", 1)]).order_id().clone();
        let found = scene
            .engine
            .find(scene.world.scope(), &id)
            .await
            .expect("reads go on");
        assert!(found.is_some());
        sleep(Duration::from_millis(1100)).await;
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn item_that_cannot_be_stored_is_found_by_halves() {
    scene(&one_lane(), async |scene| {
        scene
            .world
            .store
            .faults()
            .references
            .insert("A-3".to_owned(), Failure::Item);
        let orders = ["A-1", "A-2", "A-3", "A-4", "A-5"];
        let outcomes = one_batch(&scene, &orders, []).await;
        for (order, outcome) in orders.iter().zip(outcomes) {
            if *order == "A-3" {
                assert!(matches!(fault(outcome), Fault::Aborted { .. }));
            } else {
                fresh(outcome);
            }
        }
        scene.check_at_rest().await;
    });
}

#[test]
fn repeated_reference_that_is_not_found_is_given_up() {
    scene(&one_lane(), async |scene| {
        scene
            .world
            .store
            .faults()
            .references
            .insert("A-1".to_owned(), Failure::Duplicate);
        let done = timeout(Duration::from_mins(1), scene.fulfill("A-1", &[("key", 1)])).await;
        assert!(matches!(
            fault(done.expect("an end")),
            Fault::Aborted { .. }
        ));
        scene.check_at_rest().await;
    });
}

#[test]
fn look_up_of_duplicates_that_fails_is_made_again_under_a_new_fence() {
    scene(&one_lane(), async |scene| {
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        let scene = restarted(scene).await;
        scene
            .world
            .store
            .faults()
            .existing
            .extend([Failure::Unknown, Failure::Retry]);
        replayed(scene.fulfill("A-1", &[("key", 1)]).await);
        fresh(scene.fulfill("A-2", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn stored_row_that_does_not_fit_is_no_reason_to_fence_the_lane() {
    scene(&one_lane(), async |scene| {
        let fence = || scene.world.store.tables().lanes[&0].fence;
        let before = fence();
        let damaged = Fault::Aborted { reason: "damaged" };
        scene.world.store.faults().look_ups.push_back(damaged);
        let refused = scene.fulfill("A-1", &[("key", 100), ("key", 1)]).await;
        assert_eq!(fault(refused), Fault::OutcomeUnknown);
        sleep(Duration::from_millis(1)).await;
        assert_eq!(fence(), before);
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn look_up_that_fails_is_unknown_and_the_next_one_knows() {
    scene(&one_lane(), async |scene| {
        scene
            .world
            .store
            .faults()
            .look_ups
            .push_back(Fault::Unavailable);
        let refused = scene.fulfill("A-1", &[("key", 100), ("key", 1)]).await;
        assert_eq!(fault(refused), Fault::OutcomeUnknown);
        sleep(Duration::from_millis(1)).await;
        let refused = scene.fulfill("A-1", &[("key", 100), ("key", 1)]).await;
        assert!(matches!(refusal(refused), Refusal::OutOfStock { .. }));
        scene.check_at_rest().await;
    });
}
