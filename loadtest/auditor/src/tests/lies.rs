//! One false history per way to lie. Each begins as a true one.

use super::scene::{
    PRICE, SERIALS, Scene, account, balance, body, import, order, secret, serial, sku,
};
use crate::{
    Alarms, Answer, Answered, Body, Call, Claim, ClaimKind, Delivered, Id, Memory, Point, Point::*,
    Window,
};

/// The first point must be the one that names it; others may be hurt as well.
fn check(expected: &[Point], lie: impl FnOnce(&mut Scene)) {
    let mut scene = Scene::usual();
    assert_eq!(scene.verdict().violated(), [], "{}", scene.verdict());
    lie(&mut scene);
    let verdict = scene.verdict();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(verdict.violated(), expected, "{verdict}");
}

#[test]
fn acknowledged_order_is_lost_at_the_end_of_its_ledger() {
    check(&[C1, C12, C15], |scene| scene.remove_entry(0, "b"));
}

#[test]
fn acknowledged_order_is_stored_with_another_cost() {
    check(&[C1, C5], |scene| {
        let call = scene.replay(0, "a");
        scene.delivery(call).cost = 99;
    });
}

#[test]
fn acknowledged_order_is_stored_with_another_time() {
    check(&[C1], |scene| {
        let call = scene.deliver(0, "d", 1);
        scene.delivery(call).created_at += 1_000;
    });
}

#[test]
fn acknowledged_order_is_stored_with_other_serials() {
    check(&[C1], |scene| {
        let call = scene.deliver(0, "d", 1);
        scene.delivery(call).serials[0].id = serial(0, 30);
    });
}

#[test]
fn order_is_executed_twice() {
    check(&[C1, C2], |scene| {
        scene.execute(0, "a", 1);
    });
}

#[test]
fn refusal_left_an_entry() {
    check(&[C2], |scene| {
        scene.execute(0, "d", 1);
        scene.refuse(0, "d", 1, "OVERLOADED");
    });
}

#[test]
fn waiter_said_no_and_the_retry_says_it_was_done_before() {
    check(&[C2], |scene| {
        scene.refuse(0, "d", 1, "OVERLOADED");
        scene.execute(0, "d", 1);
        scene.replay(0, "d");
    });
}

#[test]
fn delivered_order_is_refused_for_funds() {
    check(&[C2], |scene| {
        scene.refuse(0, "a", 1, "INSUFFICIENT_BALANCE");
    });
}

#[test]
fn delivered_order_is_not_found_by_its_id() {
    check(&[C2], |scene| {
        let call = scene.look_up(0, "a");
        *scene.answer(call) = Answer::Absent;
    });
}

#[test]
fn entry_that_nobody_asked_for() {
    check(&[C2], |scene| {
        scene.execute(0, "nobody", 1);
    });
}

#[test]
fn credit_that_nobody_asked_for() {
    check(&[C2], |scene| {
        scene.credit(0, "pay-9", 50);
        scene.history.invocations.pop();
    });
}

#[test]
fn order_without_an_answer_is_never_resolved() {
    check(&[C3], |scene| {
        scene.call(0, order("d", body(0, 1)), Some(Answer::Unknown));
    });
}

#[test]
fn unknown_order_was_found_free_and_appears_afterwards() {
    check(&[C3], |scene| {
        scene.call(0, order("d", body(0, 1)), Some(Answer::Unknown));
        scene.refuse(0, "d", 1, "OUT_OF_STOCK");
        scene.execute(0, "d", 1);
    });
}

#[test]
fn credit_without_an_answer_is_there_with_half_its_amount() {
    check(&[C3], |scene| {
        let call = scene.credit(0, "pay-3", 50);
        scene.history.invocations[call].answered = None;
        scene.history.invocations[call].call = Call::Credit {
            reference: "pay-3".into(),
            amount: 100,
        };
    });
}

#[test]
fn serial_has_two_claims() {
    check(&[C4, C8, C9], |scene| {
        let again = Claim {
            version: scene.version(0),
            ..scene.store.claims[0]
        };
        scene.store.claims.push(again);
    });
}

#[test]
fn serial_is_answered_for_two_orders_though_stored_for_one() {
    check(&[C4, C1], |scene| {
        let call = scene.deliver(0, "d", 1);
        scene.delivery(call).serials[0] = Delivered {
            id: serial(0, 0),
            secret: secret(serial(0, 0)),
        };
    });
}

#[test]
fn one_text_is_answered_under_two_ids() {
    check(&[C4], |scene| {
        let call = scene.deliver(0, "d", 1);
        scene.delivery(call).serials[0].secret = secret(serial(0, 0));
    });
}

#[test]
fn one_serial_is_answered_with_two_texts() {
    check(&[C4, C5], |scene| {
        let call = scene.replay(0, "a");
        scene.delivery(call).serials[0].secret = Id(1);
    });
}

#[test]
fn two_answers_of_one_order_have_different_times() {
    check(&[C5, C1], |scene| {
        let call = scene.replay(0, "a");
        scene.delivery(call).created_at += 1;
    });
}

#[test]
fn two_answers_claim_to_be_the_first() {
    check(&[C5], |scene| {
        let call = scene.replay(0, "a");
        scene.delivery(call).replayed = false;
    });
}

#[test]
fn other_body_got_the_serials() {
    check(&[C6], |scene| {
        let call = scene.replay(0, "a");
        let other = Body {
            rest: Id(8),
            ..body(0, 1)
        };
        scene.history.invocations[call].call = order("a", other);
    });
}

#[test]
fn same_body_is_called_a_mismatch() {
    check(&[C6], |scene| {
        scene.refuse(0, "a", 1, "ORDER_MISMATCH");
    });
}

#[test]
fn version_is_missing() {
    check(&[C7, C1, C12, C15], |scene| {
        let cost = {
            let row = scene.entry(0, "a").expect("stored");
            row.amount
        };
        scene.remove_entry(0, "a");
        let later = scene.entry(0, "b").expect("stored");
        later.balance_after -= cost;
    });
}

#[test]
fn running_balance_is_wrong() {
    check(&[C7], |scene| {
        scene.entry(0, "b").expect("stored").balance_after += 1;
    });
}

#[test]
fn balance_is_below_zero_in_the_middle() {
    check(&[C7], |scene| {
        scene.credit(1, "pay-3", PRICE);
        scene.execute(1, "d", 2);
        let mut asked = scene.told(1, "d");
        asked.replayed = false;
        scene.call(1, order("d", body(1, 2)), Some(Answer::Delivered(asked)));
        scene.credit(1, "pay-4", 2 * PRICE);
    });
}

#[test]
fn debit_is_less_than_its_units() {
    check(&[C8], |scene| {
        for claim in scene
            .store
            .claims
            .iter_mut()
            .filter(|claim| claim.version == 2)
        {
            claim.unit_price = PRICE + 1;
            claim.price_version = 5;
        }
    });
}

#[test]
fn one_version_of_a_price_has_two_prices() {
    check(&[C8], |scene| {
        for claim in &mut scene.store.claims[1..3] {
            claim.unit_price += if claim.serial == serial(0, 1) { 1 } else { -1 };
        }
    });
}

#[test]
fn credit_is_lost() {
    check(&[C8, C15], |scene| {
        scene.credit(1, "pay-3", 50);
        scene.remove_entry(1, "pay-3");
    });
}

#[test]
fn credit_is_stored_twice() {
    check(&[C8, C2], |scene| {
        scene.credit(1, "pay-3", 50);
        scene.credit(1, "pay-3", 50);
        scene.history.invocations.pop();
    });
}

#[test]
fn order_is_dearer_than_accepted() {
    check(&[C8], |scene| {
        let call = scene.deliver(0, "d", 1);
        scene.history.invocations[call].call = Call::Fulfill {
            order_id: "d".into(),
            body: body(0, 1),
            max_total: Some(PRICE - 1),
        };
    });
}

#[test]
fn delivery_lacks_a_unit() {
    check(&[C9], |scene| {
        let call = scene.deliver(0, "d", 2);
        scene.history.invocations[call].call = order("d", body(0, 3));
    });
}

#[test]
fn delivery_has_another_product() {
    check(&[C9], |scene| {
        let call = scene.deliver(0, "d", 1);
        let mut other = body(0, 1);
        other.lines[0].sku.product = Id(1);
        scene.history.invocations[call].call = order("d", other);
    });
}

#[test]
fn claim_has_no_delivery() {
    check(&[C9], |scene| {
        scene.store.claims.push(Claim {
            serial: serial(0, 20),
            kind: ClaimKind::Fulfillment,
            line: 1,
            unit_price: PRICE,
            price_version: 4,
            balance: balance(0),
            version: 99,
        });
    });
}

#[test]
fn serial_of_another_merchant_is_delivered() {
    check(&[C9, C13], |scene| {
        let call = scene.deliver(2, "d", 1);
        let foreign = serial(0, 25);
        let row = scene.entry(2, "d").expect("stored");
        row.serials = [foreign].into();
        scene.store.claims.last_mut().expect("claimed").serial = foreign;
        let shown = Delivered {
            id: foreign,
            secret: secret(foreign),
        };
        scene.delivery(call).serials = [shown].into();
    });
}

#[test]
fn import_lost_a_serial() {
    check(&[C10], |scene| {
        scene
            .store
            .serials
            .retain(|row| row.serial != serial(0, 30));
    });
}

#[test]
fn secret_is_stored_twice() {
    check(&[C10], |scene| {
        let first = scene.store.serials[0].fingerprint;
        scene.store.serials[1].fingerprint = first;
    });
}

#[test]
fn free_serial_lies_below_the_low_water_mark() {
    check(&[C10], |scene| scene.store.imports[0].low_ordinal = 30);
}

#[test]
fn serial_is_sold_before_its_import_is_on_sale() {
    check(&[C10], |scene| scene.store.imports[0].number = None);
}

#[test]
fn upload_is_stored_in_part() {
    check(&[C10], |scene| {
        let call = Call::Import {
            sku: sku(0),
            secrets: vec![Id(1); 41].into(),
        };
        let answer = Answer::Imported {
            import: import(0),
            stored: 41,
            duplicates: 0,
        };
        scene.call(0, call, Some(answer));
    });
}

#[test]
fn later_order_comes_first_in_the_ledger() {
    check(&[C11], |scene| {
        scene.credit(1, "pay-3", 500);
        let late = scene.tick() + 1_000;
        let first = scene.deliver(1, "d", 1);
        scene.deliver(1, "e", 1);
        // The one with the lower version was sent only after the other had been answered.
        scene.history.invocations[first].sent_at = late;
        let answered = scene.history.invocations[first].answered.as_mut();
        answered.expect("it was answered").at = late + 1;
    });
}

#[test]
fn balance_is_read_without_an_acknowledged_debit() {
    check(&[C12], |scene| {
        let call = scene.read(0);
        *scene.answer(call) = Answer::Balance {
            posted: 900,
            available: 900,
            version: Some(2),
        };
    });
}

#[test]
fn balance_is_read_with_a_credit_not_yet_made() {
    check(&[C12], |scene| {
        let call = scene.read(0);
        scene.credit(0, "pay-3", 50);
        *scene.answer(call) = Answer::Balance {
            posted: 750,
            available: 750,
            version: Some(4),
        };
    });
}

#[test]
fn delivery_of_another_balance_is_shown() {
    check(&[C13, C1, C4], |scene| {
        let mut foreign = scene.told(0, "b");
        foreign.replayed = true;
        let call = Call::LookUp {
            order_id: "b".into(),
        };
        scene.call(1, call, Some(Answer::Delivered(foreign)));
    });
}

#[test]
fn text_of_another_merchant_is_shown() {
    check(&[C13], |scene| {
        let text = Id::digest(b"of merchant 0");
        scene.call(
            0,
            Call::Import {
                sku: sku(0),
                secrets: [text].into(),
            },
            Some(Answer::Unknown),
        );
        let call = scene.deliver(2, "d", 1);
        scene.delivery(call).serials[0].secret = text;
    });
}

#[test]
fn batch_is_missing() {
    check(&[C15], |scene| {
        scene.store.batches.remove(1);
    });
}

#[test]
fn fence_goes_down() {
    check(&[C15], |scene| scene.store.batches[2].fence -= 1);
}

#[test]
fn lane_is_behind_its_batches() {
    check(&[C15], |scene| scene.store.lanes[0].seq -= 1);
}

#[test]
fn batch_lists_an_entry_twice() {
    check(&[C15], |scene| {
        let again = scene.store.batches[0].entries.clone();
        let lane = &mut scene.store.lanes[0];
        lane.seq += 1;
        let seq = lane.seq;
        scene.store.batches.push(crate::Batch {
            lane: 0,
            seq,
            fence: 3,
            entries: again,
        });
    });
}

#[test]
fn memory_is_richer_than_the_ledger() {
    check(&[C17], |scene| {
        let posted = scene.posted(0) + 1;
        scene.run.memory = Some(Memory {
            balances: vec![(balance(0), posted, 0)],
            ..Memory::default()
        });
    });
}

#[test]
fn memory_offers_a_sold_serial() {
    check(&[C17], |scene| {
        scene.run.memory = Some(Memory {
            balances: vec![(balance(0), scene.posted(0), 0)],
            windows: vec![Window {
                sku: sku(0),
                held: 0,
                serials: vec![serial(0, 0)],
            }],
            ..Memory::default()
        });
    });
}

#[test]
fn hold_outlives_the_run() {
    check(&[C17], |scene| {
        scene.run.memory = Some(Memory {
            balances: vec![(balance(0), scene.posted(0), PRICE)],
            ..Memory::default()
        });
    });
}

#[test]
fn shelf_is_told_wrong() {
    let left = u64::from(SERIALS) - 3;
    for told in [(left + 1, left + 1), (left, left - 1)] {
        check(&[C17], |scene| {
            scene.run.memory = Some(Memory {
                shelves: vec![(sku(0), told.0, told.1)],
                ..Memory::default()
            });
        });
    }
}

#[test]
fn engine_found_a_breach() {
    check(&[C19], |scene| {
        scene.run.alarms = Some(Alarms {
            breaches: 1,
            ..Alarms::default()
        });
    });
}

#[test]
fn answer_came_after_its_deadline() {
    check(&[C20], |scene| {
        scene.run.answer_within = Some(std::time::Duration::from_nanos(50));
        let call = scene.call(
            1,
            order("late", body(1, 1)),
            Some(Answer::Refused("OVERLOADED".into())),
        );
        let sent = scene.history.invocations[call].sent_at;
        scene.history.invocations[call].answered = Some(Answered {
            at: sent + 51,
            answer: Answer::Refused("OVERLOADED".into()),
        });
    });
}

#[test]
fn order_of_an_unknown_balance_is_delivered() {
    check(&[C13, C1, C2], |scene| {
        let call = scene.deliver(0, "d", 1);
        scene.history.invocations[call].account = Some(crate::Account {
            test: true,
            ..account(0)
        });
    });
}
