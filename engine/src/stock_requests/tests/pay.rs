//! What arrives for a purchase whose payments a provider tells of, and where each part of it goes.

use chrono::TimeDelta;

use super::{
    super::{Bill, OncePaid},
    Event, INVOICE_HOURS, RequestedBy, Status, StockRequest, WrongStatus, money, request,
};
use crate::{
    clock::{EPOCH, Timestamp},
    ids::{InvoiceId, PaymentId},
    money::Money,
    payments::{
        self, Arrival, Coin, NotTakenBack, Pay, Payment, ProviderKind, Snapshot, Status as Stands,
    },
    random::SeededRandom,
};

const BUYS: OncePaid = OncePaid {
    event: Event::Paid,
    if_over: Event::PaidInVain,
};

fn hours(count: i64) -> Timestamp {
    EPOCH + TimeDelta::hours(count)
}

/// A purchase of 3.00 whose invoice is open.
fn invoiced() -> StockRequest {
    let mut wanted = request(Status::Requested);
    let mut bill = Bill {
        id: InvoiceId::from_uuid(wanted.id.uuid()),
        coin: Coin::parse("BTC").unwrap(),
        provider: ProviderKind::Btcpay,
        pay: Pay::default(),
        invoice: None,
    };
    bill.invoice = bill.opened(&wanted, EPOCH).map(Box::new);
    wanted.bill = Some(bill);
    let invoiced = wanted.step(Event::Invoiced, EPOCH);
    invoiced.unwrap().into_request()
}

fn told(source: &str, minor: i64, settled: bool) -> Snapshot {
    let arrival = Arrival {
        source: source.to_owned(),
        amount: money(minor),
        settled,
    };
    Snapshot {
        arrived: vec![arrival],
        ..Snapshot::default()
    }
}

/// The purchase with what arrived, as it is stored then; and what goes to the balance for it.
fn arrives(before: StockRequest, source: &str, minor: i64, at: Timestamp) -> (StockRequest, i64) {
    let arrived = before
        .arrived(&told(source, minor, true), BUYS, at)
        .unwrap();
    let mut request = arrived.request;
    let invoice = request.bill.as_mut().unwrap().invoice.as_mut().unwrap();
    let mut random = source.bytes().map(u64::from);
    let random = SeededRandom::new(random.next_back().unwrap());
    invoice
        .payments
        .extend(arrived.fresh.iter().map(|one| Payment {
            id: PaymentId::generate(EPOCH, &random),
            source: one.source.clone(),
            amount: one.amount,
            entry: None,
        }));
    let owed = request.owed();
    request.give_back(owed);
    let back = owed.checked_add(arrived.surplus).unwrap();
    (request, back.minor())
}

fn stands(request: &StockRequest) -> (Status, Stands) {
    let stored = request.invoice().unwrap().status;
    (request.status, stored)
}

#[test]
fn part_of_the_price_waits_for_the_rest_for_another_day() {
    let seen = invoiced().arrived(&told("a", 100, false), BUYS, hours(20));
    let seen = seen.unwrap().request;
    assert_eq!(stands(&seen), (Status::Invoiced, Stands::Confirming));
    assert_eq!(seen.expires_at, hours(20 + INVOICE_HOURS));
    for by in [RequestedBy::Reseller, RequestedBy::Merchant] {
        let cancelled = seen.clone().step(Event::Cancelled(by), hours(21));
        assert_eq!(cancelled, Err(WrongStatus(Status::Invoiced)));
    }
    let (part, back) = arrives(seen, "a", 100, hours(30));
    assert_eq!(
        (stands(&part), back),
        ((Status::Invoiced, Stands::Underpaid), 0)
    );
    assert_eq!(part.bill_status(hours(30)), Stands::Underpaid);
    assert_eq!(part.expires_at, hours(30 + INVOICE_HOURS));
    assert_eq!(part.status_at(hours(30 + INVOICE_HOURS)), Status::Expired);
    let again = part.clone().arrived(&told("a", 100, true), BUYS, hours(31));
    assert!(again.unwrap().already);
    let (paid, back) = arrives(part, "b", 200, hours(31));
    assert_eq!((stands(&paid), back), ((Status::Paid, Stands::Paid), 0));
    assert_eq!(
        (paid.paid, paid.paid_at),
        (Some(money(300)), Some(hours(31)))
    );
    let given = paid.step(Event::AllocationBegun, hours(31));
    let given = given
        .unwrap()
        .into_request()
        .step(Event::Allocated, hours(31));
    let given = given.unwrap().into_request();
    assert_eq!(stands(&given), (Status::Allocated, Stands::Completed));
}

#[test]
fn all_that_arrives_is_in_the_purchase_or_goes_to_the_balance() {
    for (over, parts, expected) in [
        (None, &[300][..], (Status::Paid, 300, 0)),
        // Half a percent is 1.5 of 300.
        (None, &[299], (Status::Paid, 299, 0)),
        (None, &[298], (Status::Invoiced, 0, 0)),
        (None, &[500], (Status::Paid, 300, 200)),
        (None, &[100, 350], (Status::Paid, 300, 150)),
        (None, &[300, 70], (Status::Paid, 300, 70)),
        (Some(Event::Expired), &[100], (Status::Expired, 0, 0)),
        (Some(Event::Expired), &[299], (Status::Expired, 299, 299)),
        (
            Some(Event::Expired),
            &[100, 200, 5],
            (Status::Expired, 300, 305),
        ),
        (
            Some(Event::Cancelled(RequestedBy::Merchant)),
            &[350],
            (Status::Cancelled, 300, 350),
        ),
    ] {
        let mut request = invoiced();
        if let Some(event) = over {
            request = request.step(event, hours(1)).unwrap().into_request();
        }
        let mut all = 0;
        for (at, part) in parts.iter().enumerate() {
            let (next, back) = arrives(request, &format!("p{at}"), *part, hours(2));
            (request, all) = (next, all + back);
        }
        let paid = request.paid.unwrap_or_default().minor();
        assert_eq!((request.status, paid, all), expected, "{over:?} {parts:?}");
        let vain = over.is_some() && paid > 0;
        assert_eq!(request.is_given_back(), vain, "{over:?} {parts:?}");
        if vain {
            assert_eq!(stands(&request).1, Stands::Refunded);
        }
    }
}

#[test]
fn no_more_goes_back_than_the_merchant_took_for_the_price() {
    let nothing = invoiced().accept(BUYS, EPOCH);
    assert_eq!(nothing.unwrap_err().0, Stands::Open);
    let (part, _) = arrives(invoiced(), "a", 120, EPOCH);
    let (taken, already) = part.accept(BUYS, EPOCH).unwrap();
    assert_eq!(
        (stands(&taken), already),
        ((Status::Paid, Stands::Paid), false)
    );
    assert!(taken.clone().accept(BUYS, EPOCH).unwrap().1);
    let over = taken.step(Event::Cancelled(RequestedBy::Merchant), EPOCH);
    let mut over = over.unwrap().into_request();
    assert_eq!(over.owed(), money(120));
    over.give_back(money(300));
    assert_eq!(
        (over.refunded, stands(&over).1),
        (money(120), Stands::Refunded)
    );
}

#[test]
fn only_what_bought_nothing_is_given_back_by_hand() {
    let (part, _) = arrives(invoiced(), "a", 120, EPOCH);
    let (given, amount) = part.give_unspent_back(Some(money(20)), EPOCH).unwrap();
    assert_eq!((amount, stands(&given).1), (money(20), Stands::Underpaid));
    let rest = given.clone().give_unspent_back(Some(money(101)), EPOCH);
    let rest = rest.unwrap_err();
    assert_eq!(rest, NotTakenBack::Excess { rest: money(100) });
    // What went back counts no more.
    let (short, _) = arrives(given, "b", 180, EPOCH);
    assert_eq!(short.status, Status::Invoiced);
    let (paid, _) = arrives(short, "c", 20, EPOCH);
    assert_eq!(paid.status, Status::Paid);
    let spent = paid.give_unspent_back(None, EPOCH).unwrap_err();
    assert_eq!(spent, NotTakenBack::Status(Stands::Paid));
}

/// A purchase that two payments of 1.00 and 2.00 paid, and that came so far.
fn paid(status: Status) -> StockRequest {
    let (part, _) = arrives(invoiced(), "a", 100, EPOCH);
    let (mut paid, _) = arrives(part, "b", 200, EPOCH);
    paid.status = status;
    if status == Status::Allocated {
        paid.allocated_at = Some(EPOCH);
    }
    paid.keep_bill();
    paid
}

type Gone = ((Status, Stands), [i64; 3]);

/// A payment of this much did not come after all: what was taken, what of that the balance gives, and what goes to it
/// because the purchase is over.
fn gone(of: StockRequest, minor: i64) -> Result<(StockRequest, Gone), NotTakenBack> {
    let reversed = of.reverse(money(minor), EPOCH)?;
    let mut request = reversed.request;
    let owed = request.owed();
    request.give_back(owed);
    let sums = [reversed.amount, reversed.owed, owed].map(Money::minor);
    let stands = stands(&request);
    Ok((request, (stands, sums)))
}

#[test]
fn payment_that_did_not_come_ends_what_has_no_serials_and_is_owed_for_what_has() {
    let (part, _) = arrives(invoiced(), "a", 100, EPOCH);
    for (of, minor, expected) in [
        (
            paid(Status::Paid),
            200,
            Ok(((Status::Cancelled, Stands::Refunded), [200, 0, 100])),
        ),
        (
            paid(Status::Paid),
            300,
            Ok(((Status::Cancelled, Stands::Refunded), [300, 0, 0])),
        ),
        // What is left is still tolerated.
        (
            paid(Status::Paid),
            1,
            Ok(((Status::Paid, Stands::Paid), [1, 0, 0])),
        ),
        // Whether it has serials is about to be known.
        (
            paid(Status::Allocating),
            200,
            Err(NotTakenBack::Status(Stands::Paid)),
        ),
        (
            paid(Status::Allocated),
            200,
            Ok((
                (Status::Allocated, Stands::PartiallyRefunded),
                [200, 200, 0],
            )),
        ),
        (
            paid(Status::Allocated),
            500,
            Ok(((Status::Allocated, Stands::Refunded), [300, 300, 0])),
        ),
        (
            part,
            100,
            Ok(((Status::Invoiced, Stands::Underpaid), [100, 0, 0])),
        ),
        (
            request(Status::Paid),
            100,
            Err(NotTakenBack::Status(payments::Status::Paid)),
        ),
    ] {
        let went = gone(of.clone(), minor).map(|(_, gone)| gone);
        assert_eq!(went, expected, "{minor} of {of:?}");
    }
}

#[test]
fn surplus_of_what_did_not_come_is_the_balances_to_give_before_the_price() {
    use Status::{Allocated, Allocating, Cancelled, Expired, Paid};
    for (status, came, reversed) in [
        (
            Allocated,
            &[500][..],
            &[(500, ((Allocated, Stands::Refunded), [500, 500, 0]))][..],
        ),
        (
            Paid,
            &[500],
            &[(500, ((Cancelled, Stands::Refunded), [500, 200, 0]))],
        ),
        // One of two pays it as well as the other.
        (
            Paid,
            &[300, 300],
            &[
                (300, ((Paid, Stands::Paid), [300, 300, 0])),
                (300, ((Cancelled, Stands::Refunded), [300, 0, 0])),
            ],
        ),
        (
            Allocated,
            &[300, 900],
            &[
                (900, ((Allocated, Stands::Completed), [900, 900, 0])),
                (300, ((Allocated, Stands::Refunded), [300, 300, 0])),
            ],
        ),
        // The part of the price that did come goes to the balance.
        (
            Paid,
            &[100, 250],
            &[
                (250, ((Cancelled, Stands::Refunded), [250, 50, 100])),
                (100, ((Cancelled, Stands::Refunded), [100, 100, 0])),
            ],
        ),
        // Whatever becomes of the serials, it is in the balance.
        (
            Allocating,
            &[300, 70],
            &[(70, ((Allocating, Stands::Paid), [70, 70, 0]))],
        ),
        (
            Expired,
            &[350],
            &[(350, ((Expired, Stands::Refunded), [350, 350, 0]))],
        ),
    ] {
        let mut request = invoiced();
        if status == Expired {
            request = request.step(Event::Expired, EPOCH).unwrap().into_request();
        }
        for (at, minor) in came.iter().enumerate() {
            (request, _) = arrives(request, &format!("p{at}"), *minor, EPOCH);
        }
        request.status = status;
        request.allocated_at = (status == Allocated).then_some(EPOCH);
        request.keep_bill();
        for (minor, expected) in reversed {
            let (next, went) = gone(request, *minor).unwrap();
            assert_eq!(went, *expected, "{minor} of {came:?}, {status:?}");
            request = next;
        }
    }
    // Nothing of the price is taken of one whose serials are about to leave, and so nothing of the payment.
    let (mut both, _) = arrives(invoiced(), "a", 500, EPOCH);
    both.status = Allocating;
    let refused = NotTakenBack::Status(Stands::Paid);
    assert_eq!(gone(both, 500).unwrap_err(), refused);
}
