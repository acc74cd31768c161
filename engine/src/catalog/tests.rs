//! Products that change.

use super::{Change, Edit, Product, Status, Unchanged, VariantChange};
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
    let after = before.clone().changed(change).unwrap();
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
        product().changed(quantities).err(),
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
    let refused = product().changed(change).err();
    assert_eq!(refused, Some(Unchanged::UnknownVariant(unknown)));
    let mut archived = product();
    archived.status = Status::Archived;
    let refused = archived.changed(Change::default()).err();
    assert_eq!(refused, Some(Unchanged::Archived));
}
