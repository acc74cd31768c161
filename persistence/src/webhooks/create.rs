//! An owner makes a webhook, which is sent what happens from now on.

use engine::{
    clock::Timestamp,
    ids::{RelationshipId, WebhookId},
    vault::{Opened, Vault},
    webhooks::{Status, Wanted},
};
use sqlx::PgConnection;

use super::{Refusal, Side, Webhook, Who, owner, rows::names};
use crate::{Database, Error, database::commit, events::number, owned, relationships::rows::kept};

/// What is made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    pub id: WebhookId,
    pub url: String,
    pub wanted: Wanted,
    pub status: Status,
    pub secret: Opened,
}

/// Makes a webhook; none if there is no such owner.
pub async fn create(
    db: &Database,
    vault: &Vault,
    who: Who,
    new: NewWebhook,
    now: Timestamp,
) -> Result<Option<Result<Webhook, Refusal>>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        // What was before is not sent.
        while number::catch_up(&db, who.0.feed(), now).await? {}
        let mut tx = db.begin().await?;
        match owner::lock(&mut tx, who.0).await? {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(refusal))),
            Some(Ok(())) => {}
        }
        insert(&mut tx, &vault, who.0, &new, now).await?;
        let made = owner::lock_webhook(&mut tx, who.0, new.id).await?;
        let made = made.ok_or(Error::Inconsistent {
            what: "a webhook that was just stored is missing",
        })?;
        let digest = owner::digest(&mut tx, new.id).await?;
        let deed = ("webhook.create", new.id);
        owner::tell(&mut tx, &who, deed, (None, Some(digest)), now).await?;
        commit(tx).await?;
        Ok(Some(Ok(made)))
    })
    .await
}

async fn insert(
    connection: &mut PgConnection,
    vault: &Vault,
    side: Side,
    new: &NewWebhook,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO webhooks (webhook_id, merchant_id, relationship_id, url, events, status, secret,
           told_seq, created_at, updated_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, COALESCE((
           SELECT seq FROM event_feeds
           WHERE merchant_id = $2 AND relationship_id IS NOT DISTINCT FROM $3 AND NOT test), 0),
           $8, $8",
    )
    .bind(new.id.uuid())
    .bind(side.merchant.uuid())
    .bind(side.relationship.map(RelationshipId::uuid))
    .bind(&new.url)
    .bind(names(&new.wanted))
    .bind(new.status.name())
    .bind(vault.seal_webhook_secret(new.id, new.secret.expose()).as_bytes())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
