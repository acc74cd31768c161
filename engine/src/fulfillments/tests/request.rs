//! Bounds of a request, and what an order id is bound to.

use proptest::prelude::*;

use crate::{
    fulfillments::{Channel, Draft, Email, Request},
    money::Money,
    testing::{World, usd},
};

fn world() -> World {
    World::new()
        .product("key", 0)
        .product("pin", 0)
        .variant("game/pro", 0)
}

fn built(world: &World, edit: impl FnOnce(&mut Draft)) -> Request {
    let mut draft = world.draft("A-1", &[("key", 1), ("pin", 2)]);
    edit(&mut draft);
    world.request_of(draft)
}

#[test]
fn meaning_is_bound_and_the_rest_is_not() {
    type Edit = fn(&World, &mut Draft);
    let world = world();
    let bound = built(&world, |_| ());
    let meaning: [(&[&str], Edit); 8] = [
        (&["quantity"], |_, draft| draft.lines[1].quantity = 3),
        (&["product_id"], |world, draft| {
            draft.lines[0].sku = world.sku("pin")
        }),
        (&["product_id", "variant_id"], |world, draft| {
            draft.lines[0].sku = world.sku("game/pro")
        }),
        (&["items"], |_, draft| drop(draft.lines.pop())),
        (&["product_id", "quantity"], |_, draft| {
            draft.lines.swap(0, 1)
        }),
        (&["customer_email"], |_, draft| {
            draft.customer_email = Email::parse("a@example.com")
        }),
        (&["custom_fields"], |_, draft| {
            draft.lines[0]
                .custom_fields
                .insert("a".to_owned(), "b".to_owned());
        }),
        (&[], |_, draft| draft.scope.test = true),
    ];
    for (fields, edit) in meaning {
        let other = built(&world, |draft| edit(&world, draft));
        assert_ne!(other.fingerprint(), bound.fingerprint(), "{fields:?}");
        assert_eq!(other.differing_fields(&bound), fields);
    }
    let rest: [Edit; 6] = [
        |_, draft| draft.channel = Channel::DynamicUrl,
        |_, draft| draft.max_total = Some(Money::ZERO),
        |_, draft| draft.lines[0].max_unit_price = Some(usd("1.00")),
        |_, draft| drop(draft.metadata.insert("a".to_owned(), "b".to_owned())),
        |_, draft| draft.idempotency_key = Some("x".to_owned()),
        |_, draft| draft.notify_customer = Some(true),
    ];
    for edit in rest {
        let other = built(&world, |draft| edit(&world, draft));
        assert_eq!(other.fingerprint(), bound.fingerprint());
        assert!(other.differing_fields(&bound).is_empty());
    }
}

#[test]
fn bounds_of_a_request_are_kept() {
    type Edit = fn(&mut Draft);
    let world = world();
    let cases: [(&str, Edit, bool); 13] = [
        ("items", |draft| draft.lines.clear(), false),
        (
            "items",
            |draft| draft.lines = vec![draft.lines[0].clone(); 20],
            true,
        ),
        (
            "items",
            |draft| draft.lines = vec![draft.lines[0].clone(); 21],
            false,
        ),
        (
            "items[0].quantity",
            |draft| draft.lines[0].quantity = 0,
            false,
        ),
        (
            "items[1].quantity",
            |draft| draft.lines[1].quantity = 101,
            false,
        ),
        ("items", |draft| draft.lines[1].quantity = 100, true),
        (
            "items",
            |draft| {
                draft.lines = vec![draft.lines[0].clone(); 6];
                draft.lines.iter_mut().for_each(|line| line.quantity = 84);
            },
            false,
        ),
        (
            "quantity",
            |draft| {
                draft.lines.truncate(1);
                draft.lines[0].quantity = 101;
            },
            false,
        ),
        (
            "items[0].custom_fields",
            |draft| {
                drop(
                    draft.lines[0]
                        .custom_fields
                        .insert("a".to_owned(), "é".repeat(501)),
                )
            },
            false,
        ),
        (
            "items[0].custom_fields",
            |draft| {
                drop(
                    draft.lines[0]
                        .custom_fields
                        .insert("a".to_owned(), "é".repeat(500)),
                )
            },
            true,
        ),
        (
            "metadata",
            |draft| drop(draft.metadata.insert("a".to_owned(), "x".repeat(2048))),
            false,
        ),
        (
            "metadata",
            |draft| drop(draft.metadata.insert("a".to_owned(), "x".repeat(2047))),
            true,
        ),
        (
            "idempotency_key",
            |draft| draft.idempotency_key = Some("x".repeat(256)),
            false,
        ),
    ];
    for (field, edit, fits) in cases {
        let mut draft = world.draft("A-1", &[("key", 1), ("pin", 2)]);
        edit(&mut draft);
        let refused = Request::new(draft, &world.vault)
            .err()
            .map(|invalid| invalid.field);
        assert_eq!(refused, (!fits).then(|| field.to_owned()));
    }
}

fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    // Few letters, so that delimiters would be met if there were any.
    prop::collection::vec(("[ab]{0,2}", "[ab]{0,2}"), 0..3)
}

proptest! {
    #[test]
    fn fingerprints_are_equal_exactly_when_the_meaning_is(
        first in (1_u32..3, fields()),
        second in (1_u32..3, fields()),
    ) {
        let world = world();
        let request = |(quantity, fields): &(u32, Vec<(String, String)>)| {
            built(&world, |draft| {
                draft.lines[0].quantity = *quantity;
                draft.lines[0].custom_fields = fields.iter().cloned().collect();
            })
        };
        let (first, second) = (request(&first), request(&second));
        let same = first.differing_fields(&second).is_empty();
        prop_assert_eq!(first.fingerprint() == second.fingerprint(), same);
    }
}
