//! Purchases that were summed up behind the ledger say what the ledger says, or nothing.

use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    balances::{Source, Spending},
    ids::KeyId,
    money::Money,
    random::{Random, SeededRandom},
};
use persistence::balances::{PgBalances, purchases::sum_up};
use uuid::Uuid;

use crate::ground::Ground;

const NOW: &str = "2026-03-02T10:00:00Z";

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

/// One entry: what it adds, which key bought, and when.
#[derive(Clone, Copy)]
struct Entry {
    amount: i64,
    key: Uuid,
    at: DateTime<Utc>,
}

fn below(random: &SeededRandom, bound: u64) -> i64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    i64::try_from(u64::from_le_bytes(bytes) % bound).unwrap()
}

/// A ledger of two days at the turn of the month, with a clock that jumps back now and then.
fn entries(random: &SeededRandom, count: i64) -> Vec<Entry> {
    let start: DateTime<Utc> = "2026-02-28T12:00:00Z".parse().unwrap();
    let minutes = 46 * 60 / count;
    let first = Entry {
        amount: 1_000_000,
        key: Uuid::nil(),
        at: start,
    };
    let others = (1..count).map(|place| {
        let jitter = TimeDelta::minutes(below(random, 59));
        Entry {
            amount: if below(random, 9) == 0 {
                50
            } else {
                -below(random, 100)
            },
            key: Uuid::from_u128(below(random, 3).unsigned_abs().into()),
            at: start + TimeDelta::minutes(place * minutes) - jitter,
        }
    });
    std::iter::once(first).chain(others).collect()
}

/// What the entries say, by reading all of them.
fn expected(entries: &[Entry]) -> Spending {
    let mut spending = Spending::none(now().date_naive());
    let month: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
    let today: DateTime<Utc> = "2026-03-02T00:00:00Z".parse().unwrap();
    let add = |sum: &mut Money, cost| *sum = sum.checked_add(cost).unwrap();
    for entry in entries
        .iter()
        .filter(|entry| entry.amount <= 0 && entry.at >= month)
    {
        let cost = Money::from_minor(-entry.amount).unwrap();
        add(&mut spending.month, cost);
        if entry.at >= today {
            add(&mut spending.today, cost);
            let key = spending.keys_today.entry(KeyId::from_uuid(entry.key));
            add(key.or_default(), cost);
        }
    }
    spending
}

async fn append(ground: &Ground, entries: &[Entry], from: usize) {
    let mut connection = ground.connect().await;
    let mut after: i64 = entries[..from].iter().map(|entry| entry.amount).sum();
    for (version, entry) in (1_i64..).zip(entries).skip(from) {
        after += entry.amount;
        sqlx::query(
            "INSERT INTO ledger_entries (balance_id, version, kind, reference, id, amount,
               balance_after, created_at, channel, key_id, fingerprint, serial_ids)
             VALUES ($1, $2, $3, 'r' || $2, gen_random_uuid(), $4, $5, $6, 1, $7, '', '{}')",
        )
        .bind(ground.balances[0].0)
        .bind(version)
        .bind(if entry.amount > 0 { 3_i16 } else { 1 })
        .bind(entry.amount)
        .bind(after)
        .bind(entry.at)
        .bind(entry.key)
        .execute(&mut connection)
        .await
        .unwrap();
    }
}

async fn spending(ground: &Ground) -> Spending {
    let source = PgBalances::new(ground.db.clone());
    let loaded = source.load(ground.balances[0], now()).await;
    loaded.unwrap().unwrap().spending
}

async fn through(ground: &Ground) -> Option<i64> {
    sqlx::query_scalar("SELECT through_version FROM purchase_sums")
        .fetch_optional(&mut ground.connect().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn sums_and_what_came_after_them_are_what_the_ledger_says() {
    for seed in 0..4 {
        let (ground, random) = (Ground::new().await, SeededRandom::new(seed));
        let entries = entries(&random, 240);
        let mut stored = 0;
        for part in 1..=8 {
            let until = part * 30;
            append(&ground, &entries[..until], stored).await;
            stored = until;
            let tail = below(&random, 60);
            sum_up(&ground.db, tail, now()).await.unwrap();
            let all = expected(&entries[..until]);
            assert_eq!(spending(&ground).await, all, "seed {seed}, {until} entries");
        }
        assert!(through(&ground).await.unwrap() > 100, "seed {seed}");
    }
}

#[tokio::test]
async fn short_tails_are_left_to_the_ledger() {
    let (ground, random) = (Ground::new().await, SeededRandom::new(1));
    append(&ground, &entries(&random, 20), 0).await;
    assert_eq!(sum_up(&ground.db, 20, now()).await.unwrap(), 0);
    assert_eq!(through(&ground).await, None);
    assert_eq!(sum_up(&ground.db, 19, now()).await.unwrap(), 20);
    assert_eq!(sum_up(&ground.db, 0, now()).await.unwrap(), 0);
    assert_eq!(through(&ground).await, Some(20));
}

#[tokio::test]
async fn two_at_once_count_nothing_twice() {
    let (ground, random) = (Ground::new().await, SeededRandom::new(2));
    let entries = entries(&random, 120);
    append(&ground, &entries, 0).await;
    let summing = (0..4).map(|_| sum_up(&ground.db, 0, now()));
    let summed = futures_util::future::join_all(summing).await;
    assert!(summed.into_iter().all(|summed| summed.is_ok()));
    assert_eq!(through(&ground).await, Some(120));
    assert_eq!(spending(&ground).await, expected(&entries));
}

#[tokio::test]
async fn sums_that_the_ledger_does_not_confirm_are_not_believed_and_made_anew() {
    for wrong in [
        "UPDATE purchase_sums SET spent = spent + 1",
        "UPDATE purchase_sums SET credited = credited + 1",
        "UPDATE purchase_sums SET through_version = through_version - 5",
        "UPDATE purchase_days SET spent = spent + 1",
        "DELETE FROM purchase_days",
        // A database that was restored to an earlier state has less than was summed up.
        "UPDATE purchase_sums SET through_version = through_version + 1",
    ] {
        let (ground, random) = (Ground::new().await, SeededRandom::new(3));
        let entries = entries(&random, 60);
        append(&ground, &entries, 0).await;
        sum_up(&ground.db, 0, now()).await.unwrap();
        ground.execute(wrong).await;
        assert_eq!(spending(&ground).await, expected(&entries), "{wrong}");
        assert_eq!(sum_up(&ground.db, 100, now()).await.unwrap(), 60, "{wrong}");
        assert_eq!(through(&ground).await, Some(60), "{wrong}");
        assert_eq!(spending(&ground).await, expected(&entries), "{wrong}");
    }
}
