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

/// Takes leases of webhooks whose turn it is, those that wait longest first.
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
            "UPDATE webhooks SET lease = lease + 1, leased_until = $2
             WHERE webhook_id IN (
               SELECT webhook_id FROM webhooks
               WHERE status = 'ACTIVE' AND due_at <= $1
                 AND (leased_until IS NULL OR leased_until <= $1)
                 AND (rests_until IS NULL OR rests_until <= $1)
               ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
             RETURNING webhook_id, merchant_id, relationship_id, url, events, secret, old_secret,
               old_secret_until, failures, failing_since, rests_until, lease",
        )
        .bind(now)
        .bind(now + TimeDelta::seconds(LEASE_SECONDS))
        .bind(i64::from(limit))
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        rows.into_iter().map(|row| row.open(&vault, now)).collect()
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
