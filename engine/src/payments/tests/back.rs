//! What goes back: refunds, disputes, and payments that did not come after all.

use super::*;

/// Of an invoice that was credited with so much, of which so much was given back.
fn after(
    status: Status,
    (credited, refunded): (i64, i64),
    act: Act,
) -> Result<(Status, i64, bool), NotTakenBack> {
    let mut paid = invoice(status);
    paid.refunded = money(refunded);
    paid.payments = vec![Payment {
        entry: Some(crate::ids::EntryId::from_uuid(Uuid::nil())),
        ..taken(&arrival("a", credited, true))
    }];
    let before = paid.refunded;
    Ok(match paid.take_back(act, at(30))? {
        TakenBack::Already(invoice) => (invoice.status, 0, true),
        TakenBack::To(invoice, amount) => {
            let grown = invoice.refunded.checked_sub(before);
            assert_eq!(grown, Some(amount), "what is taken is what is given back");
            (invoice.status, amount.minor(), false)
        }
    })
}

#[test]
fn what_is_given_back_is_never_more_than_was_credited() {
    use Status::{Completed, Disputed, Open, PartiallyRefunded, Refunded};
    let part = |minor| Act::Refund(Some(money(minor)));
    let (rest, lost) = (Act::Refund(None), Act::DisputeLost);
    let excess = |minor| Err(NotTakenBack::Excess { rest: money(minor) });
    for (status, sums, act, expected) in [
        (Completed, (50, 0), rest, Ok((Refunded, 50, false))),
        (
            Completed,
            (50, 0),
            part(20),
            Ok((PartiallyRefunded, 20, false)),
        ),
        (
            PartiallyRefunded,
            (50, 20),
            part(30),
            Ok((Refunded, 30, false)),
        ),
        (PartiallyRefunded, (50, 20), part(31), excess(30)),
        (Completed, (50, 0), part(0), excess(50)),
        (
            Refunded,
            (50, 50),
            rest,
            Err(NotTakenBack::Status(Refunded)),
        ),
        (Open, (50, 0), rest, Err(NotTakenBack::Status(Open))),
        (Disputed, (50, 0), rest, Err(NotTakenBack::Status(Disputed))),
        (Disputed, (50, 20), lost, Ok((Refunded, 30, false))),
        (Refunded, (50, 50), lost, Ok((Refunded, 0, true))),
        (
            Completed,
            (50, 0),
            lost,
            Err(NotTakenBack::Status(Completed)),
        ),
    ] {
        assert_eq!(after(status, sums, act), expected, "{status:?} {act:?}");
    }
}

#[test]
fn payment_that_did_not_come_takes_what_is_left_of_it() {
    use Status::{Completed, Disputed, Open, Paid, PartiallyRefunded, Refunded};
    let gone = |minor| Act::Reversed(money(minor));
    for (status, sums, act, expected) in [
        (
            Completed,
            (50, 0),
            gone(20),
            Ok((PartiallyRefunded, 20, false)),
        ),
        (Completed, (50, 0), gone(50), Ok((Refunded, 50, false))),
        (
            PartiallyRefunded,
            (50, 40),
            gone(50),
            Ok((Refunded, 10, false)),
        ),
        (Disputed, (50, 0), gone(20), Ok((Disputed, 20, false))),
        (Disputed, (50, 0), gone(50), Ok((Refunded, 50, false))),
        (Refunded, (50, 50), gone(50), Ok((Refunded, 0, true))),
        (Paid, (50, 0), gone(50), Err(NotTakenBack::Status(Paid))),
        (Open, (0, 0), gone(50), Err(NotTakenBack::Status(Open))),
    ] {
        assert_eq!(after(status, sums, act), expected, "{status:?} {act:?}");
    }
}

#[test]
fn dispute_that_is_won_leaves_the_invoice_as_it_was() {
    use Status::{Completed, Disputed, PartiallyRefunded};
    let (opened, won) = (Act::DisputeOpened, Act::DisputeWon);
    for (status, sums, act, expected) in [
        (Completed, (50, 0), opened, (Disputed, 0, false)),
        (PartiallyRefunded, (50, 20), opened, (Disputed, 0, false)),
        (Disputed, (50, 0), opened, (Disputed, 0, true)),
        (Disputed, (50, 0), won, (Completed, 0, false)),
        (Disputed, (50, 20), won, (PartiallyRefunded, 0, false)),
        (Completed, (50, 0), won, (Completed, 0, true)),
    ] {
        assert_eq!(after(status, sums, act), Ok(expected), "{status:?} {act:?}");
    }
}

/// Of a customer's invoice over 50.00 that so much arrived for, of which so much went back.
fn given_back(
    status: Status,
    (received, refunded): (i64, i64),
    wanted: Option<i64>,
) -> Result<(Status, i64), NotTakenBack> {
    let mut paid = invoice(status);
    paid.purpose = Purpose::Checkout;
    paid.refunded = money(refunded);
    paid.payments = vec![taken(&arrival("a", received, true))];
    let (invoice, amount) = paid.refund(wanted.map(money), at(30))?;
    let grown = invoice.refunded.checked_sub(money(refunded));
    assert_eq!(grown, Some(amount), "what goes back is what is stored");
    Ok((invoice.status, amount.minor()))
}

#[test]
fn price_that_went_back_ends_a_purchase_and_a_part_of_it_does_not() {
    use Status::{
        AwaitingStock, Completed, Disputed, Expired, Open, Paid, PartiallyRefunded, Refunded,
    };
    let excess = |minor| Err(NotTakenBack::Excess { rest: money(minor) });
    for (status, sums, wanted, expected) in [
        (Paid, (5000, 0), None, Ok((Refunded, 5000))),
        (AwaitingStock, (5000, 0), None, Ok((Refunded, 5000))),
        (
            AwaitingStock,
            (5000, 0),
            Some(4999),
            Ok((AwaitingStock, 4999)),
        ),
        (AwaitingStock, (5000, 4999), Some(1), Ok((Refunded, 1))),
        (Completed, (5000, 0), Some(1), Ok((PartiallyRefunded, 1))),
        (PartiallyRefunded, (5000, 1), None, Ok((Refunded, 4999))),
        (PartiallyRefunded, (5000, 1), Some(5000), excess(4999)),
        (Completed, (5000, 0), Some(0), excess(5000)),
        // What was paid beyond the price does not keep it from being back, nor itself from going back.
        (AwaitingStock, (6000, 0), Some(5000), Ok((Refunded, 5000))),
        (Refunded, (6000, 5000), None, Ok((Refunded, 1000))),
        (
            AwaitingStock,
            (10_000, 0),
            Some(5000),
            Ok((AwaitingStock, 5000)),
        ),
        (Completed, (6000, 0), Some(1000), Ok((Completed, 1000))),
        // What went back before it was paid is no part of the price.
        (
            Completed,
            (9000, 4000),
            Some(1000),
            Ok((PartiallyRefunded, 1000)),
        ),
        (AwaitingStock, (4980, 0), Some(4980), Ok((Refunded, 4980))),
    ] {
        assert_eq!(
            given_back(status, sums, wanted),
            expected,
            "{status:?} {wanted:?}"
        );
    }
    // What arrived and bought nothing goes back, and the invoice stays what it is.
    for status in [Status::Underpaid, Expired, Status::Cancelled] {
        assert_eq!(given_back(status, (4000, 0), None), Ok((status, 4000)));
        let nothing = given_back(status, (4000, 4000), None);
        assert_eq!(nothing, Err(NotTakenBack::Status(status)));
    }
    let disputed = given_back(Disputed, (5000, 0), None);
    assert_eq!(disputed, Err(NotTakenBack::Status(Disputed)));
    assert_eq!(
        given_back(Open, (0, 0), None),
        Err(NotTakenBack::Status(Open))
    );
    let over = given_back(Refunded, (5000, 5000), None);
    assert_eq!(over, Err(NotTakenBack::Status(Refunded)));
}

/// Of a customer's invoice over 50.00 that so much arrived for, of which so much went back, once a payment of so
/// much did not come after all.
fn reversed(
    status: Status,
    (received, refunded): (i64, i64),
    payment: i64,
) -> Result<(Status, i64), NotTakenBack> {
    let mut paid = invoice(status);
    paid.purpose = Purpose::Checkout;
    paid.refunded = money(refunded);
    paid.payments = vec![taken(&arrival("a", received, true))];
    let (invoice, amount) = paid.reverse(money(payment), at(30))?;
    let grown = invoice.refunded.checked_sub(money(refunded));
    assert_eq!(grown, Some(amount), "what went back is what is stored");
    Ok((invoice.status, amount.minor()))
}

#[test]
fn price_that_its_provider_took_a_part_of_buys_nothing_any_more() {
    use Status::{AwaitingStock, Completed, Expired, Paid, PartiallyRefunded, Refunded, Underpaid};
    for (status, sums, payment, expected) in [
        (Paid, (5000, 0), 2000, Ok((Refunded, 2000))),
        (AwaitingStock, (5000, 0), 2000, Ok((Refunded, 2000))),
        // What is left is still tolerated, or still the price.
        (Paid, (5000, 0), 25, Ok((Paid, 25))),
        (AwaitingStock, (5000, 0), 26, Ok((Refunded, 26))),
        (Paid, (7000, 0), 2000, Ok((Paid, 2000))),
        // Of what was delivered a part is missing.
        (Completed, (5000, 0), 2000, Ok((PartiallyRefunded, 2000))),
        (PartiallyRefunded, (5000, 4000), 2000, Ok((Refunded, 1000))),
        // What was given back of it before is not taken again.
        (Paid, (5000, 1000), 5000, Ok((Refunded, 4000))),
        (Underpaid, (2000, 0), 2000, Ok((Underpaid, 2000))),
        (Expired, (2000, 500), 2000, Ok((Expired, 1500))),
        (
            Refunded,
            (5000, 5000),
            5000,
            Err(NotTakenBack::Status(Refunded)),
        ),
    ] {
        assert_eq!(
            reversed(status, sums, payment),
            expected,
            "{status:?} {payment}"
        );
    }
}

#[test]
fn what_is_delivered_after_a_part_of_its_price_went_back_says_so() {
    let mut paid = invoice(Status::AwaitingStock);
    paid.refunded = money(1);
    assert!(!paid.is_delivered());
    let Ok(Stepped::To(given)) = paid.step(Event::Completed, at(2)) else {
        panic!("there is enough by now");
    };
    assert_eq!(given.status, Status::PartiallyRefunded);
    assert!(given.is_delivered());
}
