//! The listings of a relationship with what was sold by them, newest first, and what decides about one that is
//! not made yet.

use engine::{
    ids::{ListingId, ProductId, VariantId},
    listings::Facts,
};
use sqlx::PgConnection;

use super::rows::{FactsRow, Judged, Of, Row, facts_columns, facts_joins, listing_columns};
use crate::{
    Database, Error,
    fulfillments::rows::money,
    links::Brought,
    owned,
    page::{self, Page},
};

/// A listing with what was sold by it; its commission is the margin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub judged: Judged,
    pub brought: Brought,
}

const LISTED: &str = concat!(
    "SELECT ",
    listing_columns!(),
    facts_columns!(),
    ", s.sales, s.revenue, s.margin
     FROM listings AS l
     JOIN relationships AS r ON r.relationship_id = l.relationship_id
     JOIN products AS g ON g.product_id = l.product_id ",
    facts_joins!("l.variant_id"),
    "CROSS JOIN LATERAL (
       SELECT COUNT(*) AS sales,
         LEAST(COALESCE(SUM(s.amount - s.discount - s.refunded), 0), 999999999999)::bigint AS revenue,
         LEAST(COALESCE(SUM(s.commission - s.reversed), 0), 999999999999)::bigint AS margin
       FROM sales AS s WHERE s.link_id = l.listing_id
     ) AS s
     WHERE l.merchant_id = $1 AND l.relationship_id = $2
       AND ($3::uuid IS NULL OR l.listing_id = $3)
       AND ($4::uuid IS NULL OR l.listing_id < $4)
     ORDER BY l.relationship_id DESC, l.listing_id DESC LIMIT $5"
);

/// One page of listings, below the listing `before` if there is one.
pub async fn list(
    db: &Database,
    of: Of,
    before: Option<ListingId>,
    limit: u32,
) -> Result<Page<Listed>, Error> {
    let found = listed(db, of, None, before, page::asked(limit)).await?;
    Ok(Page::cut(found, limit))
}

/// One listing of this relationship.
pub async fn one(db: &Database, of: Of, id: ListingId) -> Result<Option<Listed>, Error> {
    Ok(listed(db, of, Some(id), None, 1).await?.pop())
}

async fn listed(
    db: &Database,
    (merchant, relationship): Of,
    only: Option<ListingId>,
    before: Option<ListingId>,
    limit: i64,
) -> Result<Vec<Listed>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<ListedRow> = sqlx::query_as(LISTED)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .bind(only.map(ListingId::uuid))
            .bind(before.map(ListingId::uuid))
            .bind(limit)
            .fetch_all(&mut *db.report().await?)
            .await?;
        rows.into_iter().map(Listed::try_from).collect()
    })
    .await
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    listing: Row,
    sales: i64,
    revenue: i64,
    margin: i64,
}

impl TryFrom<ListedRow> for Listed {
    type Error = Error;

    fn try_from(row: ListedRow) -> Result<Self, Error> {
        Ok(Self {
            judged: row.listing.try_into()?,
            brought: Brought {
                sales: row.sales.unsigned_abs(),
                revenue: money(row.revenue)?,
                commission: money(row.margin)?,
            },
        })
    }
}

/// What decides about a listing of this; none if the merchant sells none such.
pub async fn facts(
    db: &Database,
    of: Of,
    ware: (ProductId, Option<VariantId>),
) -> Result<Option<Facts>, Error> {
    let db = db.clone();
    owned(async move { facts_of(&mut *db.report().await?, of, ware).await }).await
}

pub(super) async fn facts_of(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    (product, variant): (ProductId, Option<VariantId>),
) -> Result<Option<Facts>, Error> {
    let row: Option<FactsRow> = sqlx::query_as(concat!(
        "SELECT ",
        facts_columns!(),
        "FROM relationships AS r JOIN products AS g ON g.merchant_id = r.merchant_id ",
        facts_joins!("$4"),
        "WHERE r.merchant_id = $1 AND r.relationship_id = $2 AND g.product_id = $3"
    ))
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(product.uuid())
    .bind(variant.map(VariantId::uuid))
    .fetch_optional(connection)
    .await?;
    row.map(|row| row.facts(variant.is_some())).transpose()
}
