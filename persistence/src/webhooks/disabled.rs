//! Webhooks that were given up: their owners hear of it once.

use engine::{clock::Timestamp, ids::WebhookId, relationships::Status, vault::Vault};
use uuid::Uuid;

use crate::{
    Database, Error,
    database::commit,
    error::at_most_one,
    mail::{self, Post},
    owned,
};

/// A webhook that was given up, and nobody was told yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    pub webhook: WebhookId,
    pub url: String,
    pub failing_since: Option<Timestamp>,
    pub merchant_name: String,
    /// Whom to tell: the reseller, or the merchant's owners.
    pub recipients: Vec<String>,
}

/// Webhooks whose owners do not know yet that they were given up.
pub async fn disabled(db: &Database, limit: u32) -> Result<Vec<Disabled>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT w.webhook_id, w.url, w.failing_since, m.name AS merchant_name,
               CASE WHEN w.relationship_id IS NULL
                 THEN ARRAY (SELECT p.email FROM members AS o
                             JOIN persons AS p ON p.person_id = o.person_id
                             WHERE o.merchant_id = w.merchant_id AND o.role = 'OWNER'
                             ORDER BY p.email)
                 ELSE ARRAY (SELECT COALESCE(p.email, r.email) FROM relationships AS r
                             LEFT JOIN persons AS p ON p.person_id = r.person_id
                             WHERE r.relationship_id = w.relationship_id AND r.status <> $2)
               END AS recipients
             FROM webhooks AS w JOIN merchants AS m ON m.merchant_id = w.merchant_id
             WHERE w.disabled_at IS NOT NULL AND w.disabled_told_at IS NULL
             ORDER BY w.disabled_at LIMIT $1",
        )
        .bind(i64::from(limit))
        .bind(Status::Terminated.name())
        .fetch_all(&mut *db.report().await?)
        .await?;
        Ok(rows.into_iter().map(Disabled::from).collect())
    })
    .await
}

/// Queues what the owner of a webhook is told, once; false if that was done before.
pub async fn tell_disabled(
    db: &Database,
    vault: &Vault,
    webhook: WebhookId,
    posts: Vec<Post>,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, vault) = (db.clone(), vault.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        let told = sqlx::query(
            "UPDATE webhooks SET disabled_told_at = $2
             WHERE webhook_id = $1 AND disabled_at IS NOT NULL AND disabled_told_at IS NULL",
        )
        .bind(webhook.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let first = at_most_one(&told, "a webhook that was given up")?;
        if first {
            for post in &posts {
                let kind = (post.id, "webhook-disabled");
                mail::queue(&mut tx, &vault, kind, &post.letter, now).await?;
            }
            commit(tx).await?;
        }
        Ok(first)
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    webhook_id: Uuid,
    url: String,
    failing_since: Option<Timestamp>,
    merchant_name: String,
    recipients: Vec<String>,
}

impl From<Row> for Disabled {
    fn from(row: Row) -> Self {
        Self {
            webhook: WebhookId::from_uuid(row.webhook_id),
            url: row.url,
            failing_since: row.failing_since,
            merchant_name: row.merchant_name,
            recipients: row.recipients,
        }
    }
}
