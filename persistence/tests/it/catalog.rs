//! Lists of products, and products that change.

use engine::{
    catalog::{Change, Edit, Source as _, Status, Unchanged},
    ids::{MerchantId, ProductId},
    money::Money,
};
use persistence::{
    catalog::{
        PgCatalog, get,
        list::{CatalogScope, Filter, find, list, list_numbered},
        update::update,
    },
    page::PageNumber,
};

use crate::stage::{Stage, at};

fn places(stage: &Stage, ids: impl IntoIterator<Item = ProductId>) -> Vec<usize> {
    let place = |id| {
        stage
            .cast
            .products
            .iter()
            .position(|product| product.id == id)
            .unwrap()
    };
    ids.into_iter().map(place).collect()
}

fn scope_of(stage: &Stage, reseller: Option<usize>) -> CatalogScope {
    CatalogScope {
        merchant: stage.cast.merchant,
        relationship: reseller.map(|place| stage.cast.resellers[place].id),
    }
}

async fn listed(stage: &Stage, scope: CatalogScope, filter: Filter) -> Vec<usize> {
    let page = list(&stage.db, scope, filter, None, 10).await.unwrap();
    places(stage, page.items.iter().map(|item| item.product))
}

#[tokio::test]
async fn reseller_sees_products_with_access_newest_first() {
    let stage = Stage::new().await;
    assert_eq!(
        listed(&stage, scope_of(&stage, Some(0)), Filter::default()).await,
        [1, 0]
    );
    assert_eq!(
        listed(&stage, scope_of(&stage, Some(1)), Filter::default()).await,
        [2, 1]
    );
    assert_eq!(
        listed(&stage, scope_of(&stage, None), Filter::default()).await,
        [2, 1, 0]
    );
    let other = MerchantId::generate(at(0), &*stage.random);
    let foreign = CatalogScope {
        merchant: other,
        ..scope_of(&stage, Some(0))
    };
    assert_eq!(
        listed(&stage, foreign, Filter::default()).await,
        Vec::<usize>::new()
    );
}

#[tokio::test]
async fn pages_are_cut_by_cursor_and_by_number() {
    let stage = Stage::new().await;
    let scope = scope_of(&stage, None);
    let first = list(&stage.db, scope, Filter::default(), None, 2)
        .await
        .unwrap();
    assert!(first.has_more);
    let last = first.items.last().map(|item| item.product);
    let second = list(&stage.db, scope, Filter::default(), last, 2)
        .await
        .unwrap();
    assert!(!second.has_more);
    assert_eq!(
        places(&stage, second.items.iter().map(|item| item.product)),
        [0]
    );

    let page = PageNumber { page: 2, limit: 2 };
    let numbered = list_numbered(&stage.db, scope, Filter::default(), page)
        .await
        .unwrap();
    assert_eq!((numbered.items, numbered.total), (second.items, 3));
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let stage = Stage::new().await;
    let mut tx = stage.db.begin().await.unwrap();
    for sql in [
        "UPDATE products SET title = '50% off_ALL' WHERE title = 'Load product 0'",
        "UPDATE products SET status = 'DISABLED' WHERE title = 'Load product 1'",
        "UPDATE product_access SET revoked_at = now() FROM products AS p
         WHERE p.product_id = product_access.product_id AND p.title = 'Load product 2'",
    ] {
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let search = |text: &str| Filter {
        search: Some(text.to_owned()),
        ..Filter::default()
    };
    let all = scope_of(&stage, None);
    for (text, found) in [
        ("0% OFF", vec![0]),
        ("%", vec![0]),
        ("_all", vec![0]),
        ("product", vec![2, 1]),
    ] {
        assert_eq!(listed(&stage, all, search(text)).await, found, "{text}");
    }
    let sellable = Filter {
        sellable: true,
        ..Filter::default()
    };
    assert_eq!(listed(&stage, all, sellable).await, [2, 0]);
    assert_eq!(
        listed(&stage, scope_of(&stage, Some(1)), Filter::default()).await,
        [1]
    );
}

#[tokio::test]
async fn one_product_is_found_within_its_scope() {
    let stage = Stage::new().await;
    let id = stage.cast.products[2].id;
    let find = async |reseller| {
        find(&stage.db, scope_of(&stage, reseller), id)
            .await
            .unwrap()
    };
    assert_eq!(find(Some(1)).await.map(|found| found.product), Some(id));
    assert_eq!(find(Some(0)).await, None);
    assert_eq!(find(None).await.map(|found| found.product), Some(id));
}

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
