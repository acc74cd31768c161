//! Products that change.

use engine::{
    catalog::{Change, Edit, Source as _, Status, Unchanged},
    ids::MerchantId,
    money::Money,
};
use persistence::catalog::{PgCatalog, get, update::update};

use crate::stage::{Stage, at};

#[tokio::test]
async fn change_is_stored_whole_and_read_by_the_source() {
    let stage = Stage::new().await;
    let (merchant, id) = (stage.cast.merchant, stage.cast.products[0].id);
    let source = PgCatalog::new(stage.db.clone());
    let before = source.find(id).await.unwrap().unwrap();
    let change = Change {
        title: Some("Renamed".to_owned()),
        status: Some(Status::Disabled),
        base_price: Money::from_minor(777),
        wholesale_price: Edit::Set(Money::from_minor(555).unwrap()),
        max_quantity: Edit::Set(9),
        ..Change::default()
    };
    let described = Some("As described".to_owned());
    let changed = update(&stage.db, (merchant, id), change, described, at(5)).await;
    let changed = changed.unwrap().unwrap().unwrap();
    let after = source.find(id).await.unwrap().unwrap();
    assert_eq!(format!("{after:?}"), format!("{changed:?}"));
    assert_eq!(
        (after.title.as_str(), after.status),
        ("Renamed", Status::Disabled)
    );
    assert_eq!(
        (after.base_price.minor(), after.max_quantity),
        (777, Some(9))
    );
    assert_eq!(after.wholesale_price.map(Money::minor), Some(555));
    assert_eq!(after.price_version, before.price_version + 1);
    let about = get::about(&stage.db, merchant, id).await.unwrap().unwrap();
    assert_eq!(
        (about.description.as_str(), about.updated_at),
        ("As described", at(5))
    );
}

#[tokio::test]
async fn refused_and_foreign_changes_store_nothing() {
    let stage = Stage::new().await;
    let (merchant, id) = (stage.cast.merchant, stage.cast.products[0].id);
    let source = PgCatalog::new(stage.db.clone());
    let before = format!("{:?}", source.find(id).await.unwrap());
    let change = Change {
        title: Some("Renamed".to_owned()),
        min_quantity: Edit::Set(3),
        max_quantity: Edit::Set(2),
        ..Change::default()
    };
    let refused = update(&stage.db, (merchant, id), change.clone(), None, at(5)).await;
    assert_eq!(refused.unwrap().unwrap().err(), Some(Unchanged::Quantities));
    let other = MerchantId::generate(at(0), &*stage.random);
    let foreign = update(&stage.db, (other, id), change, None, at(5)).await;
    assert!(foreign.unwrap().is_none());
    assert_eq!(format!("{:?}", source.find(id).await.unwrap()), before);
    assert_eq!(get::about(&stage.db, other, id).await.unwrap(), None);
}
