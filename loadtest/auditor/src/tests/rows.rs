//! Rows that contradict each other, whatever anybody was told.

use super::scene::{PRICE, Scene, account, balance, import, merchant, serial, sku};
use crate::{
    Account, Alarms, Answer, Batch, Call, Claim, ClaimKind, Finding, Id, Memory, Point, Point::*,
    Serial, Window,
};

/// The scene must violate exactly these points, and one violation must say this.
fn check(expected: &[Point], says: &str, lie: impl FnOnce(&mut Scene)) {
    let mut scene = Scene::usual();
    lie(&mut scene);
    let verdict = scene.verdict();
    assert_eq!(verdict.violated(), expected, "{verdict}");
    let named = verdict.points.iter().any(|(_, finding)| match finding {
        Finding::Violated { named, .. } => named.iter().any(|each| each.what == says),
        Finding::Holds { .. } | Finding::NotChecked { .. } => false,
    });
    assert!(named, "`{says}` in\n{verdict}");
}

fn claim(serial: Id, version: i64) -> Claim {
    Claim {
        serial,
        kind: ClaimKind::Fulfillment,
        line: 1,
        unit_price: PRICE,
        price_version: 4,
        balance: balance(0),
        version,
    }
}

#[test]
fn credit_takes_money() {
    check(&[C8], "a debit adds or a credit takes", |scene| {
        let call = scene.credit(0, "pay-3", 50);
        let row = scene.entry(0, "pay-3").expect("stored");
        (row.amount, row.balance_after) = (-50, row.balance_after - 100);
        let after = row.balance_after;
        if let Answer::Credited {
            amount,
            balance_after,
            ..
        } = scene.answer(call)
        {
            (*amount, *balance_after) = (-50, after);
        }
        scene.history.invocations[call].call = Call::Credit {
            reference: "pay-3".into(),
            amount: -50,
        };
    });
}

#[test]
fn credit_has_a_claim() {
    let says = "an entry's serials are not its claims";
    check(&[C9], says, |scene| {
        scene.store.claims.push(claim(serial(0, 20), 1));
    });
}

#[test]
fn entry_belongs_to_no_balance() {
    let says = "an entry of no balance";
    check(&[C1, C2, C9, C13], says, |scene| {
        scene.store.balances.retain(|row| row.balance != balance(2));
        scene.history.invocations.retain(|call| {
            !matches!(call.call, Call::Credit { .. }) || call.account != Some(account(2))
        });
    });
}

#[test]
fn serial_is_stored_twice() {
    check(&[C10], "a serial's id is stored twice", |scene| {
        let again = Serial {
            fingerprint: Id(1),
            ..scene.store.serials[30]
        };
        scene.store.serials.push(again);
    });
}

#[test]
fn serial_of_test_mode_is_sold() {
    let says = "test mode and live have each other's serials";
    check(&[C10], says, |scene| {
        scene.store.imports[0].test = true;
    });
}

#[test]
fn serial_belongs_to_no_import() {
    check(&[C10], "a serial of no import", |scene| {
        let lost = Serial {
            serial: Id(77 << 32),
            merchant: merchant(0),
            fingerprint: Id(1),
            removed: false,
        };
        scene.store.serials.push(lost);
    });
}

#[test]
fn serial_lies_in_anothers_import() {
    let says = "a serial in another's import";
    check(&[C10], says, |scene| {
        scene.store.serials[30].merchant = Id(5);
    });
}

#[test]
fn two_imports_were_numbered_alike() {
    let says = "two imports have one number";
    check(&[C10], says, |scene| {
        scene.store.imports[1].number = Some(1);
    });
}

#[test]
fn claim_is_of_no_serial() {
    check(&[C9, C10], "a claim of no serial", |scene| {
        scene.store.claims.push(claim(Id(99 << 32), 99));
    });
}

#[test]
fn quarantined_serial_needs_no_delivery() {
    let mut scene = Scene::usual();
    scene.store.claims.push(Claim {
        kind: ClaimKind::Quarantine,
        balance: 0,
        version: 0,
        ..claim(serial(0, 20), 0)
    });
    assert_eq!(scene.verdict().violated(), []);
}

#[test]
fn upload_counts_more_than_it_has() {
    check(&[C10], "an upload's counts are not its lines", |scene| {
        let call = Call::Import {
            sku: sku(0),
            secrets: [Id(1)].into(),
        };
        let answer = Answer::Imported {
            import: import(0),
            stored: super::scene::SERIALS,
            duplicates: 0,
        };
        scene.call(0, call, Some(answer));
    });
}

#[test]
fn more_is_available_than_there_is() {
    check(&[C12], "more available than there is", |scene| {
        let (call, posted) = (scene.read(0), scene.posted(0));
        *scene.answer(call) = Answer::Balance {
            posted,
            available: posted + 1,
            version: None,
        };
    });
}

#[test]
fn version_is_read_before_it_is_there() {
    check(&[C12], "a version from the future", |scene| {
        let (call, posted) = (scene.read(0), scene.posted(0));
        *scene.answer(call) = Answer::Balance {
            posted,
            available: posted,
            version: Some(scene.version(0) + 1),
        };
    });
}

#[test]
fn balance_is_read_that_nobody_has() {
    check(&[C12], "a balance was read that is not stored", |scene| {
        let call = scene.read(1);
        scene.history.invocations[call].account = Some(Account {
            test: true,
            ..account(1)
        });
    });
}

#[test]
fn credit_of_another_is_shown() {
    check(&[C8, C13], "another's credit", |scene| {
        let foreign = scene.entry(2, "pay-2").expect("stored").id;
        let call = scene.credit(1, "pay-3", 50);
        if let Answer::Credited { id, .. } = scene.answer(call) {
            *id = foreign;
        }
    });
}

#[test]
fn debit_is_denied_after_it_was_told() {
    let says = "a debit that was executed was denied afterwards";
    check(&[C2], says, |scene| {
        scene.credit(1, "pay-3", 50);
        scene.credit(1, "out-1", -50);
        let again = Call::Credit {
            reference: "out-1".into(),
            amount: -50,
        };
        let refused = Answer::Refused("INSUFFICIENT_BALANCE".into());
        scene.call(1, again, Some(refused));
    });
}

#[test]
fn debit_is_stored_that_was_refused() {
    let says = "a credit is stored though every call was answered as not executed";
    check(&[C2], says, |scene| {
        scene.credit(1, "pay-3", 50);
        let call = scene.credit(1, "out-1", -50);
        *scene.answer(call) = Answer::Refused("INSUFFICIENT_BALANCE".into());
    });
}

#[test]
fn batches_belong_to_no_lane() {
    let says = "batches of no lane";
    check(&[C15], says, |scene| {
        scene.store.lanes.retain(|row| row.lane != 1);
    });
}

#[test]
fn fence_of_a_lane_is_below_its_last_batch() {
    let says = "a lane's fence is below that of its last batch";
    check(&[C15], says, |scene| scene.store.lanes[0].fence -= 1);
}

#[test]
fn ledger_goes_back_from_batch_to_batch() {
    let says = "a ledger goes back from batch to batch";
    check(&[C15], says, |scene| {
        let entries = scene.store.batches[0].entries.clone();
        scene.store.batches[0].entries = scene.store.batches[2].entries.clone();
        scene.store.batches[2].entries = entries;
    });
}

#[test]
fn entry_is_in_no_batch() {
    check(&[C15], "an entry is in no batch", |scene| {
        let last = scene.store.batches.last_mut().expect("batches");
        *last = Batch {
            entries: [].into(),
            ..last.clone()
        };
    });
}

#[test]
fn serials_are_held_at_rest() {
    check(&[C17], "serials are held at rest", |scene| {
        scene.run.memory = Some(Memory {
            windows: vec![Window {
                sku: sku(0),
                held: 1,
                serials: vec![serial(0, 30)],
            }],
            ..Memory::default()
        });
    });
}

#[test]
fn window_offers_a_serial_of_another_shelf() {
    let says = "memory offers a serial that is not free";
    check(&[C17], says, |scene| {
        scene.run.memory = Some(Memory {
            windows: vec![Window {
                sku: sku(0),
                held: 0,
                serials: vec![serial(1, 30)],
            }],
            ..Memory::default()
        });
    });
}

#[test]
fn every_alarm_is_named() {
    for (alarms, says) in [
        (
            Alarms {
                invariant_violations: 1,
                ..Alarms::default()
            },
            "an invariant was violated",
        ),
        (
            Alarms {
                quarantined: 1,
                ..Alarms::default()
            },
            "a key is quarantined",
        ),
    ] {
        check(&[C19], says, |scene| scene.run.alarms = Some(alarms));
    }
}
