//! A balance as its ledger ends.

use chrono::{DateTime, Utc};
use engine::{
    balances::{Loaded, Source, Spending},
    fault::Fault,
    ids::{BalanceId, KeyId},
    money::Money,
};
use persistence::balances::PgBalances;
use uuid::Uuid;

use crate::ground::Ground;

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

const NOW: &str = "2026-03-02T10:00:00Z";

async fn loaded(ground: &Ground) -> Result<Option<Loaded>, Fault> {
    PgBalances::new(ground.db.clone())
        .load(ground.balances[0], time(NOW))
        .await
}

/// Appends orders: what each cost, which key bought, and when.
async fn bought(ground: &Ground, orders: &[(i64, Uuid, &str)]) {
    let mut connection = ground.connect().await;
    let mut after = 0;
    for (version, (cost, key, at)) in (1_i64..).zip(orders) {
        after -= cost;
        sqlx::query(
            "INSERT INTO ledger_entries (balance_id, version, kind, reference, id, amount,
               balance_after, created_at, channel, key_id, fingerprint, serial_ids)
             VALUES ($1, $2, $3, 'r' || $2, gen_random_uuid(), $4, $5, $6, 1, $7, '', '{}')",
        )
        .bind(ground.balances[0].0)
        .bind(version)
        .bind(if *cost > 0 { 1_i16 } else { 3 })
        .bind(-cost)
        .bind(after)
        .bind(time(at))
        .bind(key)
        .execute(&mut connection)
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn balance_without_entries_is_empty_and_unknown_one_is_none() {
    let ground = Ground::new().await;
    let spending = Spending {
        day: time(NOW).date_naive(),
        today: Money::ZERO,
        month: Money::ZERO,
        keys_today: [].into(),
    };
    let empty = Loaded {
        relationship: ground.relationship,
        version: 0,
        posted: Money::ZERO,
        spending,
    };
    assert_eq!(loaded(&ground).await, Ok(Some(empty)));
    let source = PgBalances::new(ground.db.clone());
    assert_eq!(source.load(BalanceId(99), time(NOW)).await, Ok(None));
}

#[tokio::test]
async fn spending_is_summed_by_day_month_and_key() {
    let ground = Ground::new().await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    bought(
        &ground,
        &[
            (-1_000_000, one, "2026-02-01T00:00:00Z"),
            (1, one, "2026-02-28T23:59:59.999999Z"),
            (10, one, "2026-03-01T00:00:00Z"),
            // The clock was set back over the end of the month for a moment.
            (2, one, "2026-02-28T23:59:59Z"),
            (100, two, "2026-03-01T12:00:00Z"),
            (-500, two, "2026-03-02T00:00:00Z"),
            (1_000, two, "2026-03-02T00:00:00Z"),
            (10_000, one, "2026-03-02T09:00:00Z"),
            (20_000, one, "2026-03-02T09:30:00Z"),
        ],
    )
    .await;
    let money = |minor| Money::from_minor(minor).unwrap();
    let loaded = loaded(&ground).await.unwrap().unwrap();
    assert_eq!((loaded.version, loaded.posted), (9, money(969_387)));
    let spending = Spending {
        day: time(NOW).date_naive(),
        today: money(31_000),
        month: money(31_110),
        keys_today: [
            (KeyId::from_uuid(one), money(30_000)),
            (KeyId::from_uuid(two), money(1_000)),
        ]
        .into(),
    };
    assert_eq!(loaded.spending, spending);
}

#[tokio::test]
async fn ledger_that_does_not_continue_is_not_believed() {
    let ground = Ground::new().await;
    bought(
        &ground,
        &[(-1_000, Uuid::nil(), NOW), (100, Uuid::nil(), NOW)],
    )
    .await;
    assert!(loaded(&ground).await.is_ok());
    ground
        .execute("UPDATE ledger_entries SET balance_after = 7 WHERE version = 1")
        .await;
    assert_eq!(loaded(&ground).await, Err(Fault::Unavailable));
    ground
        .execute("DELETE FROM ledger_entries WHERE version = 1")
        .await;
    assert_eq!(loaded(&ground).await, Err(Fault::Unavailable));
}
