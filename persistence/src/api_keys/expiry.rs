//! Keys that end soon: their owners hear of it once, in time.

use chrono::TimeDelta;
use engine::{
    api_keys::EXPIRY_TOLD_DAYS,
    clock::Timestamp,
    events::Fact,
    ids::{KeyId, MerchantId, RelationshipId},
    relationships::Status,
    vault::Vault,
};
use uuid::Uuid;

use crate::{
    Database, Error,
    database::commit,
    events::outbox,
    mail::{self, Post},
    owned,
};

/// A key whose end nobody announced yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    pub key: KeyId,
    pub name: String,
    pub last4: String,
    pub expires_at: Timestamp,
    pub merchant_name: String,
    /// Whom to tell: the reseller, or the merchant's owners.
    pub recipients: Vec<String>,
}

/// Keys that end within a week.
pub async fn expiring(db: &Database, limit: u32, now: Timestamp) -> Result<Vec<Expiring>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT k.key_id, k.name, k.last4, k.expires_at, m.name AS merchant_name,
               CASE WHEN k.relationship_id IS NULL
                 THEN ARRAY (SELECT p.email FROM members AS o
                             JOIN persons AS p ON p.person_id = o.person_id
                             WHERE o.merchant_id = k.merchant_id AND o.role = 'OWNER'
                             ORDER BY p.email)
                 ELSE ARRAY (SELECT COALESCE(p.email, r.email) FROM relationships AS r
                             LEFT JOIN persons AS p ON p.person_id = r.person_id
                             WHERE r.relationship_id = k.relationship_id AND r.status <> $4)
               END AS recipients
             FROM api_keys AS k JOIN merchants AS m ON m.merchant_id = k.merchant_id
             WHERE k.revoked_at IS NULL AND k.expiry_told_at IS NULL AND k.expires_at IS NOT NULL
               AND k.retires_at IS NULL AND k.expires_at > $1 AND k.expires_at <= $2
             ORDER BY k.expires_at LIMIT $3",
        )
        .bind(now)
        .bind(now + TimeDelta::days(EXPIRY_TOLD_DAYS))
        .bind(i64::from(limit))
        .bind(Status::Terminated.name())
        .fetch_all(&mut *db.report().await?)
        .await?;
        Ok(rows.into_iter().map(Expiring::from).collect())
    })
    .await
}

/// Queues the announcement of a key's end, once; false if it was announced before.
pub async fn tell_expiry(
    db: &Database,
    vault: &Vault,
    key: KeyId,
    posts: Vec<Post>,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, vault) = (db.clone(), vault.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        let whose: Option<(Uuid, Option<Uuid>)> = sqlx::query_as(
            "UPDATE api_keys SET expiry_told_at = $2 WHERE key_id = $1 AND expiry_told_at IS NULL
             RETURNING merchant_id, relationship_id",
        )
        .bind(key.uuid())
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some((merchant, relationship)) = whose {
            let fact = Fact::KeyExpiring {
                key: key.uuid(),
                relationship,
            };
            let of = (
                MerchantId::from_uuid(merchant),
                relationship.map(RelationshipId::from_uuid),
            );
            outbox::tell(&mut tx, of, &fact, now).await?;
            for post in &posts {
                mail::queue(&mut tx, &vault, (post.id, "key-expiry"), &post.letter, now).await?;
            }
            commit(tx).await?;
        }
        Ok(whose.is_some())
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    key_id: Uuid,
    name: String,
    last4: String,
    expires_at: Timestamp,
    merchant_name: String,
    recipients: Vec<String>,
}

impl From<Row> for Expiring {
    fn from(row: Row) -> Self {
        Self {
            key: KeyId::from_uuid(row.key_id),
            name: row.name,
            last4: row.last4,
            expires_at: row.expires_at,
            merchant_name: row.merchant_name,
            recipients: row.recipients,
        }
    }
}
