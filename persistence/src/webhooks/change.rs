//! An owner changes a webhook, pauses it, or has it begin anew.

use engine::{
    clock::Timestamp,
    ids::WebhookId,
    webhooks::{Status, Wanted},
};

use super::{Refusal, Webhook, Who, owner, rows::names};
use crate::{
    Database, Error, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// What is to be different; none of a field leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub url: Option<String>,
    pub wanted: Option<Wanted>,
    pub status: Option<Status>,
}

/// Changes a webhook; none if there is no such one. One that gets another address, or is active again,
/// begins without its failures, where it was in its feed.
pub async fn change(
    db: &Database,
    who: Who,
    id: WebhookId,
    edit: Edit,
    now: Timestamp,
) -> Result<Option<Result<Webhook, Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(old) = owner::lock_webhook(&mut tx, who.0, id).await? else {
            return Ok(None);
        };
        if let Err(refusal) = owner::has_not_ended(&mut tx, who.0).await? {
            return Ok(Some(Err(refusal)));
        }
        let before = owner::digest(&mut tx, id).await?;
        let status = edit.status.unwrap_or(old.status);
        let begins = edit.url.as_ref().is_some_and(|url| *url != old.url) || status != old.status;
        let wanted = edit.wanted.unwrap_or(old.wanted);
        let changed = sqlx::query(
            "UPDATE webhooks SET url = $2, events = $3, status = $4, updated_at = $5,
               failures = CASE WHEN $6 THEN 0 ELSE failures END,
               failing_since = CASE WHEN $6 THEN NULL ELSE failing_since END,
               rests_until = CASE WHEN $6 THEN NULL ELSE rests_until END,
               disabled_at = CASE WHEN $7 THEN NULL ELSE disabled_at END,
               disabled_told_at = CASE WHEN $7 THEN NULL ELSE disabled_told_at END,
               due_at = $5
             WHERE webhook_id = $1",
        )
        .bind(id.uuid())
        .bind(edit.url.unwrap_or(old.url))
        .bind(names(&wanted))
        .bind(status.name())
        .bind(now)
        .bind(begins)
        .bind(status != old.status)
        .execute(&mut *tx)
        .await?;
        exactly_one(&changed, "a webhook that is changed")?;
        let changed = owner::lock_webhook(&mut tx, who.0, id).await?;
        let after = owner::digest(&mut tx, id).await?;
        let digests = (Some(before), Some(after));
        owner::tell(&mut tx, &who, ("webhook.update", id), digests, now).await?;
        commit(tx).await?;
        Ok(changed.map(Ok))
    })
    .await
}
