//! Lists of fulfillments, one by its id, and replays of dynamic URLs.

use engine::{
    fulfillments::Channel,
    ids::{EntryId, FulfillmentId, SerialId},
};
use futures_util::TryStreamExt;
use persistence::fulfillments::{
    get::find,
    list::{Filter, list, stream},
    replays::{SHOWN_MAX, count_replay},
};
use uuid::Uuid;

use crate::stage::{Stage, at};

/// Four fulfillments of the first reseller: of product 0, 1, 0 and 0, by channel 1, 2, 3 and 1, ten
/// seconds apart. Returns their ids.
pub(crate) async fn deliver(stage: &Stage) -> Vec<FulfillmentId> {
    let mut tx = stage.db.begin().await.unwrap();
    let mut ids = Vec::new();
    for (version, (product, channel)) in (1_i64..).zip([(0, 1_i16), (1, 2), (0, 3), (0, 1)]) {
        let balance = stage.scopes[0].balance.0;
        let id = EntryId::for_version(at(version * 10), &*stage.random, version);
        let serial: Uuid = sqlx::query_scalar(
            "SELECT s.serial_id FROM imports AS i
             JOIN serials AS s ON LEFT(s.serial_id::text, 28) = LEFT(i.import_id::text, 28)
             WHERE i.product_id = $1
               AND NOT EXISTS (SELECT FROM serial_claims AS c WHERE c.serial_id = s.serial_id)
             ORDER BY s.serial_id LIMIT 1",
        )
        .bind(stage.cast.products[product].id.uuid())
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        sqlx::query("INSERT INTO serial_claims VALUES ($1, 1, 1, 100, 2, $2, $3)")
            .bind(serial)
            .bind(balance)
            .bind(version)
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO ledger_entries (balance_id, version, kind, channel, id, amount,
               balance_after, created_at, key_id, reference, fingerprint, serial_ids)
             VALUES ($1, $2, 1, $3, $4, -100, 1000 - 100 * $2, $5, $6, 'order-' || $2, $7, $8)",
        )
        .bind(balance)
        .bind(version)
        .bind(channel)
        .bind(id.uuid())
        .bind(at(version * 10))
        .bind(Uuid::nil())
        .bind(vec![0_u8; 16])
        .bind(vec![serial])
        .execute(&mut *tx)
        .await
        .unwrap();
        ids.push(id.fulfillment());
    }
    tx.commit().await.unwrap();
    ids
}

async fn versions(
    stage: &Stage,
    filter: Filter,
    below: Option<i64>,
    limit: u32,
) -> (Vec<i64>, bool) {
    let page = list(&stage.db, stage.scopes[0], filter, below, limit)
        .await
        .unwrap();
    (
        page.items.iter().map(|item| item.stamp.version).collect(),
        page.has_more,
    )
}

#[tokio::test]
async fn fulfillments_are_listed_newest_first_page_by_page() {
    let stage = Stage::new().await;
    deliver(&stage).await;
    assert_eq!(
        versions(&stage, Filter::default(), None, 3).await,
        (vec![4, 3, 2], true)
    );
    assert_eq!(
        versions(&stage, Filter::default(), Some(2), 3).await,
        (vec![1], false)
    );
    let other = list(&stage.db, stage.scopes[1], Filter::default(), None, 9)
        .await
        .unwrap();
    assert_eq!(other.items, []);
    let all = stream(stage.db.clone(), stage.scopes[0], Filter::default());
    let all: Vec<_> = all
        .map_ok(|item| item.stamp.version)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(all, [4, 3, 2, 1]);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let stage = Stage::new().await;
    deliver(&stage).await;
    let list = async |filter| versions(&stage, filter, None, 9).await.0;
    let product = |place: usize| Filter {
        product: Some(stage.cast.products[place].id),
        ..Filter::default()
    };
    assert_eq!(list(product(0)).await, [4, 3, 1]);
    assert_eq!(list(product(1)).await, [2]);
    assert_eq!(list(product(2)).await, Vec::<i64>::new());
    assert_eq!(
        list(Filter {
            channel: Some(Channel::Bulk),
            ..Filter::default()
        })
        .await,
        [3]
    );
    let times = Filter {
        from: Some(at(20)),
        to: Some(at(40)),
        ..Filter::default()
    };
    assert_eq!(list(times).await, [3, 2]);
}

#[tokio::test]
async fn fulfillment_is_found_by_its_whole_id_in_its_scope() {
    let stage = Stage::new().await;
    let ids = deliver(&stage).await;

    let found = find(&stage.db, stage.scopes[0], ids[1])
        .await
        .unwrap()
        .unwrap();

    assert_eq!((found.stamp.version, found.stamp.id), (2, ids[1].entry()));
    assert_eq!(found.contents.order_id.as_str(), "order-2");
    assert_eq!(
        found.contents.lines[0].sku.product,
        stage.cast.products[1].id
    );
    assert_eq!(found.contents.serials().count(), 1);
    let serial: SerialId = found.contents.lines[0].serials[0].id;
    assert_eq!(serial.import().serial(0), serial);
    let guessed = EntryId::for_version(at(20), &*stage.random, 2).fulfillment();
    assert!(
        find(&stage.db, stage.scopes[0], guessed)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        find(&stage.db, stage.scopes[1], ids[1])
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn serials_are_shown_again_only_so_often() {
    let stage = Stage::new().await;
    let calls = (0..SHOWN_MAX + 5).map(|_| count_replay(&stage.db, stage.scopes[0], 1));
    let shown = futures_util::future::join_all(calls).await;
    let shown = shown
        .into_iter()
        .filter(|shown| *shown.as_ref().unwrap())
        .count();
    assert_eq!(i32::try_from(shown), Ok(SHOWN_MAX));
    assert!(count_replay(&stage.db, stage.scopes[0], 2).await.unwrap());
}
