//! A webhook gets another secret; the one before signs beside it for a while.

use chrono::TimeDelta;
use engine::{
    clock::Timestamp,
    ids::WebhookId,
    vault::{Opened, Vault},
};

use super::{Refusal, Webhook, Who, owner};
use crate::{
    Database, Error, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// Puts a secret in force; none if there is no such webhook. At most two sign at a time.
pub async fn rotate(
    db: &Database,
    vault: &Vault,
    who: Who,
    (id, secret, overlap_hours): (WebhookId, Opened, u32),
    now: Timestamp,
) -> Result<Option<Result<Webhook, Refusal>>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        if owner::lock_webhook(&mut tx, who.0, id).await?.is_none() {
            return Ok(None);
        }
        if let Err(refusal) = owner::has_not_ended(&mut tx, who.0).await? {
            return Ok(Some(Err(refusal)));
        }
        let before = owner::digest(&mut tx, id).await?;
        let rotated = sqlx::query(
            "UPDATE webhooks SET secret = $2, old_secret = CASE WHEN $4 THEN secret END,
               old_secret_until = CASE WHEN $4 THEN $3 END, updated_at = $5
             WHERE webhook_id = $1",
        )
        .bind(id.uuid())
        .bind(vault.seal_webhook_secret(id, secret.expose()).as_bytes())
        .bind(now + TimeDelta::hours(overlap_hours.into()))
        .bind(overlap_hours > 0)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&rotated, "a webhook whose secret is rotated")?;
        let rotated = owner::lock_webhook(&mut tx, who.0, id).await?;
        let after = owner::digest(&mut tx, id).await?;
        let digests = (Some(before), Some(after));
        owner::tell(&mut tx, &who, ("webhook.rotate", id), digests, now).await?;
        commit(tx).await?;
        Ok(rotated.map(Ok))
    })
    .await
}
