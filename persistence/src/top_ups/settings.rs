//! What a reseller set about its balance: read with what became of it, saved as a whole.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, RelationshipId},
    money::Money,
    payments::Coin,
    relationships::RelationshipScope,
    top_ups::{Alert, Automatic, Refusal, may_set},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{open::facts, rows};
use crate::{
    Database, Error, audit,
    catalog::source::price,
    database::commit,
    owned,
    relationships::rows::{kept, named},
};

/// What is set; nothing, where nobody set anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    pub alert: Alert,
    pub automatic: Option<Automatic>,
    /// No automatic invoice is opened any more: too many were not paid.
    pub paused: bool,
    /// The automatic invoice that waits for money.
    pub waits: Option<InvoiceId>,
}

/// The settings of a relationship. Test mode has none.
pub async fn settings(db: &Database, scope: RelationshipScope) -> Result<Settings, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(
            "SELECT s.low_threshold, s.low_hours, s.auto_enabled, s.auto_threshold, s.auto_amount,
               s.auto_coin, s.auto_paused,
               (SELECT i.invoice_id FROM invoices AS i
                WHERE i.relationship_id = s.relationship_id AND i.origin = 'AUTO'
                  AND i.status IN ('OPEN', 'CONFIRMING')) AS waits
             FROM balance_settings AS s
             WHERE s.merchant_id = $1 AND s.relationship_id = $2 AND NOT $3",
        )
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(scope.test)
        .fetch_optional(&mut *db.report().await?)
        .await?;
        row.map_or_else(|| Ok(Settings::default()), Settings::try_from)
    })
    .await
}

/// Saves these in the place of what was set, and forgets what was not paid; or says why not. None if
/// there is no such relationship.
pub async fn save(
    db: &Database,
    of: (MerchantId, RelationshipId),
    (alert, automatic): (Alert, Option<Automatic>),
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<(), Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        if rows::lock_balance(&mut tx, of).await?.is_none() {
            return Ok(None);
        }
        let coin = automatic.as_ref().map(|automatic| &automatic.coin);
        let facts = facts(&mut tx, of, coin, now).await?;
        if let Err(refusal) = may_set(&facts, automatic.as_ref()) {
            return Ok(Some(Err(refusal)));
        }
        let before = digest(&mut tx, of.1).await?;
        store(&mut tx, of, alert, automatic.as_ref(), now).await?;
        let deed = Deed {
            actor,
            action: "balance.settings".to_owned(),
            target: of.1.to_string(),
            before,
            after: digest(&mut tx, of.1).await?,
            at: now,
        };
        audit::append(&mut tx, of.0, deed).await?;
        commit(tx).await?;
        Ok(Some(Ok(())))
    })
    .await
}

async fn store(
    connection: &mut PgConnection,
    (merchant, relationship): (MerchantId, RelationshipId),
    alert: Alert,
    automatic: Option<&Automatic>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO balance_settings (relationship_id, merchant_id, low_threshold, low_hours,
           auto_enabled, auto_threshold, auto_amount, auto_coin, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT ON CONSTRAINT balance_settings_pkey DO UPDATE SET
           low_threshold = EXCLUDED.low_threshold, low_hours = EXCLUDED.low_hours,
           low_told = false, auto_enabled = EXCLUDED.auto_enabled,
           auto_threshold = EXCLUDED.auto_threshold, auto_amount = EXCLUDED.auto_amount,
           auto_coin = EXCLUDED.auto_coin, auto_expired = 0, auto_paused = false,
           auto_not_before = NULL, auto_version = 0, updated_at = EXCLUDED.updated_at",
    )
    .bind(relationship.uuid())
    .bind(merchant.uuid())
    .bind(alert.threshold.map(Money::minor))
    .bind(alert.hours.map(i32::from))
    .bind(automatic.is_some_and(|automatic| automatic.enabled))
    .bind(automatic.map(|automatic| automatic.threshold.minor()))
    .bind(automatic.map(|automatic| automatic.amount.minor()))
    .bind(automatic.map(|automatic| automatic.coin.as_str()))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// A digest over what is set; none if nothing is.
async fn digest(
    connection: &mut PgConnection,
    relationship: RelationshipId,
) -> Result<Option<Digest>, Error> {
    let sum: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT sha256(convert_to((to_jsonb(s) - 'updated_at')::text, 'UTF8'))
         FROM balance_settings AS s WHERE s.relationship_id = $1",
    )
    .bind(relationship.uuid())
    .fetch_optional(connection)
    .await?;
    sum.map(audit::digest).transpose()
}

#[derive(sqlx::FromRow)]
struct Row {
    low_threshold: Option<i64>,
    low_hours: Option<i32>,
    auto_enabled: bool,
    auto_threshold: Option<i64>,
    auto_amount: Option<i64>,
    auto_coin: Option<String>,
    auto_paused: bool,
    waits: Option<Uuid>,
}

/// The columns of an alert.
pub(super) fn alert(threshold: Option<i64>, hours: Option<i32>) -> Result<Alert, Error> {
    let hours = hours.map(|hours| named(u16::try_from(hours).ok(), "balance_settings.low_hours"));
    Ok(Alert {
        threshold: price(threshold)?,
        hours: hours.transpose()?,
    })
}

/// The columns of automatic top-ups; none if they were never set.
pub(super) fn automatic(
    enabled: bool,
    (threshold, amount): (Option<i64>, Option<i64>),
    coin: Option<String>,
) -> Result<Option<Automatic>, Error> {
    let set = price(threshold)?.zip(price(amount)?).zip(coin);
    let Some(((threshold, amount), coin)) = set else {
        return Ok(None);
    };
    Ok(Some(Automatic {
        enabled,
        threshold,
        amount,
        coin: named(Coin::parse(&coin), "balance_settings.auto_coin")?,
    }))
}

impl TryFrom<Row> for Settings {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let amounts = (row.auto_threshold, row.auto_amount);
        Ok(Self {
            alert: alert(row.low_threshold, row.low_hours)?,
            automatic: automatic(row.auto_enabled, amounts, row.auto_coin)?,
            paused: row.auto_paused,
            waits: row.waits.map(InvoiceId::from_uuid),
        })
    }
}
