//! Serials that leave the shelf without an order: told truthfully, then with one lie each.

use super::scene::{Scene, merchant, serial, sku};
use crate::{Answer, Call, Claim, ClaimKind, Finding, Id, Point, Point::*, Withdrawal};

const PULL: Id = Id(0x77);
const REMOVAL: Id = Id(0x78);

/// Two serials were removed, one was pulled.
fn usual() -> Scene {
    let mut scene = Scene::usual();
    let removed = [serial(0, 30), serial(0, 31)];
    withdraw(&mut scene, REMOVAL, ClaimKind::Removal, &removed);
    withdraw(&mut scene, PULL, ClaimKind::Pull, &[serial(0, 32)]);
    scene.call(
        0,
        Call::Remove {
            withdrawal: REMOVAL,
            sku: sku(0),
            serials: [removed[0], removed[1], serial(0, 0)].into(),
        },
        Some(Answer::Withdrawn {
            serials: removed.into(),
        }),
    );
    scene.call(
        0,
        Call::Pull {
            withdrawal: PULL,
            sku: sku(0),
            quantity: 1,
        },
        Some(Answer::Withdrawn {
            serials: [serial(0, 32)].into(),
        }),
    );
    scene
}

fn withdraw(scene: &mut Scene, withdrawal: Id, kind: ClaimKind, serials: &[Id]) {
    scene.store.withdrawals.push(Withdrawal {
        withdrawal,
        merchant: merchant(0),
        sku: sku(0),
        kind,
        serials: serials.into(),
    });
    for serial in serials {
        scene.store.claims.push(claim(*serial, kind));
        if kind == ClaimKind::Removal {
            let mut rows = scene.store.serials.iter_mut();
            rows.find(|row| row.serial == *serial)
                .expect("stored")
                .removed = true;
        }
    }
}

fn claim(serial: Id, kind: ClaimKind) -> Claim {
    Claim {
        serial,
        kind,
        line: 0,
        unit_price: 0,
        price_version: 0,
        balance: 0,
        version: 0,
    }
}

/// The scene must violate exactly these points, and one violation must say this.
fn check(expected: &[Point], says: &str, lie: impl FnOnce(&mut Scene)) {
    let mut scene = usual();
    assert_eq!(scene.verdict().violated(), [], "{}", scene.verdict());
    lie(&mut scene);
    let verdict = scene.verdict();
    assert_eq!(verdict.violated(), expected, "{verdict}");
    let named = verdict.points.iter().any(|(_, finding)| match finding {
        Finding::Violated { named, .. } => named.iter().any(|each| each.what == says),
        Finding::Holds { .. } | Finding::NotChecked { .. } => false,
    });
    assert!(named, "`{says}` in\n{verdict}");
}

#[test]
fn withdrawal_lost_its_claim() {
    check(&[C10], "a withdrawn serial is not claimed so", |scene| {
        scene
            .store
            .claims
            .retain(|claim| claim.kind != ClaimKind::Pull);
    });
}

#[test]
fn claim_lost_its_withdrawal() {
    check(&[C10], "claims of no withdrawal", |scene| {
        let row = claim(serial(0, 33), ClaimKind::Pull);
        scene.store.claims.push(row);
    });
}

#[test]
fn removed_serial_is_sold_too() {
    check(&[C4, C10], "a serial has two claims", |scene| {
        let sold = scene
            .store
            .entries
            .iter()
            .find(|row| !row.serials.is_empty());
        let sold = sold.expect("something was sold").serials[0];
        scene.store.claims.push(claim(sold, ClaimKind::Pull));
        scene.store.withdrawals[1].serials = [serial(0, 32), sold].into();
    });
}

#[test]
fn pulled_serial_makes_room_for_another_upload() {
    let says = "a serial is removed, or kept, against its claim";
    check(&[C10], says, |scene| {
        let mut rows = scene.store.serials.iter_mut();
        let row = rows.find(|row| row.serial == serial(0, 32));
        row.expect("stored").removed = true;
    });
}

#[test]
fn pull_was_answered_with_other_serials() {
    let says = "a withdrawal is not stored as answered";
    check(&[C10], says, |scene| {
        let last = scene.history.invocations.len() - 1;
        *scene.answer(last) = Answer::Withdrawn {
            serials: [serial(0, 33)].into(),
        };
    });
}

#[test]
fn withdrawal_was_made_though_it_was_refused() {
    check(&[C10], "a withdrawal nobody asked for", |scene| {
        let last = scene.history.invocations.len() - 1;
        *scene.answer(last) = Answer::Refused("OVERLOADED".into());
    });
}
