//! What of a shelf is no order's business: who looked at it or took from it, and what lies aside.

use engine::{
    audit::Deed,
    ids::{MerchantId, SerialId, WithdrawalId},
    inventory::Withdrawal,
};
use uuid::Uuid;

use super::withdrawal;
use crate::{
    Database, Error, audit,
    database::{commit, in_time},
    owned,
};

/// Notes who reads serials, before they do.
pub async fn note(db: &Database, merchant: MerchantId, deed: Deed) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await
    })
    .await
}

/// The withdrawal with this id, if it is of this merchant.
pub async fn find_withdrawal(
    db: &Database,
    merchant: MerchantId,
    id: WithdrawalId,
) -> Result<Option<Withdrawal>, Error> {
    let db = db.clone();
    let found = owned(async move {
        in_time(async { withdrawal::find(&mut *db.read().await?, id).await }).await
    });
    Ok(found.await?.filter(|found| found.merchant == merchant))
}

/// Those of these serials that lie in quarantine are removed from there, and told. Their claim stays:
/// only their texts may be imported again.
pub async fn remove_quarantined(
    db: &Database,
    merchant: MerchantId,
    serials: &[SerialId],
    deed: Deed,
) -> Result<Vec<SerialId>, Error> {
    let db = db.clone();
    let ids: Vec<_> = serials.iter().map(|serial| serial.uuid()).collect();
    owned(async move {
        let mut tx = db.begin().await?;
        let removed: Vec<Uuid> = sqlx::query_scalar(
            "UPDATE serials SET removed_at = now()
             WHERE serial_id = ANY ($1) AND merchant_id = $2 AND removed_at IS NULL
               AND EXISTS (SELECT FROM serial_claims AS c
                           WHERE c.serial_id = serials.serial_id AND c.kind = 2)
             RETURNING serial_id",
        )
        .bind(ids)
        .bind(merchant.uuid())
        .fetch_all(&mut *tx)
        .await?;
        if !removed.is_empty() {
            audit::append(&mut tx, merchant, deed).await?;
        }
        commit(tx).await?;
        Ok(removed.into_iter().map(SerialId::from_uuid).collect())
    })
    .await
}
