//! The products of a merchant, newest first.

use engine::{
    catalog::{ProductKind, Status},
    ids::{MerchantId, ProductId},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::get::{About, AboutRow};
use crate::{
    Database, Error, owned,
    page::{self, NumberedPage, Page, PageNumber},
};

/// Which products to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// None named: all that are not archived.
    pub statuses: Vec<Status>,
    /// None named: all.
    pub kinds: Vec<ProductKind>,
    /// A part of the title, in any case.
    pub search: Option<String>,
}

/// A product by its id; what it is sold as, the engine knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: ProductId,
    pub about: About,
}

#[derive(sqlx::FromRow)]
struct Row {
    product_id: Uuid,
    #[sqlx(flatten)]
    about: AboutRow,
}

macro_rules! select_listed {
    ($what:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM products WHERE merchant_id = $1
               AND CASE WHEN $2::text[] = '{}' THEN status <> 'ARCHIVED' ELSE status = ANY ($2) END
               AND ($3::text[] = '{}' OR kind = ANY ($3))
               AND ($4::text IS NULL OR title ILIKE $4)",
            $rest
        )
    };
}

const PAGE: &str = select_listed!(
    "product_id, description, auto_fulfilled, low_stock_threshold, created_at, updated_at",
    " AND ($5::uuid IS NULL OR product_id < $5)
     ORDER BY merchant_id DESC, product_id DESC LIMIT $6"
);
const NUMBERED: &str = select_listed!(
    "product_id, description, auto_fulfilled, low_stock_threshold, created_at, updated_at",
    " ORDER BY merchant_id DESC, product_id DESC OFFSET $5 LIMIT $6"
);
const COUNT: &str = select_listed!("COUNT(*)", "");

/// One page, below the product `before` or from the newest.
pub async fn list(
    db: &Database,
    merchant: MerchantId,
    filter: Filter,
    before: Option<ProductId>,
    limit: u32,
) -> Result<Page<Listed>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(PAGE)
            .bind(merchant.uuid())
            .bind(filter.statuses())
            .bind(filter.kinds())
            .bind(filter.pattern())
            .bind(before.map(ProductId::uuid))
            .bind(page::asked(limit))
            .fetch_all(&mut *db.report().await?)
            .await?;
        Page::cut(rows, limit).try_map(Listed::try_from)
    })
    .await
}

/// The page with this number, and how many there are in all.
pub async fn list_numbered(
    db: &Database,
    merchant: MerchantId,
    filter: Filter,
    page: PageNumber,
) -> Result<NumberedPage<Listed>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.report().await?;
        let total = count(&mut connection, merchant, &filter).await?;
        let rows: Vec<Row> = sqlx::query_as(NUMBERED)
            .bind(merchant.uuid())
            .bind(filter.statuses())
            .bind(filter.kinds())
            .bind(filter.pattern())
            .bind(page.offset())
            .bind(i64::from(page.limit))
            .fetch_all(&mut *connection)
            .await?;
        let items = rows.into_iter().map(Listed::try_from);
        let items = items.collect::<Result<_, _>>()?;
        Ok(NumberedPage { items, total })
    })
    .await
}

async fn count(
    connection: &mut PgConnection,
    merchant: MerchantId,
    filter: &Filter,
) -> Result<u64, Error> {
    let total: i64 = sqlx::query_scalar(COUNT)
        .bind(merchant.uuid())
        .bind(filter.statuses())
        .bind(filter.kinds())
        .bind(filter.pattern())
        .fetch_one(connection)
        .await?;
    Ok(total.unsigned_abs())
}

impl TryFrom<Row> for Listed {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: ProductId::from_uuid(row.product_id),
            about: row.about.try_into()?,
        })
    }
}

impl Filter {
    fn statuses(&self) -> Vec<&'static str> {
        self.statuses.iter().map(|status| status.name()).collect()
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.kinds.iter().map(|kind| kind.name()).collect()
    }

    fn pattern(&self) -> Option<String> {
        self.search.as_deref().map(page::containing)
    }
}
