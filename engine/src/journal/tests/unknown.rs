//! Outcomes that are not known: committed, never, or halt.

use std::time::Duration;

use tokio::time::sleep;
use uuid::Uuid;

use super::{batch_sizes, one_batch, one_lane};
use crate::{
    actors::Arbiters,
    fault::Fault,
    journal::{Failure, FenceFailure, Journal as _, Owner},
    testing::{
        CommitFault,
        outcomes::{fault, fresh, replayed},
        scene,
    },
};

const UNKNOWN: CommitFault = CommitFault::Fails(Failure::Unknown);

/// Whatever becomes of the answer, everybody is told the truth and everything is executed once.
fn check(lost: &CommitFault) {
    scene(&one_lane(), async |scene| {
        for done in one_batch(&scene, &["A-1", "A-2", "A-3"], [Some(lost.clone())]).await {
            fresh(done);
        }
        assert_eq!(batch_sizes(&scene), [1, 3], "{lost:?}");
        let late = scene.world.store.faults().landed.clone();
        let expected = match lost {
            CommitFault::LandsBeforeFence => vec![Ok(())],
            CommitFault::LandsAfterFence => vec![Err(Failure::Fenced)],
            _ => vec![],
        };
        assert_eq!(late, expected);
        scene.check_at_rest().await;
    });
}

#[test]
fn lost_answers_are_resolved_by_the_fence() {
    check(&CommitFault::AnswerLost);
    check(&UNKNOWN);
}

#[test]
fn silence_is_resolved_by_the_fence_after_the_lanes_deadline() {
    check(&CommitFault::Silent { written: true });
    check(&CommitFault::Silent { written: false });
}

#[test]
fn statement_that_lands_late_counts_once_on_either_side_of_the_fence() {
    check(&CommitFault::LandsBeforeFence);
    check(&CommitFault::LandsAfterFence);
}

#[test]
fn credit_whose_answer_was_lost_is_applied_once() {
    for lost in [CommitFault::AnswerLost, UNKNOWN] {
        scene(&one_lane(), async |scene| {
            scene.world.store.faults().commits = [Some(lost)].into();
            scene.credit("PAY-1", "5.00").await.expect("credited");
            assert_eq!(batch_sizes(&scene), [1]);
            scene.check_at_rest().await;
        });
    }
}

#[test]
fn fence_that_is_not_granted_is_asked_for_again() {
    scene(&one_lane(), async |scene| {
        scene
            .world
            .store
            .faults()
            .fences
            .extend([FenceFailure::Unavailable; 3]);
        for done in one_batch(&scene, &["A-1"], [Some(CommitFault::AnswerLost)]).await {
            fresh(done);
        }
        scene.check_at_rest().await;
    });
}

#[test]
fn batch_that_is_too_old_is_not_sent_again() {
    scene(&one_lane(), async |scene| {
        // Back-off doubles from 20 ms to 1 s: more than ten seconds in all.
        scene
            .world
            .store
            .faults()
            .fences
            .extend([FenceFailure::Unavailable; 18]);
        for done in one_batch(&scene, &["A-1"], [Some(UNKNOWN)]).await {
            assert_eq!(fault(done), Fault::OutcomeUnknown);
        }
        sleep(Duration::from_secs(10)).await;
        assert_eq!(batch_sizes(&scene), [1]);
        scene.check_at_rest().await;
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
    });
}

#[test]
fn what_waited_too_long_behind_an_unknown_batch_is_not_executed() {
    let world = one_lane().configure(|config| config.batch_entries_max = 1);
    scene(&world, async |scene| {
        let store = &scene.world.store;
        store
            .faults()
            .fences
            .extend([FenceFailure::Unavailable; 18]);
        for done in one_batch(&scene, &["A-1", "A-2"], [Some(UNKNOWN)]).await {
            assert_eq!(fault(done), Fault::OutcomeUnknown);
        }
        sleep(Duration::from_secs(10)).await;
        assert_eq!(batch_sizes(&scene), [1]);
        scene.check_at_rest().await;
        fresh(scene.fulfill("A-2", &[("key", 2)]).await);
    });
}

#[test]
fn number_that_nobody_can_explain_halts_the_lane() {
    for by in [-1, 2] {
        scene(&one_lane(), async |scene| {
            let tamper = async {
                sleep(Duration::from_millis(10)).await;
                let mut tables = scene.world.store.tables();
                tables.lanes.get_mut(&0).expect("the lane").seq += by;
            };
            scene
                .world
                .store
                .faults()
                .fences
                .push_back(FenceFailure::Unavailable);
            let (outcomes, ()) =
                tokio::join!(one_batch(&scene, &["A-1", "A-2"], [Some(UNKNOWN)]), tamper);
            for done in outcomes {
                assert_eq!(fault(done), Fault::OutcomeUnknown);
            }
            scene.engine.lost().await;
            assert!(scene.engine.is_halted());
            let later = fault(scene.fulfill("A-3", &[("key", 1)]).await);
            assert!(matches!(later, Fault::Overloaded { .. }));
            scene.engine.drain().await;
            let (store, next) = (&scene.world.store, Owner(Uuid::from_u128(2)));
            let refused = store.take_over(next, 1).await.map(drop).unwrap_err();
            assert!(!refused.passing);
            store.tables().halted = None;
            assert!(store.take_over(next, 1).await.is_ok());
        });
    }
}

#[test]
fn what_a_replaced_owner_had_under_way_is_known_to_the_next() {
    for (lost, committed) in [(CommitFault::AnswerLost, true), (UNKNOWN, false)] {
        scene(&one_lane(), async |scene| {
            scene
                .world
                .store
                .faults()
                .fences
                .extend([FenceFailure::Unavailable; 8]);
            let takeover = async {
                sleep(Duration::from_millis(100)).await;
                scene.world.store.faults().fences.clear();
                scene.world.store.free_lease();
                scene
                    .world
                    .start(Arbiters::current())
                    .await
                    .expect("the shard is free")
            };
            let script = [Some(lost)];
            let (outcomes, next) = tokio::join!(one_batch(&scene, &["A-1"], script), takeover);
            for done in outcomes {
                assert_eq!(fault(done), Fault::OutcomeUnknown);
            }
            let again = next.fulfill("A-1", &[("key", 1)]).await;
            drop(if committed {
                replayed(again)
            } else {
                fresh(again)
            });
            next.check_at_rest().await;
        });
    }
}
