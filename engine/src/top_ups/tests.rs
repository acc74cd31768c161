//! When a top-up may be opened, when one is opened by itself, and when a balance is low.

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::{
    clock::{EPOCH, Timestamp},
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
        debt: Money::ZERO,
        bounds: money(1000)..=money(1_000_000),
        offered: true,
        waiting: 0,
        unpaid: 0,
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
        pay: Pay::default(),
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
fn opening_and_cancelling_ends_for_the_day() {
    for (unpaid, refused) in [
        (UNPAID_A_DAY_MAX - 1, None),
        (UNPAID_A_DAY_MAX, Some(Refusal::TooManyToday)),
    ] {
        let facts = Facts { unpaid, ..facts() };
        assert_eq!(refusal(&facts, Origin::Manual, 1000), refused);
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

fn standing(balance: i64) -> Standing {
    Standing {
        automatic: Automatic {
            enabled: true,
            threshold: money(1000),
            amount: money(5000),
            coin: Coin::parse("BANK").unwrap(),
        },
        history: History::default(),
        balance: money(balance),
        debited_since: false,
        waits: false,
        arriving: false,
    }
}

fn hours(hours: i64) -> Timestamp {
    EPOCH + TimeDelta::hours(hours)
}

#[test]
fn automatic_invoice_is_due_below_the_threshold_unless_one_is_under_way() {
    assert!(standing(999).is_due(EPOCH));
    assert!(!standing(1000).is_due(EPOCH));
    let changes: [fn(&mut Standing); 4] = [
        |one| one.automatic.enabled = false,
        |one| one.waits = true,
        |one| one.arriving = true,
        |one| one.history.paused = true,
    ];
    for change in changes {
        let mut one = standing(0);
        change(&mut one);
        assert!(!one.is_due(EPOCH), "{one:?}");
    }
}

#[test]
fn next_automatic_invoice_waits_six_hours_and_for_a_new_debit() {
    for ended in [Ended::Expired, Ended::Cancelled] {
        let mut one = standing(0);
        one.history = one.history.after(ended, hours(24));
        assert!(!one.is_due(hours(31)));
        one.debited_since = true;
        assert!(!one.is_due(hours(29)));
        assert!(one.is_due(hours(30)));
    }
}

#[test]
fn three_unpaid_in_a_row_pause_it_and_one_that_is_paid_begins_the_row_anew() {
    let row = |endings: &[Ended]| {
        let none = History::default();
        endings
            .iter()
            .fold(none, |history, ended| history.after(*ended, EPOCH))
    };
    let (expired, paid) = (Ended::Expired, Ended::Paid);
    assert!(row(&[expired, expired, expired]).paused);
    assert!(!row(&[expired, expired, paid, expired, expired]).paused);
    assert!(!row(&[expired, Ended::Cancelled, expired]).paused);
    let late = row(&[expired, expired, expired, paid]);
    assert_eq!(
        (late.paused, late.expired, late.not_before),
        (true, 0, None)
    );
}

#[test]
fn balance_is_low_below_the_threshold_or_the_hours() {
    let alert = |threshold: Option<i64>, hours| Alert {
        threshold: threshold.map(money),
        hours,
    };
    for (alert, left, hours_left, low) in [
        (alert(Some(100), None), 99, None, true),
        (alert(Some(100), None), 100, Some(0), false),
        (alert(None, Some(5)), 1, Some(4), true),
        (alert(None, Some(5)), 1, Some(5), false),
        (alert(None, Some(5)), 0, None, false),
        (alert(None, None), 0, Some(0), false),
        (alert(Some(1), Some(5)), 100, Some(4), true),
    ] {
        let found = alert.is_low(money(left), hours_left);
        assert_eq!(found, low, "{alert:?} {left} {hours_left:?}");
    }
}
