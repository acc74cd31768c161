//! What the online proof reads.

use engine::{
    ids::BalanceId,
    journal::Rows,
    verifier::{Delivered, Line, Source},
};
use persistence::verifier::PgVerifier;

use crate::ground::Ground;

#[tokio::test]
async fn balances_come_one_after_the_other_with_their_last_version() {
    let ground = Ground::new().await;
    let source = PgVerifier::new(ground.db.clone());
    let mut lane = ground.lane().await;
    let [first, second] = ground.balances;
    let credit = ground.credit(first, 1, 500, "pay-1");
    lane.commit(Rows::Credits(vec![credit])).await.unwrap();
    assert_eq!(source.next(None).await, Ok(Some((first, 1))));
    assert_eq!(source.next(Some(first)).await, Ok(Some((second, 0))));
    assert_eq!(source.next(Some(second)).await, Ok(None));
}

#[tokio::test]
async fn slice_of_a_ledger_comes_with_its_claims() {
    let ground = Ground::new().await;
    let source = PgVerifier::new(ground.db.clone());
    let mut lane = ground.lane().await;
    let import = ground.stock(&mut lane, 3).await;
    let balance = ground.balances[0];
    let serials = [import.serial(0), import.serial(1)];
    let order = ground.fulfillment(balance, 1, "order", &serials);
    let (total, after) = (order.contents.total, order.stamp.balance_after);
    lane.commit(Rows::Fulfillments(vec![order])).await.unwrap();
    let delivered = Delivered {
        serials: 2,
        claims: 2,
        cost: total,
    };
    let line = Line {
        version: 1,
        amount: -total,
        balance_after: after,
        delivered: Some(delivered),
    };
    assert_eq!(source.lines(balance, 1, 10).await, Ok(vec![line]));
    assert_eq!(source.lines(balance, 2, 10).await, Ok(vec![]));
    ground
        .execute(
            "DELETE FROM serial_claims WHERE serial_id IN (SELECT serial_id FROM serials ORDER BY serial_id LIMIT 1)",
        )
        .await;
    let lines = source.lines(balance, 1, 10).await.unwrap();
    assert_eq!(lines[0].delivered.unwrap().claims, 1);
}

#[tokio::test]
async fn claimed_removed_and_unknown_serials_are_told_apart_from_free_ones() {
    let ground = Ground::new().await;
    let source = PgVerifier::new(ground.db.clone());
    let mut lane = ground.lane().await;
    let import = ground.stock(&mut lane, 3).await;
    let order = ground.fulfillment(ground.balances[0], 1, "order", &[import.serial(0)]);
    lane.commit(Rows::Fulfillments(vec![order])).await.unwrap();
    ground
        .execute("UPDATE serials SET removed_at = now() WHERE serial_id IN (SELECT serial_id FROM serials ORDER BY serial_id DESC LIMIT 1)")
        .await;
    let asked: Vec<_> = (0..4).map(|ordinal| import.serial(ordinal)).collect();
    let mut gone = source.claimed(asked).await.unwrap();
    gone.sort_unstable();
    assert_eq!(gone, [import.serial(0), import.serial(2), import.serial(3)]);
}

#[tokio::test]
async fn balance_without_entries_has_an_empty_slice() {
    let ground = Ground::new().await;
    let source = PgVerifier::new(ground.db.clone());
    let lines = source.lines(ground.balances[0], 1, 0).await;
    assert_eq!(lines, Ok(vec![]));
    assert_eq!(source.lines(BalanceId(99), 1, 10).await, Ok(vec![]));
}
