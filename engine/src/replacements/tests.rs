//! Which requests are granted at once, which wait, which are refused.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    DecidedBy, Facts, InvoiceReplacement, NotReplaced, Reason, Refusal, Status, Wanted, Which,
    of_purchase, request,
};
use crate::{
    catalog::{ProductKind, Sku},
    checkout::{Line, Unit},
    clock::EPOCH,
    ids::{InvoiceId, InvoiceLineId, MerchantId, ProductId, ReplacementId, SerialId},
    money::{Money, Percent},
    payments::{Coin, Invoice, Origin, Pay, ProviderKind, Purpose, Status as Standing},
    programs::Replacement,
};

fn facts() -> Facts {
    Facts {
        delivered_at: EPOCH,
        gone: false,
        refunded: false,
        requested: false,
        rule: Replacement {
            window_hours: 168,
            automatic: true,
            percent_max: Percent::from_hundredths(500).unwrap(),
        },
        bought: 100,
        replaced: 4,
    }
}

fn check(change: impl FnOnce(&mut Facts), hours: i64) -> Result<Status, Refusal> {
    let mut facts = facts();
    change(&mut facts);
    request(&facts, EPOCH + chrono::TimeDelta::hours(hours))
}

#[test]
fn requests_are_granted_within_share_and_window_and_wait_or_are_refused_beyond() {
    assert_eq!(check(|_| (), 168), Ok(Status::Issuing));
    assert_eq!(check(|facts| facts.replaced = 5, 1), Ok(Status::Requested));
    assert_eq!(check(|facts| facts.bought = 99, 1), Ok(Status::Requested));
    let by_hand = |facts: &mut Facts| facts.rule.automatic = false;
    assert_eq!(check(by_hand, 1), Ok(Status::Requested));
    assert_eq!(check(|_| (), 169), Err(Refusal::WindowOver));
    assert_eq!(
        check(|facts| facts.refunded = true, 1),
        Err(Refusal::Refunded)
    );
    assert_eq!(check(|facts| facts.gone = true, 1), Err(Refusal::Gone));
    let again = check(|facts| facts.requested = true, 1);
    assert_eq!(again, Err(Refusal::AlreadyRequested));
}

#[test]
fn every_word_reads_back() {
    for reason in Reason::ALL {
        assert_eq!(Reason::parse(reason.name()), Some(reason));
    }
    for status in Status::ALL {
        assert_eq!(Status::parse(status.name()), Some(status));
    }
    for by in [DecidedBy::Auto, DecidedBy::Merchant] {
        assert_eq!(DecidedBy::parse(by.name()), Some(by));
    }
}

/// A purchase of two units and a second one of one, delivered; the first of them was replaced before.
fn purchase() -> (Invoice, Vec<Line>, Vec<Unit>) {
    let line = |number: u128, quantity: u32| Line {
        id: InvoiceLineId::from_uuid(Uuid::from_u128(number)),
        sku: Sku {
            product: ProductId::from_uuid(Uuid::from_u128(number)),
            variant: None,
        },
        title: String::new(),
        kind: ProductKind::Serials,
        quantity,
        unit_price: Money::from_minor(100).unwrap(),
        total: Money::from_minor(100 * i64::from(quantity)).unwrap(),
        missing: Money::ZERO,
        refunded: Money::ZERO,
        left_out: false,
        custom_fields: BTreeMap::new(),
        share: None,
    };
    let unit = |number, successor: Option<u128>| Unit {
        serial: serial(number),
        successor: successor.map(serial),
    };
    let invoice = Invoice {
        id: InvoiceId::from_uuid(Uuid::nil()),
        merchant: MerchantId::from_uuid(Uuid::nil()),
        purpose: Purpose::Checkout,
        relationship: None,
        origin: Origin::Customer,
        status: Standing::Completed,
        amount: Money::from_minor(300).unwrap(),
        coin: Coin::parse("BANK").unwrap(),
        provider: ProviderKind::Manual,
        pay: Pay::default(),
        expires_at: EPOCH,
        paid_at: Some(EPOCH),
        completed_at: Some(EPOCH),
        created_at: EPOCH,
        updated_at: EPOCH,
        refunded: Money::ZERO,
        payments: Vec::new(),
    };
    let units = vec![
        unit(1, Some(4)),
        unit(2, None),
        unit(3, None),
        unit(4, None),
    ];
    (invoice, vec![line(1, 2), line(2, 1)], units)
}

fn serial(number: u128) -> SerialId {
    SerialId::from_uuid(Uuid::from_u128(number))
}

fn of(which: Which, product: Option<u128>, despite: bool) -> Wanted {
    Wanted {
        which,
        product: product.map(|number| ProductId::from_uuid(Uuid::from_u128(number))),
        variant: None,
        despite,
    }
}

fn these(numbers: &[u128]) -> Which {
    Which::These(numbers.iter().copied().map(serial).collect())
}

#[test]
fn units_that_count_are_replaced_once_or_as_often_as_their_merchant_says() {
    let (invoice, lines, units) = purchase();
    for (wanted, expected) in [
        (of(Which::All, None, false), Err(NotReplaced::SeveralLines)),
        (of(Which::All, Some(9), false), Err(NotReplaced::Unknown)),
        (of(Which::All, Some(1), false), Ok((0, vec![2]))),
        (of(Which::All, Some(1), true), Ok((0, vec![2, 4]))),
        (of(Which::First(1), Some(2), false), Ok((1, vec![3]))),
        (
            of(Which::First(2), Some(1), false),
            Err(NotReplaced::Excess { left: 1 }),
        ),
        (of(Which::First(2), Some(1), true), Ok((0, vec![2, 4]))),
        (of(these(&[3]), None, false), Ok((1, vec![3]))),
        (of(these(&[4]), None, false), Err(NotReplaced::Before)),
        (of(these(&[4]), None, true), Ok((0, vec![4]))),
        (of(these(&[1]), None, true), Err(NotReplaced::Before)),
        (of(these(&[2, 3]), None, true), Err(NotReplaced::Unknown)),
        (of(these(&[9]), None, true), Err(NotReplaced::Unknown)),
    ] {
        let expected: Result<(usize, Vec<u128>), _> = expected;
        let expected = expected.map(|(at, numbers)| {
            let serials: Vec<_> = numbers.into_iter().map(serial).collect();
            (at, serials)
        });
        let meant = of_purchase(&invoice, (&lines, &units), &wanted);
        assert_eq!(meant, expected, "{wanted:?}");
    }
}

#[test]
fn what_was_meant_is_judged_again_by_its_serials() {
    let (invoice, mut lines, mut units) = purchase();
    let meant = |despite| {
        let one = InvoiceReplacement {
            id: ReplacementId::from_uuid(Uuid::nil()),
            merchant: invoice.merchant,
            invoice: invoice.id,
            sku: lines[1].sku,
            serials: vec![serial(3)],
            successors: Vec::new(),
            reason: None,
            despite,
            created_at: EPOCH,
        };
        one.wanted()
    };
    let (plain, despite) = (meant(false), meant(true));
    let judge =
        |lines: &[Line], units: &[Unit], wanted| of_purchase(&invoice, (lines, units), wanted);
    let still = Ok((1, vec![serial(3)]));
    assert_eq!(judge(&lines, &units, &plain), still);
    lines[1].refunded = lines[1].total;
    assert_eq!(judge(&lines, &units, &plain), Err(NotReplaced::Refunded));
    assert_eq!(judge(&lines, &units, &despite), still);
    units[2].successor = Some(serial(5));
    units.push(Unit {
        serial: serial(5),
        successor: None,
    });
    assert_eq!(judge(&lines, &units, &despite), Err(NotReplaced::Before));
}

#[test]
fn what_is_not_the_customers_or_was_paid_back_is_not_replaced() {
    let (invoice, mut lines, units) = purchase();
    let second = of(Which::All, Some(2), false);
    let standing = |status| {
        let invoice = Invoice {
            status,
            ..invoice.clone()
        };
        of_purchase(&invoice, (&lines, &units), &second).unwrap_err()
    };
    assert_eq!(
        standing(Standing::Disputed),
        NotReplaced::Status(Standing::Disputed)
    );
    assert_eq!(standing(Standing::Refunded), NotReplaced::Refunded);
    lines[1].refunded = lines[1].total;
    let partly = Invoice {
        status: Standing::PartiallyRefunded,
        ..invoice
    };
    let judge = |wanted| of_purchase(&partly, (&lines, &units), wanted);
    assert_eq!(judge(&second), Err(NotReplaced::Refunded));
    let despite = of(Which::All, Some(2), true);
    assert_eq!(judge(&despite), Ok((1, vec![serial(3)])));
}
