//! Products that change.

use super::{
    CUSTOM_FIELDS_MAX, Change, CustomField, Edit, End, FieldKind, Product, ProductKind, Shelf,
    Status, Traces, Unchanged, VARIANTS_MAX, Variant, VariantChange,
};
use crate::{
    ids::VariantId,
    testing::{World, usd},
};

fn product() -> Product {
    let world = World::new().variant("game/gold", 0);
    let id = world.sku("game").product;
    let tables = world.store.tables();
    tables.products[&id].clone()
}

#[test]
fn what_is_not_named_stays_and_the_price_version_rises() {
    let before = product();
    let variant = before.variants[0].id;
    let change = Change {
        title: Some("New".to_owned()),
        wholesale_price: Edit::Clear,
        max_quantity: Edit::Set(5),
        variants: vec![VariantChange {
            id: variant,
            title: None,
            status: Some(Status::Disabled),
            base_price: None,
            wholesale_price: Edit::Set(usd("1.00")),
        }],
        ..Change::default()
    };
    let after = before.clone().changed(change, Shelf::Stocked).unwrap();
    assert_eq!((after.title.as_str(), after.status), ("New", before.status));
    assert_eq!(
        (after.base_price, after.wholesale_price),
        (before.base_price, None)
    );
    assert_eq!((after.min_quantity, after.max_quantity), (None, Some(5)));
    assert_eq!(after.price_version, before.price_version + 1);
    let (old, new) = (&before.variants[0], &after.variants[0]);
    assert_eq!((&new.title, new.base_price), (&old.title, old.base_price));
    assert_eq!(
        (new.status, new.wholesale_price),
        (Status::Disabled, Some(usd("1.00")))
    );
}

#[test]
fn what_must_not_be_is_refused() {
    let quantities = Change {
        min_quantity: Edit::Set(6),
        max_quantity: Edit::Set(5),
        ..Change::default()
    };
    assert_eq!(
        product().changed(quantities, Shelf::Stocked).err(),
        Some(Unchanged::Quantities)
    );
    let unknown = VariantId::from_uuid(uuid::Uuid::nil());
    let change = Change {
        variants: vec![VariantChange {
            id: unknown,
            title: None,
            status: None,
            base_price: None,
            wholesale_price: Edit::Keep,
        }],
        ..Change::default()
    };
    let refused = product().changed(change, Shelf::Stocked).err();
    assert_eq!(refused, Some(Unchanged::UnknownVariant(unknown)));
    let mut archived = product();
    archived.status = Status::Archived;
    let refused = archived.changed(Change::default(), Shelf::Empty).err();
    assert_eq!(refused, Some(Unchanged::Archived));
}

fn variant(number: u128) -> Variant {
    Variant {
        id: VariantId::from_uuid(uuid::Uuid::from_u128(number)),
        title: number.to_string(),
        base_price: usd("2.00"),
        wholesale_price: None,
        status: Status::Active,
    }
}

fn field(name: &str) -> CustomField {
    CustomField {
        name: name.to_owned(),
        kind: FieldKind::Text,
        required: true,
        placeholder: None,
        pattern: None,
    }
}

#[test]
fn new_variants_come_after_those_that_were_there() {
    let before = product();
    let change = Change {
        added: vec![variant(1), variant(2)],
        ..Change::default()
    };
    // It has variants: nobody could order serials of its own before either.
    let after = before.clone().changed(change, Shelf::Stocked).unwrap();
    assert_eq!(after.variants[0].id, before.variants[0].id);
    let ids = after.variants[1..].iter().map(|variant| variant.id);
    assert!(ids.eq([variant(1).id, variant(2).id]));
}

#[test]
fn first_variant_needs_an_empty_shelf() {
    let mut product = product();
    product.variants.clear();
    let change = Change {
        added: vec![variant(1)],
        ..Change::default()
    };
    let refused = product.clone().changed(change.clone(), Shelf::Stocked);
    assert_eq!(refused.err(), Some(Unchanged::Stocked));
    let changed = product.clone().changed(change, Shelf::Empty).unwrap();
    assert_eq!(changed.variants.len(), 1);
    assert!(product.changed(Change::default(), Shelf::Stocked).is_ok());
}

#[test]
fn product_stays_what_it_is() {
    for (kind, refused) in [
        (ProductKind::Serials, None),
        (ProductKind::Service, Some(Unchanged::Kind)),
    ] {
        let change = Change {
            kind: Some(kind),
            ..Change::default()
        };
        assert_eq!(product().changed(change, Shelf::Empty).err(), refused);
    }
}

#[test]
fn variants_and_custom_fields_are_bounded() {
    let fields = |fields: Vec<CustomField>| Change {
        custom_fields: Some(fields),
        ..Change::default()
    };
    let many = |count: usize| (0..count).map(|at| field(&at.to_string())).collect();
    let added = |count: u128| Change {
        added: (1..=count).map(variant).collect(),
        ..Change::default()
    };
    let left = VARIANTS_MAX as u128 - 1;
    for (change, refused) in [
        (fields(many(CUSTOM_FIELDS_MAX)), None),
        (
            fields(many(CUSTOM_FIELDS_MAX + 1)),
            Some(Unchanged::CustomFields),
        ),
        (
            fields(vec![field("a"), field("a")]),
            Some(Unchanged::CustomFields),
        ),
        (added(left), None),
        (added(left + 1), Some(Unchanged::Variants)),
    ] {
        assert_eq!(product().changed(change, Shelf::Empty).err(), refused);
    }
}

#[test]
fn patterns_are_bounded_in_what_they_need() {
    let pattern = CustomField::pattern("^[A-Z]{4}$").unwrap();
    assert!(pattern.is_match("ABCD") && !pattern.is_match("ABC"));
    for wrong in ["(", r"(\w{1000}){1000}"] {
        assert!(CustomField::pattern(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn product_that_somebody_knows_of_is_archived_and_any_other_deleted() {
    let before = product();
    let (title, version) = (before.title.clone(), before.price_version);
    assert!(matches!(before.clone().ended(Traces::None), End::Deleted));
    let End::Archived(archived) = before.ended(Traces::Some) else {
        panic!("it has traces");
    };
    assert_eq!(
        (archived.status, archived.title.clone()),
        (Status::Archived, title)
    );
    assert_eq!(archived.price_version, version + 1);
    for traces in [Traces::None, Traces::Some] {
        assert!(matches!(archived.clone().ended(traces), End::Already));
    }
}

#[test]
fn another_price_is_one_of_the_product_or_of_a_variant_and_nothing_else() {
    let before = product();
    let after = |change| before.clone().changed(change, Shelf::Empty).unwrap();
    let renamed = Change {
        title: Some("New".to_owned()),
        status: Some(Status::Disabled),
        ..Change::default()
    };
    assert!(after(renamed).is_priced_as(&before));
    let dearer = Change {
        base_price: Some(usd("99.00")),
        ..Change::default()
    };
    assert!(!after(dearer).is_priced_as(&before));
    let variant = Change {
        variants: vec![VariantChange {
            id: before.variants[0].id,
            title: None,
            status: None,
            base_price: None,
            wholesale_price: Edit::Set(usd("0.01")),
        }],
        ..Change::default()
    };
    assert!(!after(variant).is_priced_as(&before));
}
