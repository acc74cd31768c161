//! An owner ends a webhook. Its log stays until it is old.

use engine::{clock::Timestamp, ids::WebhookId};

use super::{Who, owner};
use crate::{
    Database, Error, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// Deletes a webhook; false if there is no such one. What was on its way to it has failed.
pub async fn delete(db: &Database, who: Who, id: WebhookId, now: Timestamp) -> Result<bool, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        if owner::lock_webhook(&mut tx, who.0, id).await?.is_none() {
            return Ok(false);
        }
        let before = owner::digest(&mut tx, id).await?;
        sqlx::query(
            "UPDATE webhook_deliveries SET status = 'FAILED', due_at = NULL, updated_at = $2
             WHERE webhook_id = $1 AND due_at IS NOT NULL",
        )
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let deleted = sqlx::query("DELETE FROM webhooks WHERE webhook_id = $1")
            .bind(id.uuid())
            .execute(&mut *tx)
            .await?;
        exactly_one(&deleted, "a webhook that is deleted")?;
        owner::tell(
            &mut tx,
            &who,
            ("webhook.delete", id),
            (Some(before), None),
            now,
        )
        .await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}
