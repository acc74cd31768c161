//! Purchases summed up behind the ledger, for the balances that buy much.
//!
//! Keeps: the sums are never more than a shortcut. They follow the ledger in its order and by whole
//! versions; what they say is used only where the ledger confirms it, and thrown away where it does not.

use engine::{clock::Timestamp, ids::BalanceId};

use crate::{Database, Error, owned};

/// Entries that a balance is loaded with fast enough without sums.
pub const TAIL_ENTRIES_MAX: i64 = 10_000;
/// Entries of one statement: some tenths of a second, beside the hot path.
const STEP_ENTRIES: i64 = 20_000;
/// Balances that are looked at by one statement.
const BALANCES: i64 = 1000;

#[derive(Debug, sqlx::FromRow)]
struct Tail {
    balance_id: i64,
    through: i64,
    last: i64,
    confirmed: bool,
}

/// Sums up whatever has more than `tail_entries_max` entries since the last time. Returns how many
/// entries that were.
pub async fn sum_up(db: &Database, tail_entries_max: i64, now: Timestamp) -> Result<u64, Error> {
    let mut summed = 0;
    let mut after = Some(BalanceId(0));
    while let Some(balance) = after {
        let (tails, next) = long_tails(db, balance, tail_entries_max).await?;
        for tail in tails {
            if !tail.confirmed {
                tracing::error!("sums of purchases contradict their ledger: they are made anew");
                forget(db, BalanceId(tail.balance_id)).await?;
            }
            let through = if tail.confirmed { tail.through } else { 0 };
            summed += catch_up(db, BalanceId(tail.balance_id), (through, tail.last), now).await?;
        }
        after = next;
    }
    Ok(summed)
}

/// Those of the next balances whose sums are far behind or wrong, and where to go on.
async fn long_tails(
    db: &Database,
    after: BalanceId,
    entries_max: i64,
) -> Result<(Vec<Tail>, Option<BalanceId>), Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(balance_id) FROM
               (SELECT balance_id FROM balances WHERE balance_id > $1 ORDER BY balance_id LIMIT $2) AS b",
        )
        .bind(after.0)
        .bind(BALANCES)
        .fetch_one(&mut *connection)
        .await?;
        let tails = sqlx::query_as(include_str!("long_tails.sql"))
            .bind(after.0)
            .bind(entries_max)
            .bind(BALANCES)
            .fetch_all(&mut *connection)
            .await?;
        Ok((tails, last.map(BalanceId)))
    })
    .await
}

/// Sums up until `last`, step by step. Another process may do the same: then it is not done twice.
async fn catch_up(
    db: &Database,
    balance: BalanceId,
    (mut through, last): (i64, i64),
    now: Timestamp,
) -> Result<u64, Error> {
    let begun = through;
    while through < last {
        let db = db.clone();
        let step = owned(async move {
            let mut tx = db.begin().await?;
            let moved: Option<i64> = sqlx::query_scalar(include_str!("sum_up.sql"))
                .bind(balance.0)
                .bind(STEP_ENTRIES)
                .bind(now)
                .fetch_optional(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok::<_, Error>(moved)
        });
        match step.await? {
            Some(moved) => through = moved,
            None => break,
        }
    }
    Ok((through - begun).unsigned_abs())
}

async fn forget(db: &Database, balance: BalanceId) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        for statement in [
            "DELETE FROM purchase_sums WHERE balance_id = $1",
            "DELETE FROM purchase_days WHERE balance_id = $1",
        ] {
            let deleting = sqlx::query(statement).bind(balance.0);
            deleting.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}
