//! The life of an invoice, and its words.

mod back;
mod seen;

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
