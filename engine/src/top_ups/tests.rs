//! When a top-up may be opened.

use uuid::Uuid;

use super::*;
use crate::{
    clock::EPOCH,
    ids::{InvoiceId, MerchantId, RelationshipId},
    money::Money,
    payments::{Coin, Origin, Pay, ProviderKind},
    relationships::{Mode, Status},
};

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn facts() -> Facts {
    Facts {
        status: Status::Active,
        mode: Mode::Both,
        bounds: money(1000)..=money(1_000_000),
        offered: true,
        waiting: 0,
    }
}

fn refusal(facts: &Facts, origin: Origin, minor: i64) -> Option<Refusal> {
    let wanted = Wanted {
        id: InvoiceId::from_uuid(Uuid::nil()),
        merchant: MerchantId::from_uuid(Uuid::nil()),
        relationship: RelationshipId::from_uuid(Uuid::nil()),
        origin,
        amount: money(minor),
        coin: Coin::parse("BANK").unwrap(),
        provider: ProviderKind::Manual,
        pay: Pay { instructions: None },
    };
    open(facts, wanted, EPOCH).err()
}

#[test]
fn bounds_of_the_program_are_bounds_of_an_invoice() {
    for (minor, opened) in [
        (999, false),
        (1000, true),
        (1_000_000, true),
        (1_000_001, false),
    ] {
        let refused = refusal(&facts(), Origin::Manual, minor);
        let expected = (!opened).then_some(Refusal::OutOfRange(facts().bounds));
        assert_eq!(refused, expected, "{minor}");
    }
}

#[test]
fn suspended_reseller_is_invoiced_by_the_merchant_only() {
    for (status, origin, opened) in [
        (Status::Active, Origin::Manual, true),
        (Status::Suspended, Origin::Manual, false),
        (Status::Suspended, Origin::Auto, false),
        (Status::Suspended, Origin::Merchant, true),
        (Status::Invited, Origin::Merchant, false),
        (Status::Terminated, Origin::Merchant, false),
    ] {
        let facts = Facts { status, ..facts() };
        let expected = (!opened).then_some(Refusal::Inactive(status));
        assert_eq!(refusal(&facts, origin, 1000), expected);
    }
}

#[test]
fn reasons_are_said_in_their_order() {
    let mut facts = Facts {
        status: Status::Terminated,
        mode: Mode::Affiliate,
        offered: false,
        waiting: OPEN_MAX,
        ..facts()
    };
    let said = |facts: &Facts, minor| refusal(facts, Origin::Manual, minor);
    assert_eq!(said(&facts, 1), Some(Refusal::Inactive(Status::Terminated)));
    facts.status = Status::Active;
    assert_eq!(said(&facts, 1), Some(Refusal::ModeNotAllowed));
    facts.mode = Mode::Stock;
    assert_eq!(said(&facts, 1), Some(Refusal::NotOffered));
    facts.offered = true;
    let bounds = facts.bounds.clone();
    assert_eq!(said(&facts, 1), Some(Refusal::OutOfRange(bounds)));
    assert_eq!(said(&facts, 1000), Some(Refusal::TooMany));
    facts.waiting = OPEN_MAX - 1;
    assert_eq!(said(&facts, 1000), None);
}
