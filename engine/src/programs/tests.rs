//! What a change leaves, and which it is not.

use uuid::Uuid;

use super::{
    Change, CustomerMail, OutOfBounds, Program, Replacement, ReplacementChange, StockApproval,
    top_up_defaults,
};
use crate::{
    catalog::Edit,
    clock::EPOCH,
    ids::MerchantId,
    money::{Currency, Money, Percent},
    relationships::{DynamicUrlPolicy, Mode},
};

fn percent(hundredths: u16) -> Percent {
    Percent::from_hundredths(hundredths).unwrap()
}

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn program() -> Program {
    let (min_top_up, max_top_up) = top_up_defaults(Currency::USD);
    Program {
        merchant: MerchantId::from_uuid(Uuid::nil()),
        currency: Currency::USD,
        enabled: true,
        default_mode: Mode::Affiliate,
        commission: None,
        discount: Some(percent(1500)),
        min_payout: None,
        require_verification: false,
        terms_url: None,
        attribution_window_days: 30,
        commission_hold_days: 7,
        allow_self_purchase: false,
        stock_approval: StockApproval::Manual,
        auto_allocate: true,
        payout_assets: Vec::new(),
        min_top_up,
        max_top_up,
        replacement: Replacement {
            window_hours: 72,
            automatic: false,
            percent_max: percent(1000),
        },
        dynamic_url_policy: DynamicUrlPolicy::Allowed,
        customer_mail: CustomerMail::Link,
        redirect_hosts: Vec::new(),
        version: 3,
        created_at: EPOCH,
        updated_at: EPOCH,
    }
}

#[test]
fn what_is_not_named_stays_and_the_version_rises() {
    let change = Change {
        enabled: Some(false),
        commission: Edit::Set(percent(1000)),
        discount: Edit::Clear,
        replacement: ReplacementChange {
            automatic: Some(true),
            ..ReplacementChange::default()
        },
        ..Change::default()
    };
    let changed = program().changed(change, EPOCH).unwrap();
    let expected = Program {
        enabled: false,
        commission: Some(percent(1000)),
        discount: None,
        replacement: Replacement {
            automatic: true,
            ..program().replacement
        },
        version: 4,
        ..program()
    };
    assert_eq!(changed, expected);
}

#[test]
fn bounds_are_kept() {
    let window = |days| Change {
        attribution_window_days: Some(days),
        ..Change::default()
    };
    let hold = |days| Change {
        commission_hold_days: Some(days),
        ..Change::default()
    };
    let replacement = |hours| Change {
        replacement: ReplacementChange {
            window_hours: Some(hours),
            ..ReplacementChange::default()
        },
        ..Change::default()
    };
    let top_up = |min, max| Change {
        min_top_up: Some(money(min)),
        max_top_up: Some(money(max)),
        ..Change::default()
    };
    for (change, refused) in [
        (window(0), Some(OutOfBounds::AttributionWindow)),
        (window(1), None),
        (window(90), None),
        (window(91), Some(OutOfBounds::AttributionWindow)),
        (hold(0), None),
        (hold(90), None),
        (hold(91), Some(OutOfBounds::CommissionHold)),
        (replacement(0), Some(OutOfBounds::ReplacementWindow)),
        (replacement(720), None),
        (replacement(721), Some(OutOfBounds::ReplacementWindow)),
        (top_up(99, 500), Some(OutOfBounds::TopUps)),
        (top_up(100, 100), None),
        (top_up(501, 500), Some(OutOfBounds::TopUps)),
    ] {
        let changed = program().changed(change.clone(), EPOCH);
        assert_eq!(changed.err(), refused, "{change:?}");
    }
}

#[test]
fn defaults_of_a_top_up_are_whole_units_of_any_currency() {
    for (code, min, max) in [("USD", 1000, 1_000_000), ("JPY", 10, 10_000)] {
        let currency = Currency::parse(code).unwrap();
        assert_eq!(
            top_up_defaults(currency),
            (money(min), money(max)),
            "{code}"
        );
    }
}
