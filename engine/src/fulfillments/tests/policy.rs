//! Prices and the order of refusals, without an engine.

use crate::{
    catalog::{CustomField, FieldKind, Product, ProductKind, Status},
    fulfillments::{
        Channel, Draft, Refusal, Request,
        policy::{Quote, quote},
    },
    money::Percent,
    relationships::{self, Access, DynamicUrlPolicy, KeyTerms, Mode, Terms},
    testing::{World, usd},
};

fn world() -> World {
    World::new().product("key", 0).variant("game/pro", 0)
}

fn terms(world: &World) -> Terms {
    let tables = world.store.tables();
    tables
        .terms
        .get(&world.relationship)
        .expect("terms")
        .clone()
}

fn quoted(world: &World, terms: &Terms, request: &Request) -> Result<Quote, Refusal> {
    let products = world.store.tables().products.clone();
    quote(terms, |line| products.get(&line.sku.product), request)
}

fn of(world: &World, ask: impl FnOnce(&mut Draft)) -> Result<Quote, Refusal> {
    let mut draft = world.draft("A-1", &[("key", 2)]);
    ask(&mut draft);
    quoted(world, &terms(world), &world.request_of(draft))
}

#[test]
fn earlier_refusal_wins_over_every_later_one() {
    // Each of these hinders an order by itself; the first that is left says no.
    type Hinder = fn(World) -> World;
    let hindrances: [(&str, Hinder); 10] = [
        ("KeyRevoked", |world| {
            world.edit_terms(|terms| terms.keys.clear())
        }),
        ("ProgramDisabled", |world| {
            world.edit_terms(|terms| terms.program_enabled = false)
        }),
        ("DynamicUrlNotAllowed", |world| {
            world.edit_terms(|terms| terms.dynamic_url_policy = DynamicUrlPolicy::Off)
        }),
        ("RelationshipInactive", |world| {
            world.edit_terms(|terms| terms.status = relationships::Status::Terminated)
        }),
        ("ModeNotAllowed", |world| {
            world.edit_terms(|terms| terms.mode = Mode::Affiliate)
        }),
        ("Invalid", |world| {
            world.edit_product("key", |product| {
                product.custom_fields.push(CustomField {
                    name: "account".to_owned(),
                    kind: FieldKind::Text,
                    required: true,
                    placeholder: None,
                    pattern: None,
                });
            })
        }),
        ("ProductNotAllowed", |world| {
            world.edit_terms(|terms| terms.access.clear())
        }),
        ("ProductNotEligible", |world| {
            world.edit_product("key", |product| product.kind = ProductKind::Service)
        }),
        ("QuantityOutOfRange", |world| {
            world.edit_product("key", |product| product.min_quantity = Some(3))
        }),
        ("PriceChanged", |world| {
            world.edit_product("key", |product| product.wholesale_price = Some(usd("9.00")))
        }),
    ];
    for first in 0..hindrances.len() {
        let world = hindrances[first..]
            .iter()
            .fold(world(), |world, (_, hinder)| hinder(world));
        let refused = of(&world, |draft| {
            draft.channel = Channel::SignedUrl;
            draft.max_total = Some(usd("5.00"));
        });
        let refused = format!("{:?}", refused.expect_err("hindered"));
        assert!(refused.starts_with(hindrances[first].0), "{refused}");
    }
}

#[test]
fn order_of_the_lines_does_not_change_the_refusal() {
    let world = world().foreign_product("alien").edit_terms(|terms| {
        terms.access.retain(|(_, variant), _| variant.is_some());
    });
    for lines in [[("key", 1), ("alien", 1)], [("alien", 1), ("key", 1)]] {
        let request = world.request("A-1", &lines);
        let refused = quoted(&world, &terms(&world), &request);
        let product = world.sku("alien").product;
        assert_eq!(refused, Err(Refusal::ProductNotFound { product }));
    }
}

#[test]
fn first_price_that_is_set_is_the_price() {
    let world = world();
    let (sku, products) = (world.sku("game/pro"), world.store.tables().products.clone());
    let product = &products[&sku.product];
    let variant = sku
        .variant
        .and_then(|id| product.variant(id))
        .expect("a variant");
    let percent = |hundredths| Percent::from_hundredths(hundredths);
    let at = |price: &str| Access {
        wholesale_price: Some(usd(price)),
        ..Access::default()
    };
    let bare = Product {
        wholesale_price: None,
        ..product.clone()
    };
    let mut terms = terms(&world);

    let no_variant_price = crate::catalog::Variant {
        wholesale_price: None,
        ..variant.clone()
    };
    assert_eq!(terms.wholesale_price(&bare, Some(&no_variant_price)), None);
    assert_eq!(
        terms.wholesale_price(product, Some(&no_variant_price)),
        Some(usd("2.50"))
    );
    assert_eq!(
        terms.wholesale_price(product, Some(variant)),
        Some(usd("4.00"))
    );
    terms.program_discount = percent(1000);
    assert_eq!(
        terms.wholesale_price(product, Some(variant)),
        Some(usd("4.50"))
    );
    terms.discount = percent(2000);
    assert_eq!(
        terms.wholesale_price(product, Some(variant)),
        Some(usd("4.00"))
    );
    terms.access.insert((sku.product, None), at("3.00"));
    assert_eq!(
        terms.wholesale_price(product, Some(variant)),
        Some(usd("3.00"))
    );
    terms.access.insert((sku.product, sku.variant), at("2.00"));
    assert_eq!(
        terms.wholesale_price(product, Some(variant)),
        Some(usd("2.00"))
    );
    assert_eq!(terms.wholesale_price(product, None), Some(usd("3.00")));
}

#[test]
fn quote_multiplies_after_rounding_and_records_the_price_version() {
    let world = world()
        .edit_product("key", |product| {
            product.base_price = usd("9.99");
            product.price_version = 7;
        })
        .edit_terms(|terms| terms.discount = Percent::from_hundredths(1500));
    let quote = of(&world, |draft| draft.lines[0].quantity = 3).expect("allowed");
    assert_eq!(quote.lines[0].unit_price, usd("8.49"));
    assert_eq!(quote.total, usd("25.47"));
    assert_eq!(quote.lines[0].price_version, terms(&world).version + 7);
}

#[test]
fn total_beyond_the_largest_amount_is_refused() {
    let dear = |product: &mut Product| product.wholesale_price = Some(usd("9999999999.99"));
    let world = world().edit_product("key", dear);
    let refused = of(&world, |_| ());
    assert!(
        matches!(refused, Err(Refusal::Invalid { .. })),
        "{refused:?}"
    );
}

#[test]
fn variants_are_named_where_there_are_some_and_only_there() {
    let world = world();
    let (key, pro) = (world.sku("key"), world.sku("game/pro"));
    for (product, variant, expected) in [
        (key.product, None, None),
        (pro.product, pro.variant, None),
        (key.product, pro.variant, Some("Invalid")),
        (pro.product, None, Some("Invalid")),
    ] {
        let quote = of(&world, |draft| {
            draft.lines[0].sku.product = product;
            draft.lines[0].sku.variant = variant;
        });
        let refused = quote.err().map(|refusal| format!("{refusal:?}"));
        let named = refused
            .as_deref()
            .and_then(|refusal| refusal.split(' ').next());
        assert_eq!(named, expected);
    }
}

#[test]
fn disabled_variant_and_restricted_key_are_not_allowed() {
    let world = world();
    let pro = world.sku("game/pro");
    let ask = |draft: &mut Draft| draft.lines[0].sku = pro;
    let not_allowed = Err(Refusal::ProductNotAllowed {
        product: pro.product,
    });
    let disable = |product: &mut Product| product.variants[0].status = Status::Disabled;
    assert_eq!(of(&world.clone(), ask).map(drop), Ok(()));
    let key = world.key;
    let mut restricted = terms(&world);
    let products = vec![world.sku("key").product];
    restricted.keys.insert(
        key,
        KeyTerms {
            products,
            ..KeyTerms::default()
        },
    );
    let request = world.request("A-1", &[("game/pro", 1)]);
    assert_eq!(quoted(&world, &restricted, &request).map(drop), not_allowed);
    let world = world.edit_product("game/pro", disable);
    assert_eq!(of(&world, ask).map(drop), not_allowed);
}

#[test]
fn quantities_are_bounded_by_access_then_product_then_the_line() {
    let range = |min, max| (min, max);
    for (access, product, expected) in [
        (range(None, None), range(None, None), (1, 100)),
        (range(None, None), range(Some(2), Some(9)), (2, 9)),
        (range(Some(3), Some(4)), range(Some(2), Some(9)), (3, 4)),
        (range(None, Some(500)), range(None, None), (1, 100)),
    ] {
        let world = world()
            .edit_product("key", |edited| {
                (edited.min_quantity, edited.max_quantity) = product;
            })
            .edit_terms(|terms| {
                for own in terms.access.values_mut() {
                    (own.min_quantity, own.max_quantity) = access;
                }
            });
        let sku = world.sku("key");
        let products = world.store.tables().products.clone();
        let found = crate::fulfillments::policy::quantity_range(
            &terms(&world),
            sku,
            &products[&sku.product],
        );
        assert_eq!(found, expected);
    }
}

#[test]
fn key_may_lower_the_largest_quantity_but_not_raise_it() {
    let world = world().edit_product("key", |product| product.max_quantity = Some(5));
    for (own, quantity, allowed) in [(3, 3, true), (3, 4, false), (9, 5, true), (9, 6, false)] {
        let mut terms = terms(&world);
        let key = terms.keys.get_mut(&world.key).expect("the key");
        key.max_quantity = Some(own);
        let request = world.request("A-1", &[("key", quantity)]);
        assert_eq!(
            quoted(&world, &terms, &request).is_ok(),
            allowed,
            "{own} {quantity}"
        );
    }
}

#[test]
fn program_says_which_addresses_order() {
    let asked = |policy, channel| {
        let world = world().edit_terms(|terms| terms.dynamic_url_policy = policy);
        of(&world, |draft| draft.channel = channel).map(drop)
    };
    let channels = [Channel::Api, Channel::SignedUrl, Channel::DynamicUrl];
    for (policy, allowed) in [
        (DynamicUrlPolicy::Allowed, [true, true, true]),
        (DynamicUrlPolicy::SignedOnly, [true, true, false]),
        (DynamicUrlPolicy::Off, [true, false, false]),
    ] {
        for (channel, allowed) in channels.into_iter().zip(allowed) {
            let refusal = Refusal::DynamicUrlNotAllowed { policy };
            let expected = if allowed { Ok(()) } else { Err(refusal) };
            assert_eq!(asked(policy, channel), expected, "{channel:?}");
        }
    }
}

#[test]
fn key_gets_no_more_of_a_product_by_repeating_a_line() {
    let world = world();
    let mut terms = terms(&world);
    terms
        .keys
        .get_mut(&world.key)
        .expect("the key")
        .max_quantity = Some(3);
    for (lines, allowed) in [
        ([("key", 2), ("key", 1)], true),
        ([("key", 2), ("key", 2)], false),
        ([("key", 3), ("game/pro", 3)], true),
    ] {
        let request = world.request("A-1", &lines);
        assert_eq!(quoted(&world, &terms, &request).is_ok(), allowed);
    }
}
