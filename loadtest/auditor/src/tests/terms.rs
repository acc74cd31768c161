//! Lies about terms: revocations, suspensions, limits; and what looks like a lie and is none.

use super::scene::{PRICE, Scene, key, merchant, relationship, sku};
use crate::{Change, KeyCap, Limits, Point, Point::*};

fn check(expected: &[Point], told: impl FnOnce(&mut Scene)) {
    let mut scene = Scene::empty();
    scene.credit(0, "pay-1", 10_000);
    told(&mut scene);
    let verdict = scene.verdict();
    assert_eq!(verdict.violated(), expected, "{verdict}");
}

fn limits(daily: Option<i64>, monthly: Option<i64>) -> Limits {
    Limits {
        relationship: relationship(0),
        daily,
        monthly,
    }
}

#[test]
fn revoked_key_is_accepted() {
    check(&[C14], |scene| {
        scene.change(Change::KeyRevoked { key: key(0) });
        scene.deliver(0, "a", 1);
    });
}

#[test]
fn revoked_key_is_shown_an_old_order() {
    check(&[C14], |scene| {
        scene.deliver(0, "a", 1);
        scene.change(Change::KeyRevoked { key: key(0) });
        scene.replay(0, "a");
    });
}

#[test]
fn suspended_reseller_is_sold_to() {
    check(&[C14], |scene| {
        scene.change(Change::Relationship {
            relationship: relationship(0),
            active: false,
        });
        scene.deliver(0, "a", 1);
    });
}

#[test]
fn product_without_access_is_sold() {
    check(&[C14], |scene| {
        scene.change(Change::Access {
            relationship: relationship(0),
            sku: sku(0),
            allowed: false,
        });
        scene.deliver(0, "a", 1);
    });
}

#[test]
fn product_that_is_off_is_sold() {
    check(&[C14], |scene| {
        scene.change(Change::Offered {
            sku: sku(0),
            on: false,
        });
        scene.deliver(0, "a", 1);
    });
}

#[test]
fn program_that_is_off_sells() {
    check(&[C14], |scene| {
        scene.change(Change::Program {
            merchant: merchant(0),
            enabled: false,
        });
        scene.deliver(0, "a", 1);
    });
}

#[test]
fn suspended_reseller_may_see_old_orders() {
    check(&[], |scene| {
        scene.deliver(0, "a", 1);
        scene.change(Change::Relationship {
            relationship: relationship(0),
            active: false,
        });
        scene.replay(0, "a");
    });
}

#[test]
fn reseller_is_sold_to_again_after_reactivation() {
    check(&[], |scene| {
        for active in [false, true] {
            scene.change(Change::Relationship {
                relationship: relationship(0),
                active,
            });
        }
        scene.deliver(0, "a", 1);
    });
}

#[test]
fn order_sent_before_the_revocation_was_acknowledged_may_finish() {
    check(&[], |scene| {
        let change = scene.change(Change::KeyRevoked { key: key(0) });
        let order = scene.deliver(0, "a", 1);
        scene.history.invocations[order].sent_at = scene.history.invocations[change].sent_at + 1;
    });
}

fn price(unit_price: i64) -> Change {
    Change::Price {
        sku: sku(0),
        unit_price,
    }
}

#[test]
fn product_is_sold_at_its_old_price() {
    check(&[C14], |scene| {
        scene.change(price(PRICE + 1));
        scene.deliver(0, "a", 1);
    });
}

#[test]
fn product_is_sold_at_a_price_to_come() {
    check(&[C14], |scene| {
        scene.change(price(PRICE + 1));
        scene.deliver(0, "a", 1);
        scene.change(price(PRICE));
    });
}

#[test]
fn order_sent_before_the_price_was_acknowledged_may_have_either() {
    check(&[], |scene| {
        scene.change(price(PRICE));
        let change = scene.change(price(PRICE + 1));
        let order = scene.deliver(0, "a", 1);
        scene.history.invocations[order].sent_at = scene.history.invocations[change].sent_at + 1;
    });
}

#[test]
fn price_that_was_never_acknowledged_may_count() {
    check(&[], |scene| {
        let change = scene.change(price(PRICE));
        scene.history.invocations[change].answered = None;
        scene.change(price(PRICE + 1));
        scene.deliver(0, "a", 1);
    });
}

#[test]
fn daily_limit_is_exceeded() {
    check(&[C18], |scene| {
        scene.store.limits.push(limits(Some(2 * PRICE), None));
        scene.deliver(0, "a", 2);
        scene.deliver(0, "b", 1);
    });
}

#[test]
fn monthly_limit_is_exceeded() {
    check(&[C18], |scene| {
        scene.store.limits.push(limits(None, Some(2 * PRICE)));
        scene.deliver(0, "a", 2);
        scene.deliver(0, "b", 1);
    });
}

#[test]
fn limit_is_used_up_and_no_more() {
    check(&[], |scene| {
        scene
            .store
            .limits
            .push(limits(Some(2 * PRICE), Some(2 * PRICE)));
        scene.deliver(0, "a", 2);
    });
}

#[test]
fn lowered_limit_is_ignored() {
    check(&[C18], |scene| {
        scene.store.limits.push(limits(Some(PRICE), None));
        scene.deliver(0, "a", 2);
        scene.change(Change::PurchaseLimits {
            relationship: relationship(0),
            daily: Some(PRICE),
            monthly: None,
        });
        scene.deliver(0, "b", 1);
    });
}

#[test]
fn what_was_bought_before_the_limit_was_lowered_stays() {
    check(&[], |scene| {
        scene.store.limits.push(limits(Some(PRICE), None));
        scene.deliver(0, "a", 2);
        scene.change(Change::PurchaseLimits {
            relationship: relationship(0),
            daily: Some(PRICE),
            monthly: None,
        });
    });
}

#[test]
fn cap_of_a_key_is_exceeded() {
    check(&[C18], |scene| {
        scene.store.key_caps.push(KeyCap {
            key: key(0),
            daily: PRICE,
        });
        scene.deliver(0, "a", 1);
        scene.deliver(0, "b", 1);
    });
}
