//! The life of an invoice, and what a provider's word does to it.

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::{
    chains::{EvmAddress, Token},
    clock::{EPOCH, Timestamp},
    ids::{InvoiceId, MerchantId, PaymentId, RelationshipId},
    money::{Currency, Money},
};

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn at(hours: i64) -> Timestamp {
    EPOCH + TimeDelta::hours(hours)
}

fn invoice(status: Status) -> Invoice {
    Invoice {
        id: InvoiceId::from_uuid(Uuid::nil()),
        merchant: MerchantId::from_uuid(Uuid::nil()),
        purpose: Purpose::TopUp,
        relationship: Some(RelationshipId::from_uuid(Uuid::nil())),
        origin: Origin::Manual,
        status,
        amount: money(5000),
        coin: Coin::parse("bank").unwrap(),
        provider: ProviderKind::Manual,
        pay: Pay::default(),
        expires_at: at(24),
        paid_at: None,
        completed_at: None,
        created_at: EPOCH,
        updated_at: EPOCH,
        refunded: Money::ZERO,
        payments: Vec::new(),
    }
}

fn arrival(source: &str, minor: i64, settled: bool) -> Arrival {
    Arrival {
        source: source.to_owned(),
        amount: money(minor),
        settled,
    }
}

fn taken(arrival: &Arrival) -> Payment {
    Payment {
        id: PaymentId::from_uuid(Uuid::nil()),
        source: arrival.source.clone(),
        amount: arrival.amount,
        entry: None,
    }
}

fn settled(invoice: Invoice, arrived: &[Arrival], hours: i64) -> Result<Settlement, Contradiction> {
    let snapshot = Snapshot {
        arrived: arrived.to_vec(),
        ..Snapshot::default()
    };
    invoice.settle(&snapshot, at(hours))
}

/// Status and fresh arrivals after a provider's word.
fn outcome(settlement: Settlement) -> (Status, usize) {
    let (Stepped::To(invoice) | Stepped::Already(invoice)) = settlement.stepped;
    (invoice.status, settlement.fresh.len())
}

#[test]
fn every_status_takes_every_event_as_the_table_says() {
    const EVENTS: [Event; 9] = [
        Event::Seen,
        Event::Dropped,
        Event::PartPaid,
        Event::Paid,
        Event::Accepted,
        Event::Completed,
        Event::Short,
        Event::Expired,
        Event::Cancelled,
    ];
    // Where each event leads: `=` is where it is, `-` is nowhere.
    let table = [
        "OPEN               CONFIRMING = UNDERPAID PAID - - - EXPIRED CANCELLED",
        "CONFIRMING         = OPEN UNDERPAID PAID - - - - -",
        "UNDERPAID          = = = PAID PAID - - EXPIRED CANCELLED",
        "PAID               = = = = = COMPLETED AWAITING_STOCK - -",
        "COMPLETED          = = = = = = = - -",
        "AWAITING_STOCK     = = = = = COMPLETED = - -",
        "EXPIRED            = = = PAID PAID - - = -",
        "CANCELLED          = = = PAID PAID - - - =",
        "PARTIALLY_REFUNDED = = = = - = = - -",
        "REFUNDED           = = = = - = = - -",
        "DISPUTED           = = = = - = = - -",
    ];
    let named = Status::ALL.map(Status::name);
    for (row, (status, name)) in table.into_iter().zip(Status::ALL.into_iter().zip(named)) {
        let mut row = row.split_whitespace();
        assert_eq!(row.next(), Some(name));
        let told = EVENTS.map(|event| match status.after(event) {
            Some(Next::To(to)) => to.name(),
            Some(Next::Stays) => "=",
            None => "-",
        });
        assert_eq!(row.collect::<Vec<_>>(), told, "{name}");
    }
}

#[test]
fn paid_is_left_for_completed_only_and_completed_never() {
    for status in Status::ALL {
        let events = [Event::Seen, Event::Dropped, Event::PartPaid, Event::Paid];
        for event in events
            .into_iter()
            .chain([Event::Accepted, Event::Cancelled])
        {
            if let Some(Next::To(_)) = status.after(event) {
                assert!(!matches!(
                    status,
                    Status::Paid | Status::Completed | Status::AwaitingStock
                ));
            }
        }
    }
}

#[test]
fn invoice_that_is_over_is_expired_before_anybody_stored_it() {
    let open = invoice(Status::Open);
    assert_eq!(open.status_at(at(23)), Status::Open);
    assert_eq!(open.status_at(at(24)), Status::Expired);
    let cancelled = open.clone().step(Event::Cancelled, at(24));
    assert_eq!(cancelled, Err(WrongStatus(Status::Expired)));
    let expired = open.clone().step(Event::Expired, at(24)).unwrap();
    let Stepped::To(expired) = expired else {
        panic!("its time is over");
    };
    assert_eq!(expired.status, Status::Expired);
    let late = open.step(Event::Paid, at(30)).unwrap();
    let Stepped::To(late) = late else {
        panic!("late money is money");
    };
    assert_eq!((late.status, late.paid_at), (Status::Paid, Some(at(30))));
}

/// A customer's, paid where money comes in parts.
fn price(status: Status) -> Invoice {
    Invoice {
        purpose: Purpose::Checkout,
        provider: ProviderKind::Btcpay,
        ..invoice(status)
    }
}

#[test]
fn price_is_paid_once_it_arrived_but_for_half_a_percent() {
    use Status::{Cancelled, Confirming, Expired, Open, Paid, Underpaid};
    for (status, parts, expected) in [
        (Open, vec![5000], Paid),
        (Open, vec![4975], Paid),
        (Open, vec![4974], Underpaid),
        (Open, vec![1], Underpaid),
        (Confirming, vec![2000, 2975], Paid),
        (Confirming, vec![2000, 2974], Underpaid),
        (Open, vec![9000], Paid),
        (Expired, vec![4974], Expired),
        (Cancelled, vec![2500, 2500], Paid),
    ] {
        let parts = parts.iter().enumerate();
        let arrived: Vec<_> = parts
            .map(|(at, minor)| transfer(at, *minor, true))
            .collect();
        let count = arrived.len();
        let done = settled(price(status), &arrived, 2).unwrap();
        assert_eq!(outcome(done), (expected, count), "{status:?} {arrived:?}");
    }
}

#[test]
fn rest_of_a_price_may_come_later_and_its_part_is_waited_for() {
    let first = settled(price(Status::Open), &[transfer(0, 4000, true)], 20).unwrap();
    let Stepped::To(mut part) = first.stepped else {
        panic!("a part arrived");
    };
    assert_eq!((part.status, part.expires_at), (Status::Underpaid, at(44)));
    part.payments.push(taken(&transfer(0, 4000, true)));
    assert_eq!(
        (part.missing(), part.status_at(at(44))),
        (money(1000), Status::Expired)
    );
    let both = [transfer(0, 4000, true), transfer(1, 1000, true)];
    for hours in [30, 50] {
        let rest = settled((*part).clone(), &both, hours).unwrap();
        assert_eq!(outcome(rest), (Status::Paid, 1));
    }
    // What went back has to come again.
    part.refunded = money(500);
    let rest = settled(*part, &both, 30).unwrap();
    assert_eq!(outcome(rest), (Status::Underpaid, 1));
}

#[test]
fn merchant_takes_a_part_for_the_price_and_nothing_for_nothing() {
    let part = |status| {
        let mut part = price(status);
        part.payments.push(taken(&transfer(0, 1, true)));
        part
    };
    for status in [Status::Underpaid, Status::Expired, Status::Cancelled] {
        let Ok(Stepped::To(paid)) = part(status).accept(at(2)) else {
            panic!("a part arrived");
        };
        assert_eq!((paid.status, paid.paid_at), (Status::Paid, Some(at(2))));
        let nothing = price(status).accept(at(2));
        assert_eq!(nothing, Err(WrongStatus(status)));
    }
    let open = price(Status::Open).accept(at(2));
    assert_eq!(open, Err(WrongStatus(Status::Open)));
    let mut again = part(Status::Completed);
    again.paid_at = Some(at(1));
    assert!(matches!(again.accept(at(2)), Ok(Stepped::Already(_))));
}

#[test]
fn what_is_not_final_pays_nothing_and_may_go_again() {
    let seen = settled(invoice(Status::Open), &[arrival("a", 5000, false)], 20).unwrap();
    assert!(seen.fresh.is_empty());
    let Stepped::To(seen) = seen.stepped else {
        panic!("something was seen");
    };
    assert_eq!((seen.status, seen.expires_at), (Status::Confirming, at(44)));
    let dropped = settled((*seen).clone(), &[], 21).unwrap();
    assert_eq!(outcome(dropped), (Status::Open, 0));
    let paid = settled(*seen, &[arrival("a", 5000, true)], 21).unwrap();
    assert_eq!(outcome(paid), (Status::Paid, 1));
}

#[test]
fn late_money_pays_whatever_its_amount() {
    for status in [Status::Expired, Status::Cancelled] {
        let paid = settled(invoice(status), &[arrival("a", 1, true)], 30).unwrap();
        assert_eq!(outcome(paid), (Status::Paid, 1));
    }
}

#[test]
fn source_is_taken_in_once_with_one_amount() {
    let word = arrival("a", 5000, true);
    for status in [Status::Paid, Status::Completed] {
        let mut known = invoice(status);
        known.payments.push(taken(&word));
        let again = settled(known.clone(), std::slice::from_ref(&word), 1).unwrap();
        assert_eq!(outcome(again), (status, 0));
        for other in [arrival("a", 4999, true), arrival("b", 5000, true)] {
            let contradicts = settled(known.clone(), &[other], 1);
            assert_eq!(contradicts, Err(Contradiction));
        }
    }
}

fn watched(status: Status) -> Invoice {
    Invoice {
        provider: ProviderKind::EvmErc20,
        ..invoice(status)
    }
}

fn transfer(place: usize, minor: i64, settled: bool) -> Arrival {
    let source = Source::Transfer {
        network: "here".to_owned(),
        transaction: "0xab".to_owned(),
        place,
    };
    arrival(&source.to_string(), minor, settled)
}

fn word() -> String {
    Source::Invoice(InvoiceId::from_uuid(Uuid::nil())).to_string()
}

#[test]
fn every_final_transfer_is_taken_in_once_whatever_it_is_short_of() {
    let parts = [transfer(0, 2000, true), transfer(1, 4000, false)];
    let first = settled(watched(Status::Open), &parts, 1).unwrap();
    assert_eq!(first.fresh, parts[..1]);
    let mut known = watched(Status::Completed);
    known.payments.push(taken(&parts[0]));
    let later = [transfer(0, 2000, true), transfer(1, 4000, true)];
    let second = settled(known.clone(), &later, 2).unwrap();
    assert_eq!(second.fresh, later[1..]);
    let changed = settled(known, &[transfer(0, 2001, true)], 2);
    assert_eq!(changed, Err(Contradiction));
}

#[test]
fn merchants_word_and_what_was_seen_are_the_same_money() {
    let by_word = arrival(&word(), 5000, true);
    let mut said = watched(Status::Completed);
    said.payments.push(taken(&by_word));
    let seen = settled(said, &[transfer(0, 5000, true)], 1).unwrap();
    assert_eq!(outcome(seen), (Status::Completed, 0));
    let mut known = watched(Status::Completed);
    known.payments.push(taken(&transfer(0, 5000, true)));
    let reference = Source::Reference("slip 7".to_owned()).to_string();
    let marked = Source::Marked("a".to_owned()).to_string();
    for source in [word(), reference, marked] {
        let word = settled(known.clone(), &[arrival(&source, 5000, true)], 1);
        assert_eq!(word, Err(Contradiction), "{source}");
    }
    let first = settled(watched(Status::Confirming), &[by_word], 1).unwrap();
    assert_eq!(outcome(first), (Status::Paid, 1));
}

fn token(decimals: u8) -> Token {
    Token {
        network: "here".to_owned(),
        chain_id: 1,
        contract: EvmAddress::from_bytes([7; 20]),
        decimals,
        confirmations: 12,
    }
}

#[test]
fn tokens_are_worth_whole_minor_units_of_the_currency() {
    let [yen, dinar] = ["JPY", "BHD"].map(|code| Currency::parse(code).unwrap());
    for (decimals, currency, units, minor) in [
        (6, Currency::USD, 12_340_000, Some(1234)),
        (6, Currency::USD, 12_349_999, Some(1234)),
        (6, Currency::USD, 9_999, Some(0)),
        (18, Currency::USD, 1_000_000_000_000_000_000, Some(100)),
        (0, Currency::USD, 7, Some(700)),
        (18, yen, 1_999_999_999_999_999_999, Some(1)),
        (2, dinar, 150, Some(1500)),
        (6, Currency::USD, u128::MAX, None),
        (0, Currency::USD, u128::MAX, None),
    ] {
        let worth = token(decimals).worth(units, currency);
        assert_eq!(worth, minor.map(money), "{units} of {decimals} decimals");
        let asked = worth.and_then(|worth| token(decimals).units(worth, currency));
        assert!(asked.is_none_or(|asked| asked <= units));
    }
    assert_eq!(token(2).units(money(1501), dinar), Some(151));
    let deposit = Deposit {
        address: EvmAddress::from_bytes([1; 20]),
        token: token(6),
    };
    let link = deposit.link(money(1234), Currency::USD).unwrap();
    assert!(link.ends_with("&uint256=12340000"), "{link}");
}

#[test]
fn every_word_reads_back() {
    for purpose in [Purpose::TopUp, Purpose::Checkout] {
        assert_eq!(Purpose::parse(purpose.name()), Some(purpose));
    }
    for origin in [
        Origin::Manual,
        Origin::Auto,
        Origin::Merchant,
        Origin::Customer,
    ] {
        assert_eq!(Origin::parse(origin.name()), Some(origin));
    }
}

#[test]
fn coins_have_short_names_in_upper_case() {
    let coin = |text| Coin::parse(text).map(|coin| coin.to_string());
    assert_eq!(coin("usdt-trc20").as_deref(), Some("USDT-TRC20"));
    for none in ["", "a b", "é", &"A".repeat(COIN_CHARS_MAX + 1)] {
        assert_eq!(coin(none), None, "{none}");
    }
}

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
fn transfer_is_found_again_by_its_transaction() {
    let source = Source::Transfer {
        network: "base".to_owned(),
        transaction: "0xab".to_owned(),
        place: 3,
    };
    let stored = source.to_string();
    assert_eq!(Source::transaction(&stored), Some("0xab"));
    for other in ["invoice:1:2", "payment:BTC:0xab:0", "transfer:3"] {
        assert_eq!(Source::transaction(other), None, "{other}");
    }
}

#[test]
fn only_what_is_named_and_was_taken_in_is_gone() {
    let mut known = watched(Status::Completed);
    known.payments.push(taken(&transfer(0, 2000, true)));
    known.payments.push(taken(&transfer(1, 3000, true)));
    let silent = Snapshot::default();
    assert_eq!(known.gone(&silent).count(), 0);
    let named = Snapshot {
        gone: vec![transfer(1, 3000, true).source, transfer(2, 1, true).source],
        ..Snapshot::default()
    };
    let gone: Vec<_> = known.gone(&named).map(|payment| payment.amount).collect();
    assert_eq!(gone, [money(3000)]);
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
