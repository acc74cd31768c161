//! Leases of webhooks whose turn it is.

use chrono::TimeDelta;
use engine::{
    clock::Timestamp,
    ids::{MerchantId, RelationshipId, WebhookId},
    vault::{Opened, Sealed, Vault},
    webhooks::{Health, Wanted},
};
use uuid::Uuid;

use super::super::{Side, rows::wanted};
use crate::{Database, Error, owned};

/// Longer than a round takes: it reads, sends for five seconds at most, and reports.
pub const LEASE_SECONDS: i64 = 60;

/// Of one merchant and its resellers, so many are sent to at once: who has many slow ones waits for them.
const OF_MERCHANT_MAX: i64 = 8;
/// Webhooks whose turn it is that are looked at for those.
const LOOKED_AT_MAX: i64 = 4096;

/// A webhook that this process alone sends to, until the lease is over.
#[derive(Debug, Clone)]
pub struct Leased {
    pub webhook: WebhookId,
    pub side: Side,
    pub url: String,
    pub wanted: Wanted,
    /// What events are signed with: one secret, or two while one is being replaced. None: they do not
    /// open any more.
    pub secrets: Option<Vec<Opened>>,
    pub health: Health,
    pub claimed_at: Timestamp,
    pub(super) lease: i64,
}

/// Takes leases of webhooks whose turn it is, those that wait longest first, and of no merchant too many.
pub async fn claim(
    db: &Database,
    vault: &Vault,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<Leased>, Error> {
    let (db, vault) = (db.clone(), vault.clone());
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "WITH due AS (
               SELECT webhook_id, merchant_id, due_at, COALESCE(leased_until > $1, false) AS leased
               FROM webhooks
               WHERE status = 'ACTIVE' AND due_at <= $1
                 AND (rests_until IS NULL OR rests_until <= $1)
               ORDER BY due_at LIMIT $4
             ), placed AS (
               SELECT webhook_id, leased,
                      ROW_NUMBER() OVER (PARTITION BY merchant_id ORDER BY leased DESC, due_at)
                        AS place
               FROM due
             )
             UPDATE webhooks SET lease = lease + 1, leased_until = $2
             WHERE webhook_id IN (
               SELECT w.webhook_id FROM webhooks AS w JOIN placed AS p USING (webhook_id)
               WHERE p.place <= $5 AND NOT p.leased AND w.status = 'ACTIVE' AND w.due_at <= $1
                 AND (w.leased_until IS NULL OR w.leased_until <= $1)
               ORDER BY w.due_at LIMIT $3 FOR UPDATE OF w SKIP LOCKED)
             RETURNING webhook_id, merchant_id, relationship_id, url, events, secret, old_secret,
               old_secret_until, failures, failing_since, rests_until, lease",
        )
        .bind(now)
        .bind(now + TimeDelta::seconds(LEASE_SECONDS))
        .bind(i64::from(limit))
        .bind(LOOKED_AT_MAX)
        .bind(OF_MERCHANT_MAX)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.opened(&vault, now))
            .collect())
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    webhook_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Option<Uuid>,
    url: String,
    events: Option<Vec<String>>,
    secret: Vec<u8>,
    old_secret: Option<Vec<u8>>,
    old_secret_until: Option<Timestamp>,
    failures: i32,
    failing_since: Option<Timestamp>,
    rests_until: Option<Timestamp>,
    lease: i64,
}

impl Row {
    /// A row that this version cannot read holds nobody else up.
    fn opened(self, vault: &Vault, now: Timestamp) -> Option<Leased> {
        let id = WebhookId::from_uuid(self.webhook_id);
        let opened = self.open(vault, now);
        let told = opened.inspect_err(|error| {
            tracing::error!(webhook.id = %id, %error, "cannot send to {id}: {error}");
        });
        told.ok()
    }

    fn open(self, vault: &Vault, now: Timestamp) -> Result<Leased, Error> {
        let webhook = WebhookId::from_uuid(self.webhook_id);
        let old = self
            .old_secret
            .filter(|_| self.old_secret_until > Some(now));
        let sealed = [Some(self.secret), old].into_iter().flatten();
        let opened =
            sealed.map(|bytes| vault.open_webhook_secret(webhook, &Sealed::from_bytes(bytes)));
        Ok(Leased {
            webhook,
            side: Side {
                merchant: MerchantId::from_uuid(self.merchant_id),
                relationship: self.relationship_id.map(RelationshipId::from_uuid),
            },
            url: self.url,
            wanted: wanted(self.events)?,
            secrets: opened.collect::<Result<_, _>>().ok(),
            health: Health {
                failures: u32::try_from(self.failures).map_err(|_| Error::Inconsistent {
                    what: "webhooks.failures",
                })?,
                failing_since: self.failing_since,
                rests_until: self.rests_until,
            },
            claimed_at: now,
            lease: self.lease,
        })
    }
}
