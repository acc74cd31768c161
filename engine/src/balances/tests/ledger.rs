//! Money held and spent: pure, exhaustively in the small, and over the turns of days and months.

use chrono::{NaiveDate, NaiveTime};
use proptest::prelude::*;

use crate::{
    balances::{
        Spending,
        ledger::Ledger,
        order_ids::{OrderIds, Running, SettledBudget},
    },
    clock::Timestamp,
    fulfillments::Refusal,
    ids::KeyId,
    money::Money,
    relationships::{Committed, KeyTerms, Terms},
    testing::{World, usd},
};

fn at(day: &str) -> Timestamp {
    let day: NaiveDate = day.parse().expect("a day");
    day.and_time(NaiveTime::MIN).and_utc()
}

fn limited(daily: Option<&str>, monthly: Option<&str>, cap: Option<&str>) -> (Terms, KeyId) {
    let world = World::new().edit_terms(|terms| {
        terms.purchase_limit_daily = daily.map(usd);
        terms.purchase_limit_monthly = monthly.map(usd);
        for key in terms.keys.values_mut() {
            *key = KeyTerms {
                daily_spend_cap: cap.map(usd),
                ..KeyTerms::default()
            };
        }
    });
    let tables = world.store.tables();
    (tables.terms[&world.relationship].clone(), world.key)
}

#[test]
fn ledger_holds_no_more_than_there_is() {
    let mut ledger = Ledger::new(usd("5.00"));
    assert!(ledger.hold(usd("3.00")));
    assert!(!ledger.hold(usd("2.01")));
    assert!(ledger.hold(usd("2.00")));
    assert!(
        ledger.hold(Money::ZERO),
        "what costs nothing is always affordable"
    );
    ledger.void(usd("2.00"));
    ledger.capture(usd("3.00"));
    ledger.credit(usd("1.00"));
    assert_eq!((ledger.posted(), ledger.held()), (usd("3.00"), Money::ZERO));
}

#[test]
#[should_panic(expected = "0 <= held <= posted")]
fn giving_back_more_than_is_held_ends_the_actor() {
    Ledger::new(usd("5.00")).void(usd("0.01"));
}

/// Every order of holds and their ends: what storage would have is never below zero.
#[test]
fn every_order_of_settlements_adds_up() {
    fn explore(trail: &[usize], depth: usize) {
        let (mut ledger, mut held, mut posted) = (Ledger::new(usd("0.03")), Vec::new(), 3);
        for event in trail {
            match event {
                0 | 1 => {
                    let cost = i64::try_from(event + 1).expect("one or two");
                    let fits = posted - held.iter().sum::<i64>() >= cost;
                    assert_eq!(ledger.hold(cents(cost)), fits, "{trail:?}");
                    held.extend(fits.then_some(cost));
                }
                2 if !held.is_empty() => ledger.void(cents(held.remove(0))),
                3 => {
                    if let Some(cost) = held.pop() {
                        ledger.capture(cents(cost));
                        posted -= cost;
                    }
                }
                4 => {
                    ledger.credit(cents(1));
                    posted += 1;
                }
                _ => {}
            }
            assert_eq!(ledger.posted(), cents(posted), "{trail:?}");
            assert_eq!(ledger.held(), cents(held.iter().sum()), "{trail:?}");
        }
        if depth > 0 {
            for event in 0..5 {
                explore(&[trail, &[event]].concat(), depth - 1);
            }
        }
    }
    explore(&[], 6);
}

fn cents(minor: i64) -> Money {
    Money::from_minor(minor).expect("a small amount")
}

#[test]
fn limits_leave_room_up_to_the_last_cent() {
    let (terms, key) = limited(Some("10.00"), Some("12.00"), Some("9.00"));
    let mut spending = Spending::none(at("2026-12-31").date_naive());
    assert_eq!(
        spending.check((&terms, Committed::NONE), key, usd("9.00")),
        Ok(())
    );
    spending.add(key, usd("8.00"));
    let used = usd("8.00");
    let resets_at = at("2027-01-01");
    for (cost, expected) in [
        ("1.00", Ok(())),
        (
            "1.01",
            Err(Refusal::SpendCapExceeded {
                limit: usd("9.00"),
                used,
                resets_at,
            }),
        ),
        (
            "2.01",
            Err(Refusal::PurchaseLimitExceeded {
                limit: usd("10.00"),
                used,
                resets_at,
            }),
        ),
    ] {
        assert_eq!(
            spending.check((&terms, Committed::NONE), key, usd(cost)),
            expected,
            "{cost}"
        );
    }
    spending.advance(at("2026-12-31"));
    assert_eq!(spending.today, used, "the same day");
}

#[test]
fn month_outlives_the_day_and_ends_with_the_month() {
    let (terms, key) = limited(Some("10.00"), Some("12.00"), None);
    let mut spending = Spending::none(at("2026-01-30").date_naive());
    spending.add(key, usd("10.00"));
    spending.advance(at("2026-01-31"));
    assert_eq!(
        (spending.today, spending.month),
        (Money::ZERO, usd("10.00"))
    );
    assert!(spending.keys_today.is_empty());
    let refused = Refusal::PurchaseLimitExceeded {
        limit: usd("12.00"),
        used: usd("10.00"),
        resets_at: at("2026-02-01"),
    };
    assert_eq!(
        spending.check((&terms, Committed::NONE), key, usd("2.01")),
        Err(refused)
    );
    spending.advance(at("2026-02-01"));
    assert_eq!(
        spending.check((&terms, Committed::NONE), key, usd("10.00")),
        Ok(())
    );
    assert_eq!(spending, Spending::none(at("2026-02-01").date_naive()));
}

#[test]
fn what_is_committed_counts_on_its_day_and_in_its_month() {
    let (terms, key) = limited(Some("10.00"), Some("12.00"), None);
    let committed = Committed {
        day: at("2026-01-30").date_naive(),
        today: usd("7.00"),
        month: usd("9.00"),
    };
    let left = |day: &str, cost| {
        let mut spending = Spending::none(at(day).date_naive());
        spending.add(key, usd("1.00"));
        spending.check((&terms, committed), key, usd(cost)).is_ok()
    };
    for (day, room, beyond) in [
        ("2026-01-30", "2.00", "2.01"),
        ("2026-01-31", "2.00", "2.01"),
        ("2026-02-01", "9.00", "9.01"),
    ] {
        assert!(left(day, room) && !left(day, beyond), "{day}");
    }
}

#[test]
fn clock_that_goes_back_brings_no_day_back() {
    let (_, key) = limited(None, None, None);
    let mut spending = Spending::none(at("2026-03-02").date_naive());
    spending.add(key, usd("1.00"));
    spending.advance(at("2026-03-01"));
    assert_eq!(
        (spending.day, spending.today),
        (at("2026-03-02").date_naive(), usd("1.00"))
    );
}

#[test]
fn what_is_given_back_after_midnight_is_taken_from_where_it_was_added() {
    let (_, key) = limited(None, None, None);
    let day = at("2026-03-30").date_naive();
    for (now, today, month) in [
        ("2026-03-30", "1.00", "1.00"),
        ("2026-03-31", "1.00", "1.00"),
        ("2026-04-01", "1.00", "1.00"),
    ] {
        let mut spending = Spending::none(day);
        spending.add(key, usd("5.00"));
        spending.advance(at(now));
        spending.add(key, usd("1.00"));
        spending.remove(key, usd("5.00"), day);
        assert_eq!(
            (spending.today, spending.month),
            (usd(today), usd(month)),
            "{now}"
        );
    }
}

proptest! {
    #[test]
    fn spending_is_the_sum_of_what_was_not_given_back(
        steps in prop::collection::vec((1_i64..50, any::<bool>(), 0_u64..3), 1..40),
    ) {
        let (_, key) = limited(None, None, None);
        let mut spending = Spending::none(at("2026-01-30").date_naive());
        let (mut now, mut kept) = (at("2026-01-30"), Vec::new());
        for (cost, given_back, days) in steps {
            spending.advance(now);
            spending.add(key, cents(cost));
            let day = spending.day;
            now = now + chrono::Days::new(days);
            spending.advance(now);
            if given_back {
                spending.remove(key, cents(cost), day);
            } else {
                kept.push((day, cost));
            }
        }
        let today = kept.iter().filter(|(day, _)| *day == spending.day);
        prop_assert_eq!(spending.today, cents(today.map(|(_, cost)| cost).sum()));
    }
}

#[test]
fn oldest_replies_are_forgotten_beyond_the_common_budget() {
    let world = World::new()
        .product("key", 5)
        .balance("50.00")
        .configure(|config| {
            config.settled_entries_max = 2;
        });
    crate::testing::scene(&world, async |scene| {
        for order in ["A-1", "A-2", "A-3"] {
            scene
                .fulfill(order, &[("key", 1)])
                .await
                .expect("delivered");
        }
        // Forgotten by the actor, found in storage.
        crate::testing::outcomes::replayed(scene.fulfill("A-1", &[("key", 1)]).await);
        crate::testing::outcomes::replayed(scene.fulfill("A-3", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn replies_beyond_the_bytes_of_the_budget_are_forgotten_too() {
    let world = World::new()
        .product("key", 5)
        .balance("50.00")
        .configure(|config| config.settled_bytes_max = 1);
    crate::testing::scene(&world, async |scene| {
        for order in ["A-1", "A-2"] {
            crate::testing::outcomes::fresh(scene.fulfill(order, &[("key", 1)]).await);
            crate::testing::outcomes::replayed(scene.fulfill(order, &[("key", 1)]).await);
        }
        scene.check_at_rest().await;
    });
}

#[test]
#[should_panic(expected = "an order id runs once at a time")]
fn order_id_begun_twice_ends_the_actor() {
    let world = World::new().product("key", 0);
    let mut orders = OrderIds::new(std::sync::Arc::new(SettledBudget::new(1, usize::MAX)));
    let request = std::sync::Arc::new(world.request("A-1", &[("key", 1)]));
    for _ in 0..2 {
        let running = Running {
            request: std::sync::Arc::clone(&request),
            cost: Money::ZERO,
            day: at("2026-03-01").date_naive(),
            joined: Vec::new(),
            stale: false,
        };
        orders.begin(request.order_id().clone(), running);
    }
}
