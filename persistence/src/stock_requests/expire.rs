//! Requests whose time is over, end. Money that comes later is still the reseller's.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{MerchantId, StockRequestId},
    inventory::Ending,
    stock_requests::{Event, Status, Stepped, StockRequest},
};
use uuid::Uuid;

use super::{
    committed::moved,
    rows::{lock, note, store, tell},
};
use crate::{
    Database, Error, database::commit, inventory::reservations, owned, relationships::rows::kept,
};

/// Who the audit log says it was.
const JOB: &str = "expiry of stock requests";

/// Ends at most so many requests that are over, and says which.
pub async fn expire(db: &Database, limit: u32, now: Timestamp) -> Result<Vec<StockRequest>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let due: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT merchant_id, stock_request_id FROM stock_requests
             WHERE status IN ('REQUESTED', 'INVOICED') AND expires_at <= $1
             ORDER BY expires_at LIMIT $2",
        )
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(&mut *db.read().await?)
        .await?;
        let mut ended = Vec::with_capacity(due.len());
        for (merchant, id) in due {
            let (merchant, id) = (
                MerchantId::from_uuid(merchant),
                StockRequestId::from_uuid(id),
            );
            ended.extend(expire_one(&db, merchant, id, now).await?);
        }
        Ok(ended)
    })
    .await
}

/// Found without a lock, so looked at again under it.
async fn expire_one(
    db: &Database,
    merchant: MerchantId,
    id: StockRequestId,
    now: Timestamp,
) -> Result<Option<StockRequest>, Error> {
    let mut tx = db.begin().await?;
    let Some(request) = lock(&mut tx, (merchant, None), id).await? else {
        return Ok(None);
    };
    if request.status_at(now) != Status::Expired {
        return Ok(None);
    }
    let Ok(Stepped::To(request)) = request.step(Event::Expired, now) else {
        return Ok(None);
    };
    store(&mut tx, &request).await?;
    tell(&mut tx, &request, now).await?;
    let did = (Actor::job(JOB), "stock_request.expire", id.to_string());
    reservations::end(&mut tx, request.withdrawal(), Ending::Expired, now).await?;
    moved(&mut tx, &request).await?;
    note(&mut tx, merchant, did, now).await?;
    commit(tx).await?;
    Ok(Some(*request))
}
