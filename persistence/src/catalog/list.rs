//! Which products a reseller may see, or a merchant has, newest first.
//!
//! Keeps: a list names products and nothing that an order is checked against. What they cost and
//! whether they are sold is asked of the engine, so that no list shows a price that is not in force.

use engine::{
    clock::Timestamp,
    ids::{MerchantId, ProductId, RelationshipId},
};
use uuid::Uuid;

use crate::{
    Database, Error, owned,
    page::{self, NumberedPage, Page, PageNumber},
};

/// Whose products: those of a merchant, or those of them to which a relationship has access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogScope {
    pub merchant: MerchantId,
    pub relationship: Option<RelationshipId>,
}

/// Which products to list. Archived ones never are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of the title, in any case.
    pub search: Option<String>,
    /// Only active products of serials.
    pub sellable: bool,
}

/// A product, and when it was made and last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    pub product: ProductId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The products of a scope, $1 and $2, that a filter, $3 and $4, lets pass: what to select, and the
/// rest of the query.
macro_rules! products {
    ($select:literal, $rest:literal) => {
        concat!(
            $select,
            " FROM products AS p
             WHERE p.merchant_id = $1 AND p.status <> 'ARCHIVED'
               AND ($2::uuid IS NULL OR EXISTS (
                 SELECT FROM product_access AS a WHERE a.relationship_id = $2
                   AND a.product_id = p.product_id AND a.revoked_at IS NULL))
               AND ($3::text IS NULL OR p.title ILIKE $3)
               AND (NOT $4 OR (p.status = 'ACTIVE' AND p.kind = 'SERIALS')) ",
            $rest
        )
    };
}
/// One page of products, below the product `before` or from the newest.
pub async fn list(
    db: &Database,
    scope: CatalogScope,
    filter: Filter,
    before: Option<ProductId>,
    limit: u32,
) -> Result<Page<Listed>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(products!(
            "SELECT p.product_id, p.created_at, p.updated_at",
            "AND ($5::uuid IS NULL OR p.product_id < $5)
             ORDER BY p.merchant_id DESC, p.product_id DESC LIMIT $6"
        ))
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.map(RelationshipId::uuid))
        .bind(filter.pattern())
        .bind(filter.sellable)
        .bind(before.map(ProductId::uuid))
        .bind(page::asked(limit))
        .fetch_all(&mut *db.read().await?)
        .await?;
        Ok(Page::cut(
            rows.into_iter().map(Listed::from).collect(),
            limit,
        ))
    })
    .await
}

/// The page with this number, and how many products there are in all.
pub async fn list_numbered(
    db: &Database,
    scope: CatalogScope,
    filter: Filter,
    page: PageNumber,
) -> Result<NumberedPage<Listed>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let total: i64 = sqlx::query_scalar(products!("SELECT COUNT(*)", ""))
            .bind(scope.merchant.uuid())
            .bind(scope.relationship.map(RelationshipId::uuid))
            .bind(filter.pattern())
            .bind(filter.sellable)
            .fetch_one(&mut *connection)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(products!(
            "SELECT p.product_id, p.created_at, p.updated_at",
            "ORDER BY p.merchant_id DESC, p.product_id DESC OFFSET $5 LIMIT $6"
        ))
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.map(RelationshipId::uuid))
        .bind(filter.pattern())
        .bind(filter.sellable)
        .bind(page.offset())
        .bind(i64::from(page.limit))
        .fetch_all(&mut *connection)
        .await?;
        let items = rows.into_iter().map(Listed::from).collect();
        Ok(NumberedPage {
            items,
            total: total.unsigned_abs(),
        })
    })
    .await
}

/// One product of the scope, archived or not.
pub async fn find(
    db: &Database,
    scope: CatalogScope,
    product: ProductId,
) -> Result<Option<Listed>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(
            "SELECT p.product_id, p.created_at, p.updated_at FROM products AS p
             WHERE p.merchant_id = $1 AND p.product_id = $3
               AND ($2::uuid IS NULL OR EXISTS (
                 SELECT FROM product_access AS a WHERE a.relationship_id = $2
                   AND a.product_id = p.product_id AND a.revoked_at IS NULL))",
        )
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.map(RelationshipId::uuid))
        .bind(product.uuid())
        .fetch_optional(&mut *db.read().await?)
        .await?;
        Ok(row.map(Listed::from))
    })
    .await
}

impl Filter {
    /// The search as a pattern in which the caller's own signs mean themselves.
    fn pattern(&self) -> Option<String> {
        self.search.as_deref().map(page::containing)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    product_id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Row> for Listed {
    fn from(row: Row) -> Self {
        Self {
            product: ProductId::from_uuid(row.product_id),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
