//! A relationship's rows: read whole, locked for a change, stored whole.

use std::collections::{BTreeMap, BTreeSet};

use chrono::SubsecRound as _;
use engine::{
    audit::Digest,
    clock::Timestamp,
    events::Fact,
    ids::{BalanceId, MerchantId, ProductId, RelationshipId, VariantId},
    money::{Money, Percent},
    relationships::{Grant, Mode, ProductScope, Relationship, Status, Ware},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Error, audit,
    catalog::source::{price, quantity},
    error::exactly_one,
    events::outbox,
    links,
};

/// Every column of a relationship and the rest of the query, which names it `r`.
macro_rules! select_relationship {
    ($rest:literal) => {
        concat!(
            "SELECT r.relationship_id, r.merchant_id, r.email, r.name, r.code, r.status,
               r.status_reason, r.mode, r.commission_percent, r.wholesale_discount_percent,
               r.purchase_limit_daily, r.purchase_limit_monthly, r.product_scope,
               r.notify_customer, r.accepted_at, r.suspended_at, r.terminated_at, r.version,
               r.created_at, r.updated_at FROM relationships AS r ",
            $rest
        )
    };
}
pub(super) use select_relationship;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) relationship_id: Uuid,
    merchant_id: Uuid,
    email: String,
    name: String,
    code: String,
    status: String,
    status_reason: Option<String>,
    mode: String,
    commission_percent: Option<i32>,
    wholesale_discount_percent: Option<i32>,
    purchase_limit_daily: Option<i64>,
    purchase_limit_monthly: Option<i64>,
    product_scope: String,
    notify_customer: bool,
    accepted_at: Option<Timestamp>,
    suspended_at: Option<Timestamp>,
    terminated_at: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct GrantRow {
    relationship_id: Uuid,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    revoked: bool,
    commission_percent: Option<i32>,
    wholesale_price: Option<i64>,
    auto_fulfilled: bool,
    min_resale_price: Option<i64>,
    max_resale_price: Option<i64>,
    min_quantity: Option<i32>,
    max_quantity: Option<i32>,
    stock_min_quantity: Option<i32>,
    stock_max_quantity: Option<i32>,
}

/// A relationship of this merchant, locked until the transaction ends.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    merchant: MerchantId,
    id: RelationshipId,
) -> Result<Option<Relationship>, Error> {
    let row: Option<Row> = sqlx::query_as(select_relationship!(
        "WHERE r.merchant_id = $1 AND r.relationship_id = $2 FOR UPDATE"
    ))
    .bind(merchant.uuid())
    .bind(id.uuid())
    .fetch_optional(&mut *connection)
    .await?;
    let found = whole(connection, row.into_iter().collect()).await?;
    Ok(found.into_iter().next())
}

/// Rows with their product access, in their order.
pub(super) async fn whole(
    connection: &mut PgConnection,
    rows: Vec<Row>,
) -> Result<Vec<Relationship>, Error> {
    let ids: Vec<_> = rows.iter().map(|row| row.relationship_id).collect();
    let found: Vec<GrantRow> = sqlx::query_as(
        "SELECT relationship_id, product_id, variant_id, revoked_at IS NOT NULL AS revoked,
           commission_percent, wholesale_price, auto_fulfilled, min_resale_price,
           max_resale_price, min_quantity, max_quantity, stock_min_quantity, stock_max_quantity
         FROM product_access WHERE relationship_id = ANY ($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut access: BTreeMap<Uuid, BTreeMap<Ware, Grant>> = BTreeMap::new();
    for row in found {
        let of = access.entry(row.relationship_id).or_default();
        of.insert(row.ware(), Grant::try_from(row)?);
    }
    let whole = rows.into_iter().map(|row| {
        let access = access.remove(&row.relationship_id).unwrap_or_default();
        row.with(access)
    });
    whole.collect()
}

/// Stores a new relationship, with an empty live balance.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    relationship: &Relationship,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO relationships (relationship_id, merchant_id, code, email, name, status, mode,
           version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
    )
    .bind(relationship.id.uuid())
    .bind(relationship.merchant.uuid())
    .bind(&relationship.code)
    .bind(&relationship.email)
    .bind(&relationship.name)
    .bind(relationship.status.name())
    .bind(relationship.mode.name())
    .bind(relationship.version)
    .bind(relationship.created_at)
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO balances (relationship_id, merchant_id, test) VALUES ($1, $2, false)")
        .bind(relationship.id.uuid())
        .bind(relationship.merchant.uuid())
        .execute(&mut *connection)
        .await?;
    links::insert_own(connection, relationship).await?;
    store(connection, relationship).await
}

/// Stores a relationship that is locked, and its product access.
pub(crate) async fn store(
    connection: &mut PgConnection,
    relationship: &Relationship,
) -> Result<(), Error> {
    let stored = sqlx::query(
        "UPDATE relationships SET code = $3, name = $4, status = $5, status_reason = $6, mode = $7,
           commission_percent = $8, wholesale_discount_percent = $9, purchase_limit_daily = $10,
           purchase_limit_monthly = $11, product_scope = $12, notify_customer = $13,
           accepted_at = $14, suspended_at = $15, terminated_at = $16, version = $17,
           updated_at = $18
         WHERE merchant_id = $1 AND relationship_id = $2",
    )
    .bind(relationship.merchant.uuid())
    .bind(relationship.id.uuid())
    .bind(&relationship.code)
    .bind(&relationship.name)
    .bind(relationship.status.name())
    .bind(&relationship.status_reason)
    .bind(relationship.mode.name())
    .bind(hundredths(relationship.commission))
    .bind(hundredths(relationship.discount))
    .bind(relationship.purchase_limit_daily.map(Money::minor))
    .bind(relationship.purchase_limit_monthly.map(Money::minor))
    .bind(relationship.product_scope.name())
    .bind(relationship.notify_customer)
    .bind(relationship.accepted_at)
    .bind(relationship.suspended_at)
    .bind(relationship.terminated_at)
    .bind(relationship.version)
    .bind(relationship.updated_at)
    .execute(&mut *connection)
    .await?;
    exactly_one(&stored, "a locked relationship")?;
    store_access(connection, relationship).await
}

/// Stores what differs from what is stored, in one statement: a relationship may have hundreds.
async fn store_access(
    connection: &mut PgConnection,
    relationship: &Relationship,
) -> Result<(), Error> {
    if relationship.access.is_empty() {
        return Ok(());
    }
    let wares: Vec<&Ware> = relationship.access.keys().collect();
    let grants: Vec<&Grant> = relationship.access.values().collect();
    let revoked = |grant: &&Grant| grant.revoked.then_some(relationship.updated_at);
    sqlx::query(include_str!("store_access.sql"))
        .bind(relationship.id.uuid())
        .bind(relationship.merchant.uuid())
        .bind(each(&wares, |(product, _)| product.uuid()))
        .bind(each(&wares, |(_, variant)| variant.map(VariantId::uuid)))
        .bind(grants.iter().map(revoked).collect::<Vec<_>>())
        .bind(each(&grants, |grant| hundredths(grant.commission)))
        .bind(each(&grants, |grant| {
            grant.wholesale_price.map(Money::minor)
        }))
        .bind(each(&grants, |grant| grant.auto_fulfilled))
        .bind(each(&grants, |grant| {
            grant.min_resale_price.map(Money::minor)
        }))
        .bind(each(&grants, |grant| {
            grant.max_resale_price.map(Money::minor)
        }))
        .bind(each(&grants, |grant| {
            grant.min_quantity.map(u32::cast_signed)
        }))
        .bind(each(&grants, |grant| {
            grant.max_quantity.map(u32::cast_signed)
        }))
        .bind(each(&grants, |grant| {
            grant.stock_min_quantity.map(u32::cast_signed)
        }))
        .bind(each(&grants, |grant| {
            grant.stock_max_quantity.map(u32::cast_signed)
        }))
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// One column of many rows.
fn each<Row, Value>(rows: &[&Row], column: impl Fn(&Row) -> Value) -> Vec<Value> {
    rows.iter().map(|row| column(row)).collect()
}

/// A digest over everything that is stored of a relationship but its version and its last change.
pub(crate) async fn digest(
    connection: &mut PgConnection,
    id: RelationshipId,
) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to((to_jsonb(r) - 'version' - 'updated_at')::text || COALESCE((
           SELECT jsonb_agg(to_jsonb(a) ORDER BY a.product_id, a.variant_id)::text
           FROM product_access AS a WHERE a.relationship_id = r.relationship_id), ''), 'UTF8'))
         FROM relationships AS r WHERE r.relationship_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

/// Tells that a relationship is now this.
pub(super) async fn tell(
    connection: &mut PgConnection,
    relationship: &Relationship,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::RelationshipUpdated {
        relationship: relationship.id.uuid(),
        status: relationship.status.name().to_owned(),
        mode: relationship.mode.name().to_owned(),
    };
    let of = (relationship.merchant, Some(relationship.id));
    outbox::tell(connection, of, &fact, now).await
}

/// Tells a reseller that it may sell another set of products.
pub(super) async fn tell_access(
    connection: &mut PgConnection,
    relationship: &Relationship,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::ProductAccessUpdated {
        relationship: relationship.id.uuid(),
    };
    let of = (relationship.merchant, Some(relationship.id));
    outbox::tell(connection, of, &fact, now).await
}

/// The balances of a relationship: whose actors must hear of a change.
pub(crate) async fn balances(
    connection: &mut PgConnection,
    id: RelationshipId,
) -> Result<Vec<BalanceId>, Error> {
    let found: Vec<i64> = sqlx::query_scalar(
        "SELECT balance_id FROM balances WHERE relationship_id = $1 ORDER BY balance_id",
    )
    .bind(id.uuid())
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(BalanceId).collect())
}

/// The first of these that this merchant does not sell.
pub(crate) async fn unknown_ware(
    connection: &mut PgConnection,
    merchant: MerchantId,
    named: &BTreeSet<Ware>,
) -> Result<Option<Ware>, Error> {
    let products: Vec<_> = named.iter().map(|(product, _)| product.uuid()).collect();
    let known: Vec<(Uuid, Option<Uuid>)> = sqlx::query_as(
        "SELECT product_id, NULL::uuid FROM products
         WHERE merchant_id = $1 AND product_id = ANY ($2) AND status <> 'ARCHIVED'
         UNION ALL
         SELECT v.product_id, v.variant_id FROM variants AS v
         JOIN products AS p ON p.product_id = v.product_id
         WHERE p.merchant_id = $1 AND v.product_id = ANY ($2) AND p.status <> 'ARCHIVED'",
    )
    .bind(merchant.uuid())
    .bind(products)
    .fetch_all(connection)
    .await?;
    let known: BTreeSet<Ware> = known
        .into_iter()
        .map(|(product, variant)| {
            let variant = variant.map(VariantId::from_uuid);
            (ProductId::from_uuid(product), variant)
        })
        .collect();
    Ok(named.difference(&known).next().copied())
}

/// A time as storage keeps it, so that what is answered now is what is read later.
pub(crate) fn kept(now: Timestamp) -> Timestamp {
    now.trunc_subsecs(6)
}

pub(crate) fn hundredths(percent: Option<Percent>) -> Option<i32> {
    percent.map(|percent| percent.hundredths().into())
}

pub(crate) fn percent(hundredths: Option<i32>) -> Result<Option<Percent>, Error> {
    let percent = |hundredths| Percent::from_hundredths(u16::try_from(hundredths).ok()?);
    hundredths
        .map(|hundredths| {
            percent(hundredths).ok_or(Error::Inconsistent {
                what: "a percentage",
            })
        })
        .transpose()
}

/// What a stored name stands for.
pub(crate) fn named<T>(found: Option<T>, what: &'static str) -> Result<T, Error> {
    found.ok_or(Error::Inconsistent { what })
}

impl Row {
    fn with(self, access: BTreeMap<Ware, Grant>) -> Result<Relationship, Error> {
        Ok(Relationship {
            id: RelationshipId::from_uuid(self.relationship_id),
            merchant: MerchantId::from_uuid(self.merchant_id),
            email: self.email,
            name: self.name,
            code: self.code,
            status: named(Status::parse(&self.status), "relationships.status")?,
            status_reason: self.status_reason,
            mode: named(Mode::parse(&self.mode), "relationships.mode")?,
            commission: percent(self.commission_percent)?,
            discount: percent(self.wholesale_discount_percent)?,
            purchase_limit_daily: price(self.purchase_limit_daily)?,
            purchase_limit_monthly: price(self.purchase_limit_monthly)?,
            product_scope: named(
                ProductScope::parse(&self.product_scope),
                "relationships.product_scope",
            )?,
            notify_customer: self.notify_customer,
            access,
            accepted_at: self.accepted_at,
            suspended_at: self.suspended_at,
            terminated_at: self.terminated_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl GrantRow {
    fn ware(&self) -> Ware {
        (
            ProductId::from_uuid(self.product_id),
            self.variant_id.map(VariantId::from_uuid),
        )
    }
}

impl TryFrom<GrantRow> for Grant {
    type Error = Error;

    fn try_from(row: GrantRow) -> Result<Self, Error> {
        Ok(Self {
            revoked: row.revoked,
            commission: percent(row.commission_percent)?,
            wholesale_price: price(row.wholesale_price)?,
            auto_fulfilled: row.auto_fulfilled,
            min_resale_price: price(row.min_resale_price)?,
            max_resale_price: price(row.max_resale_price)?,
            min_quantity: quantity(row.min_quantity)?,
            max_quantity: quantity(row.max_quantity)?,
            stock_min_quantity: quantity(row.stock_min_quantity)?,
            stock_max_quantity: quantity(row.stock_max_quantity)?,
        })
    }
}
