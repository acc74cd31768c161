//! An owner asks for a trial: something is sent that is no event.

use engine::{
    clock::Timestamp,
    ids::{DeliveryId, EventId, RelationshipId, WebhookId},
    webhooks::Status,
};
use sqlx::PgConnection;

use super::{
    Delivery, Refusal, Side, TRIAL, Who, owner,
    rows::{DeliveryRow, select_delivery},
};
use crate::{
    Database, Error, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// Stores a trial that is sent at once, or when the webhook's rest is over; none if there is no such webhook.
pub async fn trial(
    db: &Database,
    who: Who,
    id: WebhookId,
    (delivery, event): (DeliveryId, EventId),
    now: Timestamp,
) -> Result<Option<Result<Delivery, Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(webhook) = owner::lock_webhook(&mut tx, who.0, id).await? else {
            return Ok(None);
        };
        if let Err(refusal) = owner::has_not_ended(&mut tx, who.0).await? {
            return Ok(Some(Err(refusal)));
        }
        if webhook.status != Status::Active {
            return Ok(Some(Err(Refusal::NotActive(webhook.status))));
        }
        sqlx::query(
            "INSERT INTO webhook_deliveries (delivery_id, webhook_id, merchant_id, relationship_id,
               event_id, event, status, due_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'PENDING', $7, $7, $7)",
        )
        .bind(delivery.uuid())
        .bind(id.uuid())
        .bind(who.0.merchant.uuid())
        .bind(who.0.relationship.map(RelationshipId::uuid))
        .bind(event.uuid())
        .bind(TRIAL)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        wake(&mut tx, id, now).await?;
        let stored = lock_delivery(&mut tx, who.0, delivery).await?;
        let stored = stored.ok_or(Error::Inconsistent {
            what: "a delivery that was just stored is missing",
        })?;
        commit(tx).await?;
        Ok(Some(Ok(stored)))
    })
    .await
}

/// Has a webhook tried now, or when its rest is over: whoever asks for trials makes no address that fails
/// cost more attempts.
pub(super) async fn wake(
    connection: &mut PgConnection,
    id: WebhookId,
    now: Timestamp,
) -> Result<(), Error> {
    let woken =
        sqlx::query("UPDATE webhooks SET due_at = GREATEST($2, rests_until) WHERE webhook_id = $1")
            .bind(id.uuid())
            .bind(now)
            .execute(connection)
            .await?;
    exactly_one(&woken, "a webhook that is woken")
}

/// A delivery of this side, locked until the transaction ends.
pub(super) async fn lock_delivery(
    connection: &mut PgConnection,
    side: Side,
    id: DeliveryId,
) -> Result<Option<Delivery>, Error> {
    let row: Option<DeliveryRow> = sqlx::query_as(select_delivery!(
        "WHERE d.merchant_id = $1 AND d.relationship_id IS NOT DISTINCT FROM $2
           AND d.delivery_id = $3 FOR UPDATE"
    ))
    .bind(side.merchant.uuid())
    .bind(side.relationship.map(RelationshipId::uuid))
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Delivery::try_from).transpose()
}
