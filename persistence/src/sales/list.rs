//! Sales of one relationship, newest first, as both sides read them.

use engine::{
    clock::Timestamp,
    ids::{MerchantId, ProductId, RelationshipId, SaleId},
    sales::{CommissionStatus, Sale, Status},
};
use futures_util::{Stream, TryStreamExt as _, stream};

use super::rows::{Row, select_sale};
use crate::{
    Database, Error,
    database::ReadScope,
    owned,
    page::{self, NumberedPage, Page, PageNumber},
};

/// Rows that an export reads at once.
const EXPORTED_AT_ONCE: u32 = 500;

/// Which sales to list; none of a field is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub statuses: Vec<Status>,
    pub commissions: Vec<CommissionStatus>,
    pub product: Option<ProductId>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// One page, below the sale `before` or from the newest.
pub async fn list(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
    filter: Filter,
    before: Option<SaleId>,
    limit: u32,
) -> Result<Page<Sale>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(PAGE)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .bind(filter.statuses())
            .bind(filter.commissions())
            .bind(filter.product.map(ProductId::uuid))
            .bind(filter.from)
            .bind(filter.to)
            .bind(before.map(SaleId::uuid))
            .bind(page::asked(limit))
            .fetch_all(&mut *db.scoped(scope(merchant, relationship)).await?)
            .await?;
        Page::cut(rows, limit).try_map(Sale::try_from)
    })
    .await
}

/// The page with this number, and how many there are in all.
pub async fn list_numbered(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
    filter: Filter,
    page: PageNumber,
) -> Result<NumberedPage<Sale>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(scope(merchant, relationship)).await?;
        let total: i64 = sqlx::query_scalar(COUNT)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .bind(filter.statuses())
            .bind(filter.commissions())
            .bind(filter.product.map(ProductId::uuid))
            .bind(filter.from)
            .bind(filter.to)
            .fetch_one(&mut *connection)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(NUMBERED)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .bind(filter.statuses())
            .bind(filter.commissions())
            .bind(filter.product.map(ProductId::uuid))
            .bind(filter.from)
            .bind(filter.to)
            .bind(page.offset())
            .bind(i64::from(page.limit))
            .fetch_all(&mut *connection)
            .await?;
        let items = rows.into_iter().map(Sale::try_from);
        Ok(NumberedPage {
            items: items.collect::<Result<_, _>>()?,
            total: total.unsigned_abs(),
        })
    })
    .await
}

/// All of them, a few at a time.
pub fn stream(
    db: Database,
    of: (MerchantId, RelationshipId),
    filter: Filter,
) -> impl Stream<Item = Result<Sale, Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(None), move |at| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(before) = at else { return Ok(None) };
            let page = list(&db, of, filter, before, EXPORTED_AT_ONCE).await?;
            let last = page.items.last().map(|sale| sale.id);
            let next = page.has_more.then_some(last);
            let items = page.items.into_iter().map(Ok::<_, Error>);
            Ok::<_, Error>(Some((stream::iter(items), next)))
        }
    });
    pages.try_flatten()
}

const PAGE: &str = select_sale!(
    "WHERE s.merchant_id = $1 AND s.relationship_id = $2
       AND ($3::text[] = '{}' OR s.status = ANY ($3))
       AND ($4::text[] = '{}' OR s.commission_status = ANY ($4))
       AND ($5::uuid IS NULL OR s.product_id = $5)
       AND ($6::timestamptz IS NULL OR s.sold_at >= $6)
       AND ($7::timestamptz IS NULL OR s.sold_at < $7)
       AND ($8::uuid IS NULL OR s.sale_id < $8)
     ORDER BY s.relationship_id DESC, s.sale_id DESC LIMIT $9"
);
const NUMBERED: &str = select_sale!(
    "WHERE s.merchant_id = $1 AND s.relationship_id = $2
       AND ($3::text[] = '{}' OR s.status = ANY ($3))
       AND ($4::text[] = '{}' OR s.commission_status = ANY ($4))
       AND ($5::uuid IS NULL OR s.product_id = $5)
       AND ($6::timestamptz IS NULL OR s.sold_at >= $6)
       AND ($7::timestamptz IS NULL OR s.sold_at < $7)
     ORDER BY s.relationship_id DESC, s.sale_id DESC OFFSET $8 LIMIT $9"
);
const COUNT: &str = "SELECT COUNT(*) FROM sales AS s
     WHERE s.merchant_id = $1 AND s.relationship_id = $2
       AND ($3::text[] = '{}' OR s.status = ANY ($3))
       AND ($4::text[] = '{}' OR s.commission_status = ANY ($4))
       AND ($5::uuid IS NULL OR s.product_id = $5)
       AND ($6::timestamptz IS NULL OR s.sold_at >= $6)
       AND ($7::timestamptz IS NULL OR s.sold_at < $7)";

fn scope(merchant: MerchantId, relationship: RelationshipId) -> ReadScope {
    ReadScope {
        merchant,
        relationship: Some(relationship),
    }
}

impl Filter {
    fn statuses(&self) -> Vec<&'static str> {
        self.statuses.iter().map(|status| status.name()).collect()
    }

    fn commissions(&self) -> Vec<&'static str> {
        self.commissions
            .iter()
            .map(|status| status.name())
            .collect()
    }
}
