//! What a lane's reader finds is what was committed.

use std::sync::Arc;

use engine::{
    balances::EntryKind,
    fault::Fault,
    fulfillments::{Details, FulfilledLine, Fulfillment, OrderId},
    journal::{Failure, Rows},
    money::Money,
    vault::Sealed,
};
use futures_util::future::join_all;

use crate::ground::Ground;

#[tokio::test]
async fn fulfillment_is_read_back_whole() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let import = ground.stock(&mut lane, 4).await;
    let balance = ground.balances[0];
    lane.commit(Rows::Credits(vec![
        ground.credit(balance, 1, 100_000, "welcome"),
    ]))
    .await
    .unwrap();
    let plain = ground.fulfillment(balance, 2, "plain", &[import.serial(3)]);
    let full =
        two_lines(ground.fulfillment(balance, 3, "full", &[import.serial(2), import.serial(0)]));
    let rows = vec![plain.clone(), full.clone()];
    lane.commit(Rows::Fulfillments(rows)).await.unwrap();
    for order in [plain, full] {
        let found = lane
            .session
            .reader
            .fulfillment(balance, &order.contents.order_id)
            .await;
        assert_eq!(found, Ok(Some(order)));
    }
    let other = OrderId::parse("other").unwrap();
    assert_eq!(
        lane.session.reader.fulfillment(balance, &other).await,
        Ok(None)
    );
    let foreign = OrderId::parse("plain").unwrap();
    assert_eq!(
        lane.session
            .reader
            .fulfillment(ground.balances[1], &foreign)
            .await,
        Ok(None)
    );
}

/// The same order with its serials on two lines of different prices, and everything a shop may add.
fn two_lines(mut order: Fulfillment) -> Fulfillment {
    let contents = Arc::make_mut(&mut order.contents);
    let first = contents.lines.remove(0);
    let price = |minor| Money::from_minor(minor).unwrap();
    for (serial, minor, version) in first
        .serials
        .into_iter()
        .zip([300, 700])
        .zip([5, 6])
        .map(flat)
    {
        contents.lines.push(FulfilledLine {
            sku: first.sku,
            unit_price: price(minor),
            price_version: version,
            serials: vec![serial],
        });
    }
    contents.email = Some(Sealed::from_bytes(b"sealed".as_slice()));
    contents.details = Some(Details {
        metadata: [(
            "note".to_owned(),
            "a \"quoted\" {text}, \\ and é".to_owned(),
        )]
        .into(),
        ..Details::default()
    });
    order
}

fn flat<A, B, C>(((a, b), c): ((A, B), C)) -> (A, B, C) {
    (a, b, c)
}

#[tokio::test]
async fn look_ups_at_once_get_each_its_own_answer() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let import = ground.stock(&mut lane, 50).await;
    let balance = ground.balances[0];
    lane.commit(Rows::Credits(vec![
        ground.credit(balance, 1, 100_000, "welcome"),
    ]))
    .await
    .unwrap();
    let order = |n: u32| {
        let order_id = format!("order-{n}");
        ground.fulfillment(balance, i64::from(n) + 2, &order_id, &[import.serial(n)])
    };
    let orders: Vec<_> = (0..50).map(order).collect();
    lane.commit(Rows::Fulfillments(orders.clone()))
        .await
        .unwrap();
    // Two of them do not fit, which is no other's concern, nor the connection's.
    ground
        .execute(
            "UPDATE serial_claims SET line = 7 WHERE version = 9;
             UPDATE ledger_entries SET details = '{\"of\": \"a later release\"}' WHERE version = 10",
        )
        .await;
    let reader = &lane.session.reader;
    let look_ups = (0..300).map(|n| async move {
        let order_id = OrderId::parse(&format!("order-{}", n % 100)).unwrap();
        reader.fulfillment(balance, &order_id).await
    });
    for (n, found) in join_all(look_ups).await.into_iter().enumerate() {
        match n % 100 {
            7 | 8 => assert!(
                matches!(found, Err(Fault::Aborted { .. })),
                "{n}: {found:?}"
            ),
            _ => assert_eq!(found, Ok(orders.get(n % 100).cloned()), "{n}"),
        }
    }
}

#[tokio::test]
async fn credit_is_read_back_by_kind_and_reference() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let balance = ground.balances[0];
    let credit = ground.credit(balance, 1, 100_000, "welcome");
    lane.commit(Rows::Credits(vec![credit.clone()]))
        .await
        .unwrap();
    let reader = &lane.session.reader;
    assert_eq!(
        reader.credit(balance, EntryKind::Credit, "welcome").await,
        Ok(Some(credit))
    );
    assert_eq!(
        reader.credit(balance, EntryKind::TopUp, "welcome").await,
        Ok(None)
    );
    assert_eq!(
        reader.credit(balance, EntryKind::Credit, "other").await,
        Ok(None)
    );
}

#[tokio::test]
async fn lost_reader_takes_the_writer_with_it() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'consign journal' AND datname = current_database()
               AND pid NOT IN (SELECT backend_pid FROM lanes UNION SELECT backend_pid FROM shards)",
        )
        .await;
    let order = OrderId::parse("any").unwrap();
    let found = lane
        .session
        .reader
        .fulfillment(ground.balances[0], &order)
        .await;
    assert_eq!(found, Err(Fault::Unavailable));
    let credit = Rows::Credits(vec![ground.credit(ground.balances[0], 1, 100_000, "late")]);
    assert_eq!(lane.commit(credit).await, Err(Failure::Unknown));
    assert_eq!(lane.fence_again().await.seq, 0);
    assert_eq!(
        lane.session
            .reader
            .fulfillment(ground.balances[0], &order)
            .await,
        Ok(None)
    );
}
