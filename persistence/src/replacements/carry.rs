//! What was decided is carried out, and stored as done.
//!
//! Keeps: a step is taken from the one before it and from no other, so of two that carry a replacement out
//! one is told that it was done.

use engine::{
    clock::Timestamp,
    ids::{MerchantId, ReplacementId, SerialId},
    replacements::{Bought, DecidedBy, Replacement, Status},
};
use uuid::Uuid;

use super::rows::{lock, tell};
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    owned,
    relationships::rows::kept,
    stock_requests::replace::{put_back, replaced},
};

/// Moves a replacement on, if it still stands at `from`; where it stands then.
pub async fn advance(
    db: &Database,
    replacement: &Replacement,
    to: Status,
    successor: Option<SerialId>,
    now: Timestamp,
) -> Result<Replacement, Error> {
    let (db, from, now) = (db.clone(), replacement.status, kept(now));
    let (merchant, id) = (replacement.scope.merchant, replacement.id);
    owned(async move {
        let mut tx = db.begin().await?;
        let found = lock(&mut tx, merchant, id).await?;
        let found = found.ok_or(Error::Inconsistent {
            what: "a replacement is gone",
        })?;
        if found.status != from {
            return Ok(found);
        }
        let moved = Replacement {
            status: to,
            successor,
            decided_by: found.decided_by.filter(|_| to != Status::Requested),
            updated_at: now,
            ..found
        };
        let updated = sqlx::query(
            "UPDATE replacements SET status = $2, successor_id = $3, decided_by = $4,
               attempted_at = $5, updated_at = $5
             WHERE replacement_id = $1",
        )
        .bind(id.uuid())
        .bind(to.name())
        .bind(successor.map(SerialId::uuid))
        .bind(moved.decided_by.map(DecidedBy::name))
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&updated, "a replacement that is carried out")?;
        if let Bought::Wholesale(request) = &moved.bought {
            match to {
                Status::Requested => put_back(&mut tx, (&moved, *request), now).await?,
                Status::Issued | Status::Credited => {
                    replaced(&mut tx, (&moved, *request), now).await?;
                }
                Status::Issuing | Status::Crediting | Status::Rejected | Status::Cancelled => {}
            }
        }
        tell(&mut tx, &moved, now).await?;
        commit(tx).await?;
        Ok(moved)
    })
    .await
}

/// Takes over replacements that nobody carried out since a time: they are this caller's for a while.
pub async fn take_waiting(
    db: &Database,
    before: Timestamp,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Replacement>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let taken: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "UPDATE replacements SET attempted_at = $3
             WHERE replacement_id = ANY (ARRAY (
               SELECT replacement_id FROM replacements
               WHERE status IN ('ISSUING', 'CREDITING') AND attempted_at < $1
               ORDER BY attempted_at LIMIT $2 FOR UPDATE SKIP LOCKED))
             RETURNING merchant_id, replacement_id",
        )
        .bind(before)
        .bind(limit)
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
        let mut found = Vec::with_capacity(taken.len());
        for (merchant, id) in taken {
            let (merchant, id) = (
                MerchantId::from_uuid(merchant),
                ReplacementId::from_uuid(id),
            );
            found.extend(lock(&mut tx, merchant, id).await?);
        }
        commit(tx).await?;
        Ok(found)
    })
    .await
}
