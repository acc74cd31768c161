//! Lists of products.

use engine::ids::{MerchantId, ProductId};
use persistence::{
    catalog::list::{CatalogScope, Filter, find, list, list_numbered},
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
