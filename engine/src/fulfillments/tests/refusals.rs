//! Every refusal on the whole engine: it changes nothing, and never hides what was bound before.

use crate::{
    catalog::{CustomField, FieldKind, ProductKind, Status},
    fulfillments::{Channel, Draft, Refusal},
    money::Money,
    relationships::{self, DynamicUrlPolicy, Mode, Terms},
    testing::{
        Scene, World,
        outcomes::{fresh, refusal, replayed},
        restarted, scene, usd,
    },
};

/// What stands in the way of an order of two keys, and the refusal that says so.
struct Case {
    name: &'static str,
    hinder: fn(&Scene),
    ask: fn(&mut Draft),
    refusal: fn(&Scene) -> Refusal,
}

fn terms(scene: &Scene, edit: impl FnOnce(&mut Terms)) {
    scene.world.change_terms(edit);
}

fn product(scene: &Scene, edit: impl FnOnce(&mut crate::catalog::Product)) {
    let id = scene.world.sku("key").product;
    let mut tables = scene.world.store.tables();
    edit(tables.products.get_mut(&id).expect("the product"));
}

fn key(scene: &Scene) -> crate::ids::ProductId {
    scene.world.sku("key").product
}

fn midnight(day: &str) -> crate::clock::Timestamp {
    format!("{day}T00:00:00Z").parse().expect("a time")
}

const fn as_asked(_: &mut Draft) {}

/// Two keys were bought before: 5.00 of 50.00, today.
fn cases_of_terms() -> Vec<Case> {
    vec![
        Case {
            name: "key revoked",
            hinder: |scene| terms(scene, |terms| terms.keys.clear()),
            ask: as_asked,
            refusal: |_| Refusal::KeyRevoked,
        },
        Case {
            name: "program off",
            hinder: |scene| terms(scene, |terms| terms.program_enabled = false),
            ask: as_asked,
            refusal: |_| Refusal::ProgramDisabled,
        },
        Case {
            name: "signed addresses only",
            hinder: |scene| {
                terms(scene, |terms| {
                    terms.dynamic_url_policy = DynamicUrlPolicy::SignedOnly;
                });
            },
            ask: |draft| draft.channel = Channel::DynamicUrl,
            refusal: |_| Refusal::DynamicUrlNotAllowed {
                policy: DynamicUrlPolicy::SignedOnly,
            },
        },
        Case {
            name: "suspended",
            hinder: |scene| {
                terms(scene, |terms| {
                    terms.status = relationships::Status::Suspended;
                    terms.status_reason = Some("unpaid".to_owned());
                });
            },
            ask: as_asked,
            refusal: |_| Refusal::RelationshipInactive {
                reason: Some("unpaid".to_owned()),
            },
        },
        Case {
            name: "affiliate only",
            hinder: |scene| terms(scene, |terms| terms.mode = Mode::Affiliate),
            ask: as_asked,
            refusal: |_| Refusal::ModeNotAllowed,
        },
        Case {
            name: "access revoked",
            hinder: |scene| terms(scene, |terms| terms.access.clear()),
            ask: as_asked,
            refusal: |scene| Refusal::ProductNotAllowed {
                product: key(scene),
            },
        },
    ]
}

fn cases_of_limits() -> Vec<Case> {
    vec![
        Case {
            name: "limit of the day",
            hinder: |scene| {
                terms(scene, |terms| {
                    terms.purchase_limit_daily = Some(usd("9.99"));
                });
            },
            ask: as_asked,
            refusal: |_| Refusal::PurchaseLimitExceeded {
                limit: usd("9.99"),
                used: usd("5.00"),
                resets_at: midnight("2026-03-15"),
            },
        },
        Case {
            name: "limit of the month",
            hinder: |scene| {
                terms(scene, |terms| {
                    terms.purchase_limit_monthly = Some(usd("9.99"));
                });
            },
            ask: as_asked,
            refusal: |_| Refusal::PurchaseLimitExceeded {
                limit: usd("9.99"),
                used: usd("5.00"),
                resets_at: midnight("2026-04-01"),
            },
        },
        Case {
            name: "cap of the key",
            hinder: |scene| {
                terms(scene, |terms| {
                    let own = terms.keys.values_mut().next().expect("one key");
                    own.daily_spend_cap = Some(usd("9.99"));
                });
            },
            ask: as_asked,
            refusal: |_| Refusal::SpendCapExceeded {
                limit: usd("9.99"),
                used: usd("5.00"),
                resets_at: midnight("2026-03-15"),
            },
        },
    ]
}

fn cases_of_products() -> Vec<Case> {
    vec![
        Case {
            name: "product gone",
            hinder: |scene| {
                let id = key(scene);
                scene.world.store.tables().products.remove(&id);
            },
            ask: as_asked,
            refusal: |scene| Refusal::ProductNotFound {
                product: key(scene),
            },
        },
        Case {
            name: "product of another merchant",
            hinder: |scene| {
                let own = scene.world.merchant.id;
                let tables = scene.world.store.tables();
                let other = tables.merchants.keys().find(|id| **id != own);
                let other = *other.expect("another merchant");
                drop(tables);
                product(scene, |product| product.merchant = other);
            },
            ask: as_asked,
            refusal: |scene| Refusal::ProductNotFound {
                product: key(scene),
            },
        },
        Case {
            name: "field required",
            hinder: |scene| {
                product(scene, |product| {
                    product.custom_fields.push(CustomField {
                        name: "account".to_owned(),
                        kind: FieldKind::Text,
                        required: true,
                        placeholder: None,
                        pattern: None,
                    });
                });
            },
            ask: as_asked,
            refusal: |_| Refusal::Invalid {
                field: "custom_fields.account".to_owned(),
                message: "is required",
            },
        },
        Case {
            name: "product off",
            hinder: |scene| product(scene, |product| product.status = Status::Disabled),
            ask: as_asked,
            refusal: |scene| Refusal::ProductNotAllowed {
                product: key(scene),
            },
        },
        Case {
            name: "service",
            hinder: |scene| product(scene, |product| product.kind = ProductKind::Service),
            ask: as_asked,
            refusal: |scene| Refusal::ProductNotEligible {
                product: key(scene),
            },
        },
    ]
}

fn cases_of_amounts() -> Vec<Case> {
    vec![
        Case {
            name: "too few",
            hinder: |scene| product(scene, |product| product.min_quantity = Some(3)),
            ask: as_asked,
            refusal: |scene| Refusal::QuantityOutOfRange {
                product: key(scene),
                min: 3,
                max: 100,
            },
        },
        Case {
            name: "price risen above the caller's maximum",
            hinder: |scene| product(scene, |product| product.wholesale_price = Some(usd("2.51"))),
            ask: |draft| draft.lines[0].max_unit_price = Some(usd("2.50")),
            refusal: |scene| Refusal::PriceChanged {
                product: Some(key(scene)),
                current: usd("2.51"),
            },
        },
        Case {
            name: "sum risen above the caller's maximum",
            hinder: |scene| product(scene, |product| product.wholesale_price = Some(usd("2.51"))),
            ask: |draft| draft.max_total = Some(usd("5.00")),
            refusal: |_| Refusal::PriceChanged {
                product: None,
                current: usd("5.02"),
            },
        },
        Case {
            name: "dearer than the balance",
            hinder: |scene| {
                product(scene, |product| {
                    product.wholesale_price = Some(usd("40.00"));
                });
            },
            ask: as_asked,
            refusal: |_| Refusal::InsufficientBalance {
                required: usd("80.00"),
                available: usd("45.00"),
            },
        },
        Case {
            name: "sold out",
            hinder: |scene| {
                let mut tables = scene.world.store.tables();
                tables
                    .imports
                    .values_mut()
                    .for_each(|import| import.number = None);
                tables.imports.clear();
            },
            ask: as_asked,
            refusal: |scene| Refusal::OutOfStock {
                product: key(scene),
            },
        },
    ]
}

fn world() -> World {
    World::new()
        .product("key", 10)
        .balance("50.00")
        .foreign_product("alien")
}

fn draft(scene: &Scene, case: &Case, order: &str) -> Draft {
    let mut draft = scene.world.draft(order, &[("key", 2)]);
    (case.ask)(&mut draft);
    draft
}

async fn fulfill(scene: &Scene, case: &Case, order: &str) -> crate::fulfillments::Outcome {
    let request = scene.world.request_of(draft(scene, case, order));
    scene.engine.fulfill(request).await
}

#[test]
fn refused_order_changes_nothing_and_bound_order_is_still_shown() {
    let cases = [
        cases_of_terms(),
        cases_of_limits(),
        cases_of_products(),
        cases_of_amounts(),
    ];
    for case in cases.into_iter().flatten() {
        scene(&world(), async |scene| {
            let bound = fresh(fulfill(&scene, &case, "A-1").await);
            (case.hinder)(&scene);
            let scene = restarted(scene).await;
            let before = scene.footprint();

            let refused = refusal(fulfill(&scene, &case, "A-2").await);
            assert_eq!(refused, (case.refusal)(&scene), "{}", case.name);
            let again = replayed(fulfill(&scene, &case, "A-1").await);
            assert_eq!(again, bound, "{}", case.name);
            let mut other = draft(&scene, &case, "A-1");
            other.lines[0].quantity = 1;
            let other = scene.engine.fulfill(scene.world.request_of(other)).await;
            let fields = vec!["quantity"];
            assert_eq!(
                refusal(other),
                Refusal::OrderMismatch { fields },
                "{}",
                case.name
            );
            assert_eq!(scene.footprint(), before, "{}", case.name);
            let left = scene.balance().await;
            assert_eq!(
                (left.posted, left.held),
                (usd("45.00"), Money::ZERO),
                "{}",
                case.name
            );
        });
    }
}

#[test]
fn refused_order_id_stays_free() {
    scene(&world(), async |scene| {
        let poor = scene.fulfill("A-1", &[("key", 11)]).await;
        assert!(matches!(refusal(poor), Refusal::OutOfStock { .. }));
        let delivered = fresh(scene.fulfill("A-1", &[("key", 2)]).await);
        assert_eq!(delivered.contents.total, usd("5.00"));
        scene.check_at_rest().await;
    });
}

#[test]
fn limits_count_what_is_held_and_forget_what_was_given_back() {
    let limit = |terms: &mut Terms| terms.purchase_limit_daily = Some(usd("5.00"));
    scene(&world().edit_terms(limit), async |scene| {
        scene.world.store.hold_commits();
        let during = async {
            scene.world.store.commit_waits().await;
            let refused = refusal(scene.fulfill("A-2", &[("key", 1)]).await);
            scene.world.store.let_commits();
            refused
        };
        let (first, refused) = tokio::join!(scene.fulfill("A-1", &[("key", 2)]), during);
        fresh(first);
        let (limit, used) = (usd("5.00"), usd("5.00"));
        let resets_at = midnight("2026-03-15");
        assert_eq!(
            refused,
            Refusal::PurchaseLimitExceeded {
                limit,
                used,
                resets_at
            }
        );

        scene
            .world
            .clock
            .advance(std::time::Duration::from_hours(12));
        let poor = scene.fulfill("A-3", &[("key", 9)]).await;
        assert!(matches!(
            refusal(poor),
            Refusal::PurchaseLimitExceeded { .. }
        ));
        fresh(scene.fulfill("A-3", &[("key", 2)]).await);
        scene.check_at_rest().await;
    });
}
