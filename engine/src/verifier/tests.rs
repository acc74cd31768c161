//! Drift is found and quarantined; whatever is only late is not drift.

use std::sync::Arc;

use super::{Delivered, Drift, Line, Verifier, replay::check};
use crate::{
    actors::Arbiters,
    fulfillments::Error,
    ids::BalanceId,
    money::Money,
    testing::{
        Claimant, EntryRow, Scene, World,
        outcomes::{fault, fresh},
        scene, usd,
    },
};

const LIVE: BalanceId = BalanceId(1);
/// Steps that see every balance and every shelf of a scene at least twice.
const STEPS: usize = 12;

fn world() -> World {
    World::new().product("key", 10).balance("50.00")
}

async fn verify(scene: &Scene, entries_max: u32) {
    let fulfiller = Arc::clone(scene.engine.fulfiller());
    let source = Arc::new(scene.world.store.clone());
    let mut verifier = Verifier::new(fulfiller, source, entries_max);
    for _ in 0..STEPS {
        verifier.step().await;
    }
}

async fn is_served(scene: &Scene, id: &str) -> bool {
    match scene.fulfill(id, &[("key", 1)]).await {
        Ok(_) => true,
        Err(Error::Faulted(_)) => false,
        Err(Error::Refused(refusal)) => panic!("{refusal}"),
    }
}

/// Changes a stored entry behind everybody's back.
fn falsify(scene: &Scene, version: i64, falsify: impl FnOnce(&mut EntryRow)) {
    let mut tables = scene.world.store.tables();
    let row = tables.entries.get_mut(&(LIVE, version));
    falsify(row.expect("it is stored"));
}

#[test]
fn what_is_right_is_left_alone() {
    scene(&world(), async |scene| {
        for id in ["A-1", "A-2", "A-3"] {
            fresh(scene.fulfill(id, &[("key", 2)]).await);
            verify(&scene, 2).await;
        }
        assert!(is_served(&scene, "A-4").await);
        scene.check_at_rest().await;
    });
}

#[test]
fn order_under_way_is_no_drift() {
    scene(&world(), async |scene| {
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.world.store.hold_commits();
        let order = scene.fulfill("A-2", &[("key", 2)]);
        let proof = async {
            scene.world.store.commit_waits().await;
            verify(&scene, 256).await;
            scene.world.store.let_commits();
            verify(&scene, 256).await;
        };
        let (order, ()) = tokio::join!(order, proof);
        fresh(order);
        scene.check_at_rest().await;
    });
}

#[test]
fn sales_of_a_successor_are_no_drift_to_an_owner_that_does_not_know_of_it() {
    scene(&world(), async |scene| {
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        scene.world.store.free_lease();
        let next = scene.world.start(Arbiters::current()).await;
        let next = next.expect("the shard is free");
        fresh(next.fulfill("A-2", &[("key", 1)]).await);
        assert!(scene.engine.fulfiller().lanes.ownership.is_fresh());
        verify(&scene, 256).await;
        let fulfiller = scene.engine.fulfiller();
        assert!(!fulfiller.balances.registry.is_quarantined(&LIVE));
        let sku = scene.world.sku("key");
        assert!(!fulfiller.inventory.registry.is_quarantined(&sku));
        next.check_at_rest().await;
    });
}

#[test]
fn ledger_that_does_not_add_up_takes_its_balance_out_of_service() {
    scene(&world(), async |scene| {
        fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        fresh(scene.fulfill("A-2", &[("key", 1)]).await);
        falsify(&scene, 2, |row| match row {
            EntryRow::Fulfillment(row) => row.stamp.balance_after = usd("49.00"),
            EntryRow::Credit(row) => row.stamp.balance_after = usd("49.00"),
        });
        verify(&scene, 256).await;
        assert!(!is_served(&scene, "A-3").await);
    });
}

#[test]
fn actor_that_is_richer_than_its_ledger_is_taken_out_of_service() {
    scene(&world(), async |scene| {
        assert_eq!(scene.balance().await.posted, usd("50.00"));
        falsify(&scene, 1, |row| {
            let EntryRow::Credit(row) = row else {
                panic!("the first entry is a credit");
            };
            row.stamp.balance_after = usd("40.00");
            Arc::make_mut(&mut row.credit).amount = usd("40.00");
        });
        verify(&scene, 256).await;
        assert!(!is_served(&scene, "A-1").await);
    });
}

#[test]
fn delivery_without_its_claim_takes_its_balance_out_of_service() {
    scene(&world(), async |scene| {
        let delivered = fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        let serial = delivered.contents.serials().next().expect("a serial").id;
        scene.world.store.tables().claims.remove(&serial);
        verify(&scene, 256).await;
        assert!(!is_served(&scene, "A-2").await);
    });
}

#[test]
fn window_with_a_claimed_serial_takes_its_shelf_out_of_service() {
    let world = world().product("other", 3);
    scene(&world, async |scene| {
        let delivered = fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        let sold = delivered.contents.serials().next().expect("a serial").id;
        let next = sold.import().serial(sold.ordinal() + 1);
        let claimant = Claimant::Quarantine;
        scene.world.store.tables().claims.insert(next, claimant);
        verify(&scene, 256).await;
        let refused = scene.fulfill("A-2", &[("key", 1)]).await;
        assert!(matches!(
            fault(refused),
            crate::fault::Fault::Aborted { .. }
        ));
        fresh(scene.fulfill("A-3", &[("other", 1)]).await);
    });
}

#[test]
fn changed_terms_are_acknowledged_although_a_balance_is_out_of_service() {
    scene(&world(), async |scene| {
        let balances = &scene.engine.fulfiller().balances.registry;
        balances.quarantine(LIVE).await;
        assert!(!is_served(&scene, "A-1").await);
        let revoked = scene.change_terms(|terms| terms.keys.clear()).await;
        assert_eq!(revoked, Ok(()));
    });
}

fn line(version: i64, amount: i64, balance_after: i64) -> Line {
    let money = |minor| Money::from_minor(minor).expect("an amount");
    let delivered = (amount < 0).then(|| Delivered {
        serials: 1,
        claims: 1,
        cost: money(-amount),
    });
    Line {
        version,
        amount: money(amount),
        balance_after: money(balance_after),
        delivered,
    }
}

#[test]
fn slices_of_a_ledger_that_adds_up_pass() {
    let lines = [line(1, 500, 500), line(2, -200, 300), line(3, -300, 0)];
    assert_eq!(check(0, 3, &lines), None);
    assert_eq!(check(2, 3, &lines[1..]), None);
    assert_eq!(check(3, 3, &lines[2..]), None);
    assert_eq!(check(0, 0, &[]), None);
}

#[test]
fn every_way_to_be_wrong_has_its_name() {
    let lost = Delivered {
        serials: 2,
        claims: 1,
        cost: Money::ZERO,
    };
    let unclaimed = Line {
        delivered: Some(lost),
        ..line(2, -200, 300)
    };
    for (from, through, lines, drift) in [
        (0, 2, vec![line(1, 500, 500)], Drift::Versions),
        (0, 2, vec![line(2, 500, 500)], Drift::Versions),
        (1, 2, vec![line(2, 500, 500)], Drift::Versions),
        (1, 1, vec![], Drift::Versions),
        (0, 1, vec![line(1, 500, 501)], Drift::Sum),
        (
            0,
            2,
            vec![line(1, 100, 100), line(2, -200, -100)],
            Drift::BelowZero,
        ),
        (0, 2, vec![line(1, 500, 500), unclaimed], Drift::Claims),
    ] {
        assert_eq!(check(from, through, &lines), Some(drift), "{lines:?}");
    }
}
