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
            draft.lines[0].sku = world.sku("pin");
        }),
        (&["product_id", "variant_id"], |world, draft| {
            draft.lines[0].sku = world.sku("game/pro");
        }),
        (&["items"], |_, draft| drop(draft.lines.pop())),
        (&["product_id", "quantity"], |_, draft| {
            draft.lines.swap(0, 1);
        }),
        (&["customer_email"], |_, draft| {
            draft.customer_email = Email::parse("a@example.com");
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

type Case = (&'static str, fn(&mut Draft), bool);

fn bounded(cases: &[Case]) {
    let world = world();
    for (field, edit, fits) in cases {
        let mut draft = world.draft("A-1", &[("key", 1), ("pin", 2)]);
        edit(&mut draft);
        let refused = Request::new(draft, &world.vault).err();
        let refused = refused.map(|invalid| invalid.field);
        assert_eq!(refused, (!fits).then(|| (*field).to_owned()));
    }
}

fn note(draft: &mut Draft, bytes: usize) {
    draft.metadata.insert("a".to_owned(), "x".repeat(bytes - 1));
}

fn answer(draft: &mut Draft, characters: usize) {
    let fields = &mut draft.lines[0].custom_fields;
    fields.insert("a".to_owned(), "\u{e9}".repeat(characters));
}

fn lines(draft: &mut Draft, count: usize, quantity: u32) {
    draft.lines = vec![draft.lines[0].clone(); count];
    draft
        .lines
        .iter_mut()
        .for_each(|line| line.quantity = quantity);
}

#[test]
fn lines_and_quantities_are_bounded() {
    bounded(&[
        ("items", |draft| draft.lines.clear(), false),
        ("items", |draft| lines(draft, 20, 1), true),
        ("items", |draft| lines(draft, 21, 1), false),
        ("items", |draft| lines(draft, 5, 100), true),
        ("items", |draft| lines(draft, 6, 84), false),
        ("quantity", |draft| lines(draft, 1, 101), false),
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
    ]);
}

/// Storage would refuse it, and everybody's batch with it.
#[test]
fn words_of_the_shop_have_no_nul() {
    let nul = |text: &str| format!("{text}\0");
    let insert = |fields: &mut std::collections::BTreeMap<_, _>, name, value| {
        fields.insert(name, value);
    };
    for (field, edit) in [
        ("metadata", 0),
        ("metadata", 1),
        ("items[0].custom_fields", 2),
        ("items[0].custom_fields", 3),
        ("idempotency_key", 4),
    ] {
        let world = world();
        let mut draft = world.draft("A-1", &[("key", 1), ("pin", 2)]);
        match edit {
            0 => insert(&mut draft.metadata, nul("a"), "b".to_owned()),
            1 => insert(&mut draft.metadata, "a".to_owned(), nul("b")),
            2 => insert(&mut draft.lines[0].custom_fields, nul("a"), "b".to_owned()),
            3 => insert(&mut draft.lines[0].custom_fields, "a".to_owned(), nul("b")),
            _ => draft.idempotency_key = Some(nul("x")),
        }
        let refused = Request::new(draft, &world.vault).expect_err("a NUL");
        assert_eq!(refused.field, field);
    }
}

#[test]
fn words_of_the_shop_are_bounded() {
    bounded(&[
        ("items[0].custom_fields", |draft| answer(draft, 501), false),
        ("items[0].custom_fields", |draft| answer(draft, 500), true),
        ("metadata", |draft| note(draft, 2049), false),
        ("metadata", |draft| note(draft, 2048), true),
        (
            "idempotency_key",
            |draft| draft.idempotency_key = Some("x".repeat(256)),
            false,
        ),
    ]);
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
