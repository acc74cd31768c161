//! What a merchant says of itself: read, and changed under a lock.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    ids::MerchantId,
    merchants::{Change, Settings},
    money::Currency,
};
use sqlx::PgConnection;

use crate::{
    Database, Error, audit,
    database::commit,
    error::exactly_one,
    owned,
    relationships::rows::{kept, named},
};

const SETTINGS: &str = "SELECT name, storefront_url, support_email, currency FROM merchants
   WHERE merchant_id = $1";
const SETTINGS_LOCKED: &str = "SELECT name, storefront_url, support_email, currency FROM merchants
   WHERE merchant_id = $1 FOR NO KEY UPDATE";

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    storefront_url: Option<String>,
    support_email: Option<String>,
    currency: String,
}

impl TryFrom<Row> for Settings {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            name: row.name,
            storefront_url: row.storefront_url,
            support_email: row.support_email,
            currency: named(Currency::parse(&row.currency), "merchants.currency")?,
        })
    }
}

/// What a merchant says of itself.
pub async fn settings(db: &Database, merchant: MerchantId) -> Result<Settings, Error> {
    let db = db.clone();
    owned(async move {
        let row: Row = sqlx::query_as(SETTINGS)
            .bind(merchant.uuid())
            .fetch_one(&mut *db.read().await?)
            .await?;
        row.try_into()
    })
    .await
}

/// Changes what it says of itself; what that is now.
pub async fn change(
    db: &Database,
    merchant: MerchantId,
    change: Change,
    (actor, now): (Actor, Timestamp),
) -> Result<Settings, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let row: Row = sqlx::query_as(SETTINGS_LOCKED)
            .bind(merchant.uuid())
            .fetch_one(&mut *tx)
            .await?;
        let before = digest(&mut tx, merchant).await?;
        let settings = Settings::try_from(row)?.changed(change);
        let stored = sqlx::query(
            "UPDATE merchants SET name = $2, storefront_url = $3, support_email = $4
             WHERE merchant_id = $1",
        )
        .bind(merchant.uuid())
        .bind(&settings.name)
        .bind(&settings.storefront_url)
        .bind(&settings.support_email)
        .execute(&mut *tx)
        .await?;
        exactly_one(&stored, "a merchant whose row is locked")?;
        let deed = Deed {
            actor,
            action: "merchant.settings".to_owned(),
            target: merchant.to_string(),
            before: Some(before),
            after: Some(digest(&mut tx, merchant).await?),
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await?;
        Ok(settings)
    })
    .await
}

/// A digest over what a merchant says of itself.
async fn digest(connection: &mut PgConnection, merchant: MerchantId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to(
           jsonb_build_array(name, storefront_url, support_email)::text, 'UTF8'))
         FROM merchants WHERE merchant_id = $1",
    )
    .bind(merchant.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}
