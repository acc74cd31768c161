//! Requests that a crash cut off between what was decided and what was done, and paid ones whose serials are
//! still to come.

use engine::{
    clock::Timestamp,
    ids::{MerchantId, StockRequestId},
    stock_requests::StockRequest,
};
use uuid::Uuid;

use super::{
    bill::whole,
    rows::{Row, lock, select_request},
};
use crate::{Database, Error, database::commit, owned};

/// Takes over requests that nobody carried out since a time: they are this caller's for a while.
pub async fn take_waiting(
    db: &Database,
    before: Timestamp,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<StockRequest>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let taken: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "UPDATE stock_requests SET attempted_at = $3
             WHERE stock_request_id = ANY (ARRAY (
               SELECT stock_request_id FROM stock_requests
               WHERE status IN ('PAYING', 'ALLOCATING') AND attempted_at < $1
               ORDER BY attempted_at LIMIT $2 FOR UPDATE SKIP LOCKED))
             RETURNING merchant_id, stock_request_id",
        )
        .bind(before)
        .bind(limit)
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
        let mut found = Vec::with_capacity(taken.len());
        for (merchant, id) in taken {
            let of = (MerchantId::from_uuid(merchant), None);
            found.extend(lock(&mut tx, of, StockRequestId::from_uuid(id)).await?);
        }
        commit(tx).await?;
        Ok(found)
    })
    .await
}

/// Of each shelf the requests that are paid and may get serials next, where the program gives them out by
/// itself: the oldest of those that have units of their own, of those that wait for what comes, and of those that
/// never asked their shelf. Those after that one: who goes on where a page ended reaches all of them.
pub async fn paid_waiting(
    db: &Database,
    after: Option<StockRequestId>,
    limit: i64,
) -> Result<Vec<StockRequest>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let rows: Vec<Row> = sqlx::query_as(select_request!(
            "WHERE r.stock_request_id IN (
               SELECT DISTINCT ON (w.product_id, w.variant_id, k.waits) w.stock_request_id
               FROM stock_requests AS w
               JOIN programs AS p ON p.merchant_id = w.merchant_id
               LEFT JOIN reservations AS k
                 ON k.withdrawal_id = w.stock_request_id AND k.ended_at IS NULL
               WHERE w.status = 'PAID' AND p.auto_allocate
               ORDER BY w.product_id, w.variant_id, k.waits, k.reserved_at, w.number)
               AND r.stock_request_id > $1
             ORDER BY r.stock_request_id LIMIT $2"
        ))
        .bind(after.map_or(Uuid::nil(), StockRequestId::uuid))
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
        whole(&mut connection, rows).await
    })
    .await
}
