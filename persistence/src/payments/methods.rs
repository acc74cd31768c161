//! A merchant's payment methods: replaced as a whole, read in the merchant's own order.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    ids::MerchantId,
    payments::{Coin, Method, ProviderKind},
};
use sqlx::PgConnection;

use crate::{Database, Error, audit, database::commit, owned, relationships::rows::named};

/// All methods of a merchant; the disabled ones too, unless only those that may be used are wanted.
pub async fn list(
    db: &Database,
    merchant: MerchantId,
    enabled_only: bool,
) -> Result<Vec<Method>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT coin, provider, enabled, instructions FROM payment_methods
             WHERE merchant_id = $1 AND (enabled OR NOT $2) ORDER BY place",
        )
        .bind(merchant.uuid())
        .bind(enabled_only)
        .fetch_all(&mut *db.read().await?)
        .await?;
        rows.into_iter().map(Method::try_from).collect()
    })
    .await
}

/// Puts these in the place of all methods that there are. Invoices keep what they were opened with.
pub async fn replace(
    db: &Database,
    merchant: MerchantId,
    methods: Vec<Method>,
    actor: Actor,
    now: Timestamp,
) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        // Who replaces at the same time waits here.
        sqlx::query("SELECT FROM programs WHERE merchant_id = $1 FOR NO KEY UPDATE")
            .bind(merchant.uuid())
            .fetch_one(&mut *tx)
            .await?;
        let before = digest(&mut tx, merchant).await?;
        store(&mut tx, merchant, &methods).await?;
        let deed = Deed {
            actor,
            action: "payment_methods.replace".to_owned(),
            target: merchant.to_string(),
            before: Some(before),
            after: Some(digest(&mut tx, merchant).await?),
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await
    })
    .await
}

async fn store(
    connection: &mut PgConnection,
    merchant: MerchantId,
    methods: &[Method],
) -> Result<(), Error> {
    sqlx::query("DELETE FROM payment_methods WHERE merchant_id = $1")
        .bind(merchant.uuid())
        .execute(&mut *connection)
        .await?;
    for (place, method) in (0_i32..).zip(methods) {
        sqlx::query(
            "INSERT INTO payment_methods (merchant_id, coin, place, provider, enabled, instructions)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(merchant.uuid())
        .bind(method.coin.as_str())
        .bind(place)
        .bind(method.provider.name())
        .bind(method.enabled)
        .bind(&method.instructions)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A digest over all methods of a merchant.
async fn digest(connection: &mut PgConnection, merchant: MerchantId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to(COALESCE(jsonb_agg(to_jsonb(m) ORDER BY m.place), '[]')::text,
           'UTF8'))
         FROM payment_methods AS m WHERE m.merchant_id = $1",
    )
    .bind(merchant.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

#[derive(sqlx::FromRow)]
struct Row {
    coin: String,
    provider: String,
    enabled: bool,
    instructions: String,
}

impl TryFrom<Row> for Method {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let provider = ProviderKind::parse(&row.provider);
        Ok(Self {
            coin: named(Coin::parse(&row.coin), "payment_methods.coin")?,
            provider: named(provider, "payment_methods.provider")?,
            enabled: row.enabled,
            instructions: row.instructions,
        })
    }
}
