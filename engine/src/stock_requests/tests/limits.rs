//! What leaves room for a purchase, and what late money may still buy.

use chrono::TimeDelta;

use super::{
    super::{NotOpened, OPEN_MAX, UNPAID_A_DAY_MAX, Unpaid, may_open, may_revive, within_limits},
    Event, RequestedBy, Status, StockRequest, money, request, terms_of,
};
use crate::{
    balances::Spending, clock::EPOCH, fulfillments::Refusal, relationships::Committed,
    testing::World,
};

#[test]
fn purchase_limits_count_what_is_in_the_ledger_and_what_is_committed_beside_it() {
    let world = World::new().product("key", 1);
    let mut terms = terms_of(&world);
    terms.purchase_limit_daily = Some(money(1_000));
    terms.purchase_limit_monthly = None;
    let mut spending = Spending::none(EPOCH.date_naive());
    (spending.today, spending.month) = (money(300), money(300));
    let committed = Committed {
        day: EPOCH.date_naive(),
        today: money(500),
        month: money(900),
    };
    let check = |cost| within_limits(&terms, &spending, committed, money(cost), EPOCH);
    assert_eq!(check(200), Ok(()));
    assert!(matches!(
        check(201),
        Err(Refusal::PurchaseLimitExceeded { .. })
    ));
}

#[test]
fn late_money_revives_what_the_merchant_did_not_end_within_the_limits() {
    let world = World::new().product("key", 1);
    let mut terms = terms_of(&world);
    terms.purchase_limit_daily = Some(money(1_000));
    terms.purchase_limit_monthly = None;
    let late = EPOCH + TimeDelta::days(7);
    let spending = Spending::none(late.date_naive());
    let revives = |request: &StockRequest, today| {
        let committed = Committed {
            day: late.date_naive(),
            today: money(today),
            month: money(today),
        };
        may_revive(request, (&terms, &spending), committed, late)
    };
    let by = |side| {
        let cancelled = request(Status::Invoiced).step(Event::Cancelled(side), EPOCH);
        cancelled.unwrap().into_request()
    };
    for (request, expected) in [
        (by(RequestedBy::Reseller), true),
        (by(RequestedBy::Merchant), false),
        // Who cancelled it is not known.
        (request(Status::Cancelled), false),
        (request(Status::Expired), true),
        // Nobody noted that its time is over.
        (request(Status::Invoiced), true),
        (request(Status::Paid), false),
    ] {
        assert_eq!(revives(&request, 700), expected, "{request:?}");
        assert!(!revives(&request, 701), "{request:?}");
    }
}

#[test]
fn what_is_bought_after_its_end_counts_from_then_on() {
    let late = EPOCH + TimeDelta::days(8);
    for (before, at, revived) in [
        (Status::Invoiced, EPOCH, None),
        (Status::Invoiced, late, Some(late)),
        (Status::Expired, late, Some(late)),
    ] {
        let before = request(before);
        let paid = before.clone().step(Event::Paid, at);
        let paid = paid.unwrap().into_request();
        assert_eq!((paid.status, paid.revived_at), (Status::Paid, revived));
        assert_eq!(paid.counts_as(&before), revived.is_none(), "{before:?}");
    }
}

#[test]
fn so_many_purchases_wait_and_come_to_nothing_in_a_day_and_no_more() {
    let world = World::new().product("key", 1);
    let mut terms = terms_of(&world);
    terms.purchase_limit_daily = Some(money(1_000));
    let spending = Spending::none(EPOCH.date_naive());
    let committed = Committed::NONE;
    let opens = |waiting, today, cost| {
        let unpaid = Unpaid { waiting, today };
        let counted = (&terms, &spending);
        may_open(unpaid, counted, committed, money(cost), EPOCH)
    };
    let (waiting, today) = (OPEN_MAX - 1, UNPAID_A_DAY_MAX - 1);
    assert_eq!(opens(waiting, today, 1_000), Ok(()));
    assert_eq!(opens(OPEN_MAX, today, 1), Err(NotOpened::TooMany));
    assert_eq!(
        opens(waiting, UNPAID_A_DAY_MAX, 1),
        Err(NotOpened::TooManyToday)
    );
    let beyond = opens(waiting, today, 1_001);
    assert!(matches!(beyond, Err(NotOpened::Limit(_))), "{beyond:?}");
}
