//! An owner has a delivery that failed sent again.

use engine::{
    clock::Timestamp,
    ids::{DeliveryId, RelationshipId, WebhookId},
    webhooks::{Stage, Status},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Delivery, Refusal, Side, Who, owner,
    trial::{lock_delivery, wake},
};
use crate::{
    Database, Error, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// Begins a failed delivery anew; none if there is no such one. The flag says that it was on its way
/// already, and nothing changed.
pub async fn repeat(
    db: &Database,
    who: Who,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Option<Result<(Delivery, bool), Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        // The webhook first: whoever sends locks in this order too.
        let Some(webhook) = webhook_of(&mut tx, who.0, id).await? else {
            return Ok(None);
        };
        let of = owner::lock_webhook(&mut tx, who.0, webhook).await?;
        let Some(old) = lock_delivery(&mut tx, who.0, id).await? else {
            return Ok(None);
        };
        let Some(of) = of else {
            return Ok(Some(Err(Refusal::WebhookGone)));
        };
        if let Err(refusal) = owner::has_not_ended(&mut tx, who.0).await? {
            return Ok(Some(Err(refusal)));
        }
        match old.stage {
            Stage::Pending | Stage::Retrying => return Ok(Some(Ok((old, true)))),
            Stage::Delivered => return Ok(Some(Err(Refusal::Delivered))),
            Stage::Failed if of.status != Status::Active => {
                return Ok(Some(Err(Refusal::NotActive(of.status))));
            }
            Stage::Failed => {}
        }
        let begun = sqlx::query(
            "UPDATE webhook_deliveries SET status = 'PENDING', attempts = 0, due_at = $2,
               updated_at = $2
             WHERE delivery_id = $1",
        )
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&begun, "a delivery that begins anew")?;
        wake(&mut tx, webhook, now).await?;
        let stored = lock_delivery(&mut tx, who.0, id).await?;
        let stored = stored.ok_or(Error::Inconsistent {
            what: "a delivery that was just stored is missing",
        })?;
        owner::tell(&mut tx, &who, ("webhook.retry", webhook), (None, None), now).await?;
        commit(tx).await?;
        Ok(Some(Ok((stored, false))))
    })
    .await
}

async fn webhook_of(
    connection: &mut PgConnection,
    side: Side,
    id: DeliveryId,
) -> Result<Option<WebhookId>, Error> {
    let found: Option<Uuid> = sqlx::query_scalar(
        "SELECT webhook_id FROM webhook_deliveries
         WHERE merchant_id = $1 AND relationship_id IS NOT DISTINCT FROM $2 AND delivery_id = $3",
    )
    .bind(side.merchant.uuid())
    .bind(side.relationship.map(RelationshipId::uuid))
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(found.map(WebhookId::from_uuid))
}
