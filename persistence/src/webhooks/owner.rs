//! Whose webhook is made or changed: what is locked first, and what the audit log is told.
//!
//! Keeps: the owner's row is locked before its webhooks are counted, so two calls at once cannot both
//! make the last that is allowed.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    ids::{RelationshipId, WebhookId},
    relationships::Status,
    webhooks::WEBHOOKS_MAX,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Refusal, Side, Webhook, Who,
    rows::{Row, select_webhook},
};
use crate::{Error, audit, relationships::rows::named};

/// Locks the owner for as long as the transaction lasts; none if there is none, a refusal if it may have
/// no webhook more.
pub(super) async fn lock(
    connection: &mut PgConnection,
    side: Side,
) -> Result<Option<Result<(), Refusal>>, Error> {
    let found = match side.relationship {
        None => lock_merchant(connection, side).await?,
        Some(relationship) => lock_relationship(connection, side, relationship).await?,
    };
    let Some(Ok(())) = found else {
        return Ok(found);
    };
    let sql = if side.relationship.is_some() {
        "SELECT COUNT(*) FROM webhooks WHERE merchant_id = $1 AND relationship_id = $2"
    } else {
        "SELECT COUNT(*) FROM webhooks
         WHERE merchant_id = $1 AND relationship_id IS NULL AND $2::uuid IS NULL"
    };
    let count: i64 = sqlx::query_scalar(sql)
        .bind(side.merchant.uuid())
        .bind(side.relationship.map(RelationshipId::uuid))
        .fetch_one(connection)
        .await?;
    let full = usize::try_from(count).is_ok_and(|count| count >= WEBHOOKS_MAX);
    Ok(Some(if full { Err(Refusal::TooMany) } else { Ok(()) }))
}

async fn lock_merchant(
    connection: &mut PgConnection,
    side: Side,
) -> Result<Option<Result<(), Refusal>>, Error> {
    let own: Option<Uuid> = sqlx::query_scalar(
        "SELECT merchant_id FROM merchants WHERE merchant_id = $1 FOR NO KEY UPDATE",
    )
    .bind(side.merchant.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(own.map(|_| Ok(())))
}

async fn lock_relationship(
    connection: &mut PgConnection,
    side: Side,
    relationship: RelationshipId,
) -> Result<Option<Result<(), Refusal>>, Error> {
    let status: Option<String> = sqlx::query_scalar(
        "SELECT status FROM relationships WHERE merchant_id = $1 AND relationship_id = $2
         FOR NO KEY UPDATE",
    )
    .bind(side.merchant.uuid())
    .bind(relationship.uuid())
    .fetch_optional(connection)
    .await?;
    let Some(status) = status else {
        return Ok(None);
    };
    let status = named(Status::parse(&status), "relationships.status")?;
    Ok(Some(open(status)))
}

fn open(status: Status) -> Result<(), Refusal> {
    match status {
        Status::Invited | Status::Active | Status::Suspended => Ok(()),
        Status::Terminated => Err(Refusal::Ended(status)),
    }
}

/// Refuses if the relationship of a webhook that is locked has ended.
pub(super) async fn has_not_ended(
    connection: &mut PgConnection,
    side: Side,
) -> Result<Result<(), Refusal>, Error> {
    let Some(relationship) = side.relationship else {
        return Ok(Ok(()));
    };
    let status: String =
        sqlx::query_scalar("SELECT status FROM relationships WHERE relationship_id = $1")
            .bind(relationship.uuid())
            .fetch_one(connection)
            .await?;
    Ok(open(named(Status::parse(&status), "relationships.status")?))
}

/// A webhook of this side, locked until the transaction ends.
pub(super) async fn lock_webhook(
    connection: &mut PgConnection,
    side: Side,
    id: WebhookId,
) -> Result<Option<Webhook>, Error> {
    let row: Option<Row> = sqlx::query_as(select_webhook!(
        "WHERE w.merchant_id = $1 AND w.relationship_id IS NOT DISTINCT FROM $2
           AND w.webhook_id = $3 FOR UPDATE"
    ))
    .bind(side.merchant.uuid())
    .bind(side.relationship.map(RelationshipId::uuid))
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Webhook::try_from).transpose()
}

/// A digest over what an owner decides of a webhook, its secrets as they are sealed.
pub(super) async fn digest(connection: &mut PgConnection, id: WebhookId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to(concat_ws(' ', url, events, status, secret, old_secret,
           old_secret_until), 'UTF8')) FROM webhooks WHERE webhook_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

/// Tells the audit log what was done to a webhook; the last thing that a transaction locks.
pub(super) async fn tell(
    connection: &mut PgConnection,
    (side, actor): &Who,
    (action, id): (&'static str, WebhookId),
    (before, after): (Option<Digest>, Option<Digest>),
    now: Timestamp,
) -> Result<(), Error> {
    let actor: &Actor = actor;
    let deed = Deed {
        actor: actor.clone(),
        action: action.to_owned(),
        target: id.to_string(),
        before,
        after,
        at: now,
    };
    audit::append(connection, side.merchant, deed).await
}
