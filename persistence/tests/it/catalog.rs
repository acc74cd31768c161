//! Products that are made, change, are listed and end.

use engine::{
    audit::Actor,
    catalog::{
        Change, CustomField, Edit, End, FieldKind, Product, ProductKind, Source as _, Status,
        Unchanged, Variant,
    },
    ids::{MerchantId, ProductId, VariantId},
    money::Money,
};
use persistence::{
    catalog::{
        PgCatalog,
        create::create,
        delete::delete,
        get::{self, AboutChange},
        list::{Filter, list, list_numbered},
        update::update,
    },
    page::PageNumber,
};

use crate::{
    audit,
    stage::{Stage, at},
};

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
    let described = AboutChange {
        description: Some("As described".to_owned()),
        auto_fulfilled: Some(true),
        low_stock_threshold: Edit::Set(4),
    };
    let change = (change, described);
    let changed = update(&stage.db, (merchant, id), change, actor(), at(5)).await;
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
    let refused = update(
        &stage.db,
        (merchant, id),
        (change.clone(), AboutChange::default()),
        actor(),
        at(5),
    )
    .await;
    assert_eq!(refused.unwrap().unwrap().err(), Some(Unchanged::Quantities));
    let other = MerchantId::generate(at(0), &*stage.random);
    let foreign = update(
        &stage.db,
        (other, id),
        (change, AboutChange::default()),
        actor(),
        at(5),
    )
    .await;
    assert!(foreign.unwrap().is_none());
    assert_eq!(format!("{:?}", source.find(id).await.unwrap()), before);
    assert_eq!(get::about(&stage.db, other, id).await.unwrap(), None);
}

fn actor() -> Actor {
    audit::actor("key_1")
}

async fn actions(stage: &Stage) -> Vec<String> {
    let filter = persistence::audit::Filter::default();
    let page = persistence::audit::list(&stage.db, stage.cast.merchant, filter, None, 50).await;
    let entries = page.unwrap().items.into_iter();
    entries.map(|entry| entry.deed.action).collect()
}

fn new_product(stage: &Stage) -> Product {
    let variant = |second| Variant {
        id: VariantId::generate(at(second), &*stage.random),
        title: second.to_string(),
        base_price: Money::from_minor(second).unwrap(),
        wholesale_price: Money::from_minor(second),
        status: Status::Active,
    };
    Product {
        id: ProductId::generate(at(1), &*stage.random),
        merchant: stage.cast.merchant,
        title: "Orbit_100%".to_owned(),
        kind: ProductKind::Serials,
        status: Status::Disabled,
        base_price: Money::from_minor(100).unwrap(),
        wholesale_price: None,
        min_quantity: Some(2),
        max_quantity: Some(7),
        custom_fields: vec![CustomField {
            name: "user".to_owned(),
            kind: FieldKind::Email,
            required: true,
            placeholder: Some("you".to_owned()),
            pattern: CustomField::pattern("^.+$"),
        }],
        price_version: 1,
        // Not in the order of their ids.
        variants: vec![variant(9), variant(3), variant(5)],
    }
}

#[tokio::test]
async fn made_product_reads_back_with_its_variants_in_order() {
    let stage = Stage::new().await;
    let product = new_product(&stage);
    let about = AboutChange {
        description: Some("About".to_owned()),
        ..AboutChange::default()
    };
    let made = create(&stage.db, product.clone(), about, actor(), at(5)).await;
    made.unwrap();
    let source = PgCatalog::new(stage.db.clone());
    let found = source.find(product.id).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{product:?}"));
    let about = get::about(&stage.db, product.merchant, product.id).await;
    let about = about.unwrap().unwrap();
    assert_eq!(
        (about.description.as_str(), about.created_at),
        ("About", at(5))
    );
    assert_eq!(
        (about.auto_fulfilled, about.low_stock_threshold),
        (false, None)
    );

    let added = Variant {
        id: VariantId::generate(at(7), &*stage.random),
        ..product.variants[0].clone()
    };
    let change = Change {
        added: vec![added.clone()],
        ..Change::default()
    };
    let of = (product.merchant, product.id);
    let change = (change, AboutChange::default());
    let changed = update(&stage.db, of, change, actor(), at(6)).await;
    changed.unwrap().unwrap().unwrap();
    let found = source.find(product.id).await.unwrap().unwrap();
    let ids: Vec<_> = found.variants.iter().map(|variant| variant.id).collect();
    let before = product.variants.iter().chain([&added]);
    assert_eq!(ids, before.map(|variant| variant.id).collect::<Vec<_>>());
    assert_eq!(actions(&stage).await, ["product.update", "product.create"]);
}

#[tokio::test]
async fn first_variant_is_refused_while_serials_are_free() {
    let stage = Stage::new().await;
    let of = (stage.cast.merchant, stage.cast.products[0].id);
    let change = Change {
        added: vec![new_product(&stage).variants[0].clone()],
        ..Change::default()
    };
    let change = (change, AboutChange::default());
    let refused = update(&stage.db, of, change.clone(), actor(), at(5)).await;
    assert_eq!(refused.unwrap().unwrap().err(), Some(Unchanged::Stocked));
    assert_eq!(actions(&stage).await, [""; 0]);
    let mut tx = stage.db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO serial_claims (serial_id, kind, line, unit_price, price_version, balance_id, version)
         SELECT serial_id, 2, 1, 0, 1, 1, 1 FROM serials",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let changed = update(&stage.db, of, change, actor(), at(6)).await;
    assert_eq!(changed.unwrap().unwrap().unwrap().variants.len(), 1);
}

#[tokio::test]
async fn products_are_listed_by_filter_and_end_once() {
    let stage = Stage::new().await;
    let (merchant, first) = (stage.cast.merchant, stage.cast.products[0].id);
    let made = new_product(&stage);
    let stored = create(
        &stage.db,
        made.clone(),
        AboutChange::default(),
        actor(),
        at(5),
    )
    .await;
    stored.unwrap();
    let listed = async |filter: Filter| {
        let page = list(&stage.db, merchant, filter.clone(), None, 10).await;
        let ids: Vec<_> = page.unwrap().items.iter().map(|one| one.id).collect();
        let number = PageNumber { page: 1, limit: 10 };
        let numbered = list_numbered(&stage.db, merchant, filter, number).await;
        let numbered = numbered.unwrap();
        assert_eq!(numbered.total, ids.len() as u64);
        assert!(
            numbered
                .items
                .iter()
                .map(|one| one.id)
                .eq(ids.iter().copied())
        );
        ids
    };
    let by = |part: &str| Filter {
        search: Some(part.to_owned()),
        ..Filter::default()
    };
    assert_eq!(listed(Filter::default()).await.len(), 4);
    assert_eq!(listed(by("orbit_1")).await, [made.id]);
    assert!(listed(by("orbit%")).await.is_empty());

    let end = async |id| {
        delete(&stage.db, (merchant, id), actor(), at(6))
            .await
            .unwrap()
    };
    assert!(matches!(end(made.id).await, Some(End::Deleted)));
    assert!(end(made.id).await.is_none());
    assert!(matches!(end(first).await, Some(End::Archived(_))));
    assert!(matches!(end(first).await, Some(End::Already)));
    assert_eq!(listed(Filter::default()).await.len(), 2);
    let archived = Filter {
        statuses: vec![Status::Archived],
        ..Filter::default()
    };
    assert_eq!(listed(archived).await, [first]);
    let services = Filter {
        kinds: vec![ProductKind::Service],
        ..Filter::default()
    };
    assert!(listed(services).await.is_empty());
    let other = MerchantId::generate(at(0), &*stage.random);
    let foreign = delete(
        &stage.db,
        (other, stage.cast.products[1].id),
        actor(),
        at(7),
    )
    .await;
    assert!(foreign.unwrap().is_none());
}
