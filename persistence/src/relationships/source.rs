//! The terms of a relationship: one snapshot of everything that may allow or forbid an order.

use engine::{
    fault::Fault,
    ids::{KeyId, MerchantId, ProductId, RelationshipId, VariantId},
    relationships::{Access, Committed, DynamicUrlPolicy, KeyTerms, Mode, Source, Status, Terms},
};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error,
    catalog::source::{price, quantity},
    database::in_time,
    owned,
    relationships::rows::{named, percent},
    stock_requests::committed::committed,
};

/// Loads terms.
#[derive(Debug, Clone)]
pub struct PgRelationships {
    db: Database,
}

impl PgRelationships {
    pub const fn new(db: Database) -> Self {
        Self { db }
    }
}

impl Source for PgRelationships {
    fn find(&self, id: RelationshipId) -> BoxFuture<'_, Result<Option<Terms>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let found = in_time(async { find(&mut *db.read().await?, id).await });
            found.await.map_err(|error| error.into_fault("load terms"))
        }))
    }
}

#[derive(Debug, sqlx::FromRow)]
struct TermsRow {
    merchant_id: Uuid,
    version: i64,
    enabled: bool,
    dynamic_url_policy: String,
    status: String,
    status_reason: Option<String>,
    code: String,
    mode: String,
    discount: Option<i32>,
    program_discount: Option<i32>,
    purchase_limit_daily: Option<i64>,
    purchase_limit_monthly: Option<i64>,
}

#[derive(Debug, sqlx::FromRow)]
struct AccessRow {
    product_id: Uuid,
    variant_id: Option<Uuid>,
    wholesale_price: Option<i64>,
    min_quantity: Option<i32>,
    max_quantity: Option<i32>,
    stock_min_quantity: Option<i32>,
    stock_max_quantity: Option<i32>,
}

#[derive(Debug, sqlx::FromRow)]
struct KeyRow {
    key_id: Uuid,
    product_ids: Vec<Uuid>,
    max_quantity: Option<i32>,
    daily_spend_cap: Option<i64>,
}

/// The terms as they are now.
///
/// The version is read first: a change between the reads gives newer parts under an older version,
/// and the change's own notice then brings the newer one.
pub(crate) async fn find(
    connection: &mut PgConnection,
    id: RelationshipId,
) -> Result<Option<Terms>, Error> {
    let terms: Option<TermsRow> = sqlx::query_as(
        "SELECT r.merchant_id, r.version + p.version AS version, p.enabled, p.dynamic_url_policy,
                r.status, r.status_reason, r.code, r.mode,
                r.wholesale_discount_percent AS discount,
                p.wholesale_discount_percent AS program_discount,
                r.purchase_limit_daily, r.purchase_limit_monthly
         FROM relationships AS r
         JOIN programs AS p ON p.merchant_id = r.merchant_id
         WHERE r.relationship_id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(terms) = terms else { return Ok(None) };
    let limited = terms.purchase_limit_daily.or(terms.purchase_limit_monthly);
    // Who sets a limit loads the terms anew.
    let committed = match limited {
        Some(_) => committed(&mut *connection, id, None).await?,
        None => Committed::NONE,
    };
    let access: Vec<AccessRow> = sqlx::query_as(
        "SELECT product_id, variant_id, wholesale_price, min_quantity, max_quantity,
           stock_min_quantity, stock_max_quantity
         FROM product_access WHERE relationship_id = $1 AND revoked_at IS NULL",
    )
    .bind(id.uuid())
    .fetch_all(&mut *connection)
    .await?;
    let keys: Vec<KeyRow> = sqlx::query_as(
        "SELECT key_id, product_ids, max_quantity, daily_spend_cap FROM api_keys
         WHERE relationship_id = $1 AND revoked_at IS NULL
           AND (expires_at IS NULL OR expires_at > clock_timestamp())
           AND (retires_at IS NULL OR retires_at > clock_timestamp())
         UNION ALL
         SELECT connection_id, '{}', NULL, daily_spend_cap FROM connections
         WHERE relationship_id = $1 AND status = 'ACTIVE'",
    )
    .bind(id.uuid())
    .fetch_all(connection)
    .await?;
    Ok(Some(Terms {
        relationship: id,
        merchant: MerchantId::from_uuid(terms.merchant_id),
        version: terms.version,
        program_enabled: terms.enabled,
        dynamic_url_policy: named(
            DynamicUrlPolicy::parse(&terms.dynamic_url_policy),
            "programs.dynamic_url_policy",
        )?,
        status: named(Status::parse(&terms.status), "relationships.status")?,
        status_reason: terms.status_reason,
        code: terms.code,
        mode: named(Mode::parse(&terms.mode), "relationships.mode")?,
        discount: percent(terms.discount)?,
        program_discount: percent(terms.program_discount)?,
        purchase_limit_daily: price(terms.purchase_limit_daily)?,
        purchase_limit_monthly: price(terms.purchase_limit_monthly)?,
        committed,
        access: access.iter().map(access_of).collect::<Result<_, _>>()?,
        keys: keys.into_iter().map(key_terms).collect::<Result<_, _>>()?,
    }))
}

fn access_of(row: &AccessRow) -> Result<((ProductId, Option<VariantId>), Access), Error> {
    let sku = (
        ProductId::from_uuid(row.product_id),
        row.variant_id.map(VariantId::from_uuid),
    );
    let access = Access {
        wholesale_price: price(row.wholesale_price)?,
        min_quantity: quantity(row.min_quantity)?,
        max_quantity: quantity(row.max_quantity)?,
        stock_min_quantity: quantity(row.stock_min_quantity)?,
        stock_max_quantity: quantity(row.stock_max_quantity)?,
    };
    Ok((sku, access))
}

fn key_terms(row: KeyRow) -> Result<(KeyId, KeyTerms), Error> {
    let terms = KeyTerms {
        products: row
            .product_ids
            .into_iter()
            .map(ProductId::from_uuid)
            .collect(),
        max_quantity: quantity(row.max_quantity)?,
        daily_spend_cap: price(row.daily_spend_cap)?,
    };
    Ok((KeyId::from_uuid(row.key_id), terms))
}
