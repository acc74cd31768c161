//! Answers of changes that carried an `Idempotency-Key`.
//!
//! Keeps: of two attempts under one key at the same time, one is executed; an answer is kept for a
//! week; an attempt whose process ended may be executed again, by the same request only. One that takes
//! long is kept from looking like that by [`renew`].

use chrono::TimeDelta;
use engine::{clock::Timestamp, ids::MerchantId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, error::at_most_one, owned};

/// How long an answer is kept.
const KEPT_DAYS: i64 = 7;
/// After this long without an answer or a renewal an attempt counts as one whose process ended.
const ABANDONED_SECONDS: i64 = 60;
/// Old answers that one attempt takes away.
const SWEPT: i64 = 100;

/// What a request is known by.
#[derive(Debug, Clone)]
pub struct Name {
    pub merchant: MerchantId,
    /// Who sent it: a key or a person.
    pub caller: Uuid,
    /// Method and path.
    pub route: String,
    pub key: String,
    /// Of the body.
    pub digest: [u8; 32],
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub status: u16,
    pub body: Vec<u8>,
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// Execute it, then [`finish`] or [`forget`] this attempt.
    Fresh(Attempt),
    /// Another attempt is being executed.
    Running,
    /// The key belongs to another body.
    Mismatch,
    /// It was executed, and this was the answer.
    Done(Stored),
}

/// One execution, known by when it was begun or last renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    started_at: Timestamp,
}

/// Claims the key for this request, or says what became of it before.
pub async fn begin(db: &Database, name: &Name, now: Timestamp) -> Result<Begun, Error> {
    let (db, name) = (db.clone(), name.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        sweep(&mut tx, now).await?;
        let claimed = sqlx::query(
            "INSERT INTO idempotency_keys AS k
               (caller_id, merchant_id, route, key, digest, started_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE
               SET started_at = EXCLUDED.started_at
             WHERE k.status IS NULL AND k.digest = EXCLUDED.digest AND k.started_at < $7",
        )
        .bind(name.caller)
        .bind(name.merchant.uuid())
        .bind(&name.route)
        .bind(&name.key)
        .bind(&name.digest[..])
        .bind(now)
        .bind(now - TimeDelta::seconds(ABANDONED_SECONDS))
        .execute(&mut *tx)
        .await?
        .rows_affected()
            == 1;
        let begun = if claimed {
            Begun::Fresh(Attempt { started_at: now })
        } else {
            found(&mut tx, &name).await?
        };
        tx.commit().await?;
        Ok(begun)
    })
    .await
}

async fn found(connection: &mut PgConnection, name: &Name) -> Result<Begun, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT merchant_id, digest, status, body FROM idempotency_keys
         WHERE caller_id = $1 AND route = $2 AND key = $3",
    )
    .bind(name.caller)
    .bind(&name.route)
    .bind(&name.key)
    .fetch_optional(connection)
    .await?;
    // Gone between the two statements, or without an answer: somebody is at it.
    let Some(row) = row else {
        return Ok(Begun::Running);
    };
    // A person may act for several merchants: what one of them was answered is not for another.
    if row.digest != name.digest || row.merchant_id != name.merchant.uuid() {
        return Ok(Begun::Mismatch);
    }
    let Some((status, body)) = row.status.zip(row.body) else {
        return Ok(Begun::Running);
    };
    let status = u16::try_from(status).map_err(|_| Error::Inconsistent {
        what: "an answer has no status",
    })?;
    Ok(Begun::Done(Stored { status, body }))
}

#[derive(sqlx::FromRow)]
struct Row {
    merchant_id: Uuid,
    digest: Vec<u8>,
    status: Option<i16>,
    body: Option<Vec<u8>>,
}

/// Says that an attempt is still being executed. If it was given up meanwhile, nothing is changed.
pub async fn renew(
    db: &Database,
    name: &Name,
    attempt: Attempt,
    now: Timestamp,
) -> Result<Attempt, Error> {
    let (db, name) = (db.clone(), name.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        let renewed = sqlx::query(
            "UPDATE idempotency_keys SET started_at = $5
             WHERE caller_id = $1 AND route = $2 AND key = $3 AND started_at = $4
               AND status IS NULL",
        )
        .bind(name.caller)
        .bind(&name.route)
        .bind(&name.key)
        .bind(attempt.started_at)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let renewed = at_most_one(&renewed, "an attempt")?;
        tx.commit().await?;
        Ok(if renewed {
            Attempt { started_at: now }
        } else {
            attempt
        })
    })
    .await
}

/// Keeps the answer of an attempt.
pub async fn finish(
    db: &Database,
    name: &Name,
    attempt: Attempt,
    answer: Stored,
) -> Result<(), Error> {
    let (db, name) = (db.clone(), name.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query(
            "UPDATE idempotency_keys SET status = $5, body = $6
             WHERE caller_id = $1 AND route = $2 AND key = $3 AND started_at = $4
               AND status IS NULL",
        )
        .bind(name.caller)
        .bind(&name.route)
        .bind(&name.key)
        .bind(attempt.started_at)
        .bind(i32::from(answer.status))
        .bind(answer.body)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Frees the key, because the attempt changed nothing or may be made again.
pub async fn forget(db: &Database, name: &Name, attempt: Attempt) -> Result<(), Error> {
    let (db, name) = (db.clone(), name.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query(
            "DELETE FROM idempotency_keys
             WHERE caller_id = $1 AND route = $2 AND key = $3 AND started_at = $4
               AND status IS NULL",
        )
        .bind(name.caller)
        .bind(&name.route)
        .bind(&name.key)
        .bind(attempt.started_at)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Takes away a few answers that were kept long enough.
async fn sweep(connection: &mut PgConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY (
           SELECT ctid FROM idempotency_keys WHERE started_at < $1
           ORDER BY started_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
    )
    .bind(now - TimeDelta::days(KEPT_DAYS))
    .bind(SWEPT)
    .execute(connection)
    .await
    .map(drop)
}
