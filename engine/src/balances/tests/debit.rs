//! Debits: held like orders, once per reference, whatever becomes of their commit.

use crate::{
    balances::{Cover, Credit, EntryKind},
    engine::Debited,
    fault::Fault,
    fulfillments::Refusal,
    ids::BalanceId,
    journal::Failure,
    testing::{
        CommitFault, Scene, World, credit,
        outcomes::{fresh, refusal},
        restarted, scene, usd,
    },
};

const LIVE: BalanceId = BalanceId(1);

fn world() -> World {
    World::new().product("key", 10).balance("10.00")
}

async fn debit(
    scene: &Scene,
    reference: &str,
    amount: &str,
    cover: Cover,
) -> Result<Debited, Fault> {
    let debit = Credit {
        kind: EntryKind::Debit,
        ..credit(LIVE, reference, -usd(amount))
    };
    scene.engine.debit(scene.world.scope(), debit, cover).await
}

#[test]
fn debit_takes_once_per_reference_even_after_a_restart() {
    scene(&world(), async |scene| {
        let debited = debit(&scene, "OUT-1", "4.00", Cover::Whole).await;
        let Ok(Debited::Fresh(entry)) = debited else {
            panic!("{debited:?}");
        };
        assert_eq!(entry.stamp.balance_after, usd("6.00"));
        let again = debit(&scene, "OUT-1", "4.00", Cover::Whole).await;
        assert_eq!(again, Ok(Debited::Replayed(entry.clone())));
        let scene = restarted(scene).await;
        let again = debit(&scene, "OUT-1", "4.00", Cover::Whole).await;
        assert_eq!(again, Ok(Debited::Replayed(entry)));
        assert_eq!(scene.balance().await.posted, usd("6.00"));
        scene.check_at_rest().await;
    });
}

#[test]
fn money_of_a_debit_under_way_is_not_spent_twice() {
    scene(&world(), async |scene| {
        scene.world.store.hold_commits();
        let meanwhile = async {
            scene.world.store.commit_waits().await;
            assert_eq!(scene.balance().await.held, usd("8.00"));
            let running = debit(&scene, "OUT-1", "8.00", Cover::Whole).await;
            assert_eq!(running, Ok(Debited::Running));
            let short = debit(&scene, "OUT-2", "2.01", Cover::Whole).await;
            let available = usd("2.00");
            assert_eq!(short, Ok(Debited::Short { available }));
            let refused = refusal(scene.fulfill("A-1", &[("key", 1)]).await);
            assert!(matches!(refused, Refusal::InsufficientBalance { .. }));
            scene.world.store.let_commits();
        };
        let debited = debit(&scene, "OUT-1", "8.00", Cover::Whole);
        let (debited, ()) = tokio::join!(debited, meanwhile);
        assert!(matches!(debited, Ok(Debited::Fresh(_))), "{debited:?}");
        assert_eq!(scene.balance().await.available(), usd("2.00"));
        scene.check_at_rest().await;
    });
}

#[test]
fn debit_of_what_is_available_takes_no_more() {
    scene(&world(), async |scene| {
        let debited = debit(&scene, "BACK-1", "25.00", Cover::Available).await;
        let Ok(Debited::Fresh(entry)) = debited else {
            panic!("{debited:?}");
        };
        assert_eq!(entry.credit.amount, -usd("10.00"));
        assert_eq!(scene.balance().await.posted, usd("0.00"));
        scene.check_at_rest().await;
    });
}

#[test]
fn debit_that_cannot_be_stored_gives_its_money_back() {
    scene(&world(), async |scene| {
        let failure = CommitFault::Fails(Failure::Item);
        scene.world.store.faults().commits.push_back(Some(failure));
        let failed = debit(&scene, "OUT-1", "8.00", Cover::Whole).await;
        assert!(matches!(failed, Err(Fault::Aborted { .. })), "{failed:?}");
        assert_eq!(scene.balance().await.available(), usd("10.00"));
        let debited = debit(&scene, "OUT-1", "8.00", Cover::Whole).await;
        assert!(matches!(debited, Ok(Debited::Fresh(_))), "{debited:?}");
        scene.check_at_rest().await;
    });
}

#[test]
fn debit_whose_answer_is_lost_is_resolved_by_the_fence() {
    scene(&world(), async |scene| {
        for (reference, lost) in [
            ("OUT-1", CommitFault::AnswerLost),
            ("OUT-2", CommitFault::LandsBeforeFence),
            ("OUT-3", CommitFault::LandsAfterFence),
        ] {
            scene.world.store.faults().commits.push_back(Some(lost));
            let debited = debit(&scene, reference, "2.00", Cover::Whole).await;
            assert!(matches!(debited, Ok(Debited::Fresh(_))), "{debited:?}");
        }
        assert_eq!(scene.balance().await.available(), usd("4.00"));
        scene.check_at_rest().await;
    });
}

#[test]
fn replay_of_a_forgotten_order_is_answered_from_storage() {
    scene(&world(), async |scene| {
        let first = fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        let scope = scene.world.scope();
        let order_id = &first.contents.order_id;
        let told = scene.engine.fulfillment_changed(scope, order_id).await;
        assert_eq!(told, Ok(()));
        let again = crate::testing::outcomes::replayed(scene.fulfill("A-1", &[("key", 1)]).await);
        assert_eq!(again, first);
        scene.check_at_rest().await;
    });
}

#[test]
fn credit_beside_a_repeated_debit_is_refused_if_it_fits_only_with_it() {
    let world = World::new().product("key", 10).balance("9999999999.99");
    scene(&world, async |scene| {
        let of = async |reference, amount| debit(&scene, reference, amount, Cover::Whole).await;
        assert!(matches!(of("OUT-1", "1.00").await, Ok(Debited::Fresh(_))));
        scene.credit("IN-1", "1.00").await.unwrap();
        // From here on batches look their references up first.
        assert!(matches!(
            of("OUT-1", "1.00").await,
            Ok(Debited::Replayed(_))
        ));
        scene.world.store.hold_commits();
        let together = async {
            scene.world.store.commit_waits().await;
            let released = async {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                scene.world.store.let_commits();
            };
            let (again, credit) = (of("OUT-1", "1.00"), scene.credit("IN-2", "2.50"));
            let (again, credited, ()) = tokio::join!(again, credit, released);
            assert!(matches!(again, Ok(Debited::Replayed(_))), "{again:?}");
            credited
        };
        let (first, credited) = tokio::join!(of("OUT-2", "2.00"), together);
        assert!(matches!(first, Ok(Debited::Fresh(_))), "{first:?}");
        assert_eq!(credited, Err(Fault::Excess));
        assert_eq!(scene.balance().await.posted, usd("9999999997.99"));
        scene.check_at_rest().await;
    });
}
