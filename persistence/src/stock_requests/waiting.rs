//! Requests that a crash cut off between what was decided and what was done.

use engine::{
    clock::Timestamp,
    ids::{MerchantId, StockRequestId},
    stock_requests::StockRequest,
};
use uuid::Uuid;

use super::rows::lock;
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
