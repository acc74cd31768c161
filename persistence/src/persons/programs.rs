//! The programs a person is a reseller in, as that person reads them.

use engine::{
    ids::{MerchantId, PersonId, RelationshipId},
    money::{Currency, Money, Percent},
    relationships::{Mode, Status},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error,
    catalog::source::price,
    database::commit,
    error::exactly_one,
    owned,
    relationships::rows::{named, percent},
};

/// A relationship with the terms in force: its own, else the program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnProgram {
    pub relationship: RelationshipId,
    pub merchant: MerchantId,
    pub merchant_name: String,
    pub storefront_url: Option<String>,
    pub support_email: Option<String>,
    pub currency: Currency,
    pub enabled: bool,
    pub status: Status,
    pub status_reason: Option<String>,
    pub mode: Mode,
    pub code: String,
    pub commission: Option<Percent>,
    pub discount: Option<Percent>,
    pub purchase_limit_daily: Option<Money>,
    pub purchase_limit_monthly: Option<Money>,
    pub min_payout: Option<Money>,
    pub commission_hold_days: u16,
    pub terms_url: Option<String>,
    /// In which a balance may be topped up.
    pub coins: Vec<String>,
}

/// All programs of a person, the newest first.
pub async fn programs(db: &Database, person: PersonId) -> Result<Vec<OwnProgram>, Error> {
    found(db, person, None).await
}

/// One program of a person.
pub async fn program(
    db: &Database,
    person: PersonId,
    relationship: RelationshipId,
) -> Result<Option<OwnProgram>, Error> {
    Ok(found(db, person, Some(relationship)).await?.pop())
}

async fn found(
    db: &Database,
    person: PersonId,
    only: Option<RelationshipId>,
) -> Result<Vec<OwnProgram>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT r.relationship_id, r.merchant_id, m.name AS merchant_name, m.storefront_url,
               m.support_email, m.currency, p.enabled, r.status, r.status_reason, r.mode, r.code,
               COALESCE(r.commission_percent, p.commission_percent) AS commission,
               COALESCE(r.wholesale_discount_percent, p.wholesale_discount_percent) AS discount,
               r.purchase_limit_daily, r.purchase_limit_monthly, p.min_payout,
               p.commission_hold_days, p.terms_url,
               ARRAY (SELECT o.coin FROM payment_methods AS o
                      WHERE o.merchant_id = r.merchant_id AND o.enabled ORDER BY o.place) AS coins
             FROM relationships AS r
             JOIN merchants AS m ON m.merchant_id = r.merchant_id
             JOIN programs AS p ON p.merchant_id = r.merchant_id
             WHERE r.person_id = $1 AND ($2::uuid IS NULL OR r.relationship_id = $2)
             ORDER BY r.relationship_id DESC",
        )
        .bind(person.uuid())
        .bind(only.map(RelationshipId::uuid))
        .fetch_all(&mut *db.read().await?)
        .await?;
        rows.into_iter().map(OwnProgram::try_from).collect()
    })
    .await
}

/// Makes a person the reseller of a relationship that is nobody's yet.
pub async fn bind(
    db: &Database,
    person: PersonId,
    relationship: RelationshipId,
) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        bind_in(&mut tx, person, relationship).await?;
        commit(tx).await
    })
    .await
}

pub(super) async fn bind_in(
    connection: &mut PgConnection,
    person: PersonId,
    relationship: RelationshipId,
) -> Result<(), Error> {
    let bound = sqlx::query(
        "UPDATE relationships SET person_id = $1
         WHERE relationship_id = $2 AND (person_id IS NULL OR person_id = $1)",
    )
    .bind(person.uuid())
    .bind(relationship.uuid())
    .execute(connection)
    .await?;
    exactly_one(&bound, "a relationship that gets its person")
}

#[derive(sqlx::FromRow)]
struct Row {
    relationship_id: Uuid,
    merchant_id: Uuid,
    merchant_name: String,
    storefront_url: Option<String>,
    support_email: Option<String>,
    currency: String,
    enabled: bool,
    status: String,
    status_reason: Option<String>,
    mode: String,
    code: String,
    commission: Option<i32>,
    discount: Option<i32>,
    purchase_limit_daily: Option<i64>,
    purchase_limit_monthly: Option<i64>,
    min_payout: Option<i64>,
    commission_hold_days: i32,
    terms_url: Option<String>,
    coins: Vec<String>,
}

impl TryFrom<Row> for OwnProgram {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let days = u16::try_from(row.commission_hold_days).ok();
        Ok(Self {
            relationship: RelationshipId::from_uuid(row.relationship_id),
            merchant: MerchantId::from_uuid(row.merchant_id),
            merchant_name: row.merchant_name,
            storefront_url: row.storefront_url,
            support_email: row.support_email,
            currency: named(Currency::parse(&row.currency), "merchants.currency")?,
            enabled: row.enabled,
            status: named(Status::parse(&row.status), "relationships.status")?,
            status_reason: row.status_reason,
            mode: named(Mode::parse(&row.mode), "relationships.mode")?,
            code: row.code,
            commission: percent(row.commission)?,
            discount: percent(row.discount)?,
            purchase_limit_daily: price(row.purchase_limit_daily)?,
            purchase_limit_monthly: price(row.purchase_limit_monthly)?,
            min_payout: price(row.min_payout)?,
            commission_hold_days: named(days, "programs.commission_hold_days")?,
            terms_url: row.terms_url,
            coins: row.coins,
        })
    }
}
