//! Inventories as they are read.

use engine::{
    catalog::Sku,
    clock::Timestamp,
    ids::{BalanceId, MerchantId, ProductId, RelationshipId, SerialId, StockRequestId, VariantId},
    relationships::RelationshipScope,
    stock_requests::{Counts, Item, ItemStatus},
    vault::Sealed,
};
use futures_util::{Stream, TryStreamExt as _, stream};
use sqlx::PgConnection;
use uuid::Uuid;

use super::list::{STREAMED_AT_ONCE, read_scope};
use crate::{
    Database, Error,
    inventory::list::sealed,
    owned,
    page::{self, NumberedPage, Page, PageNumber},
    relationships::rows::named,
};

/// Which items to list; none of a field is any.
#[derive(Debug, Clone, Default)]
pub struct ItemFilter {
    pub statuses: Vec<ItemStatus>,
    pub product: Option<ProductId>,
    pub request: Option<StockRequestId>,
    /// The keyed digest of a customer's address.
    pub email: Option<[u8; 16]>,
}

/// The items of one SKU, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    pub sku: Sku,
    pub counts: Counts,
}

/// Every column of an item and the rest of the query, which names it `i` and its request `r`.
macro_rules! select_item {
    ($rest:literal) => {
        concat!(
            "SELECT i.serial_id, i.number, i.stock_request_id, i.merchant_id, i.relationship_id,
               r.balance_id, r.product_id, r.variant_id, i.status, i.email_sealed, i.email_digest,
               i.delivered_at, i.handed_over_at, i.exported_at, i.revealed_at, i.revoked_at,
               (SELECT n.successor_id FROM replacements AS n WHERE n.serial_id = i.serial_id
                  AND n.status NOT IN ('REJECTED', 'CANCELLED') AND n.status = 'ISSUED')
                 AS successor_id,
               i.created_at, i.updated_at
             FROM inventory_items AS i
             JOIN stock_requests AS r ON r.stock_request_id = i.stock_request_id ",
            $rest
        )
    };
}

pub(super) use select_item;

/// Items of a relationship.
macro_rules! of_relationship {
    () => {
        "WHERE i.merchant_id = $1 AND i.relationship_id = $2
           AND ($3::text[] = '{}' OR i.status = ANY ($3))
           AND ($4::uuid IS NULL OR r.product_id = $4)
           AND ($5::uuid IS NULL OR i.stock_request_id = $5)
           AND ($6::bytea IS NULL OR i.email_digest = $6) "
    };
}

const COUNT: &str = concat!(
    "SELECT COUNT(*) FROM inventory_items AS i
     JOIN stock_requests AS r ON r.stock_request_id = i.stock_request_id ",
    of_relationship!()
);

#[derive(sqlx::FromRow)]
pub(super) struct ItemRow {
    serial_id: Uuid,
    number: i64,
    stock_request_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Uuid,
    balance_id: i64,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    status: String,
    email_sealed: Option<Vec<u8>>,
    email_digest: Option<Vec<u8>>,
    delivered_at: Option<Timestamp>,
    handed_over_at: Option<Timestamp>,
    exported_at: Option<Timestamp>,
    revealed_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    successor_id: Option<Uuid>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ItemRow {
    fn with(self, text: Sealed) -> Result<Item, Error> {
        Ok(Item {
            serial: SerialId::from_uuid(self.serial_id),
            number: self.number,
            request: StockRequestId::from_uuid(self.stock_request_id),
            scope: RelationshipScope {
                merchant: MerchantId::from_uuid(self.merchant_id),
                relationship: RelationshipId::from_uuid(self.relationship_id),
                balance: BalanceId(self.balance_id),
                test: false,
            },
            sku: Sku {
                product: ProductId::from_uuid(self.product_id),
                variant: self.variant_id.map(VariantId::from_uuid),
            },
            sealed: text,
            status: named(ItemStatus::parse(&self.status), "inventory_items.status")?,
            email: self.email_sealed.map(Sealed::from_bytes),
            email_digest: self.email_digest.and_then(|digest| digest.try_into().ok()),
            delivered_at: self.delivered_at,
            handed_over_at: self.handed_over_at,
            exported_at: self.exported_at,
            revealed_at: self.revealed_at,
            revoked_at: self.revoked_at,
            successor: self.successor_id.map(SerialId::from_uuid),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Rows with the texts of their serials.
pub(super) async fn whole(
    db: &Database,
    merchant: MerchantId,
    rows: Vec<ItemRow>,
) -> Result<Vec<Item>, Error> {
    let serials: Vec<_> = rows
        .iter()
        .map(|row| SerialId::from_uuid(row.serial_id))
        .collect();
    let texts = sealed(db, merchant, &serials).await?;
    let items = rows.into_iter().zip(texts);
    items.map(|(row, (text, _))| row.with(text)).collect()
}

/// One page of a relationship's inventory, below this number or from the newest.
pub async fn items(
    db: &Database,
    scope: RelationshipScope,
    filter: ItemFilter,
    below: Option<i64>,
    limit: u32,
) -> Result<Page<Item>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let place = (below, page::asked(limit), 0);
        let rows = rows(&mut connection, scope, &filter, place).await?;
        drop(connection);
        let Page { items, has_more } = Page::cut(rows, limit);
        let items = whole(&db, scope.merchant, items).await?;
        Ok(Page { items, has_more })
    })
    .await
}

/// All of them, a few at a time.
pub fn stream_items(
    db: Database,
    scope: RelationshipScope,
    filter: ItemFilter,
) -> impl Stream<Item = Result<Item, Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(None), move |at| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(below) = at else {
                return Ok::<_, Error>(None);
            };
            let page = items(&db, scope, filter, below, STREAMED_AT_ONCE).await?;
            let last = page.items.last().map(|one| one.number);
            let next = page.has_more.then_some(last);
            Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
        }
    });
    pages.try_flatten()
}

/// One page by its number, with how many there are.
pub async fn numbered_items(
    db: &Database,
    scope: RelationshipScope,
    filter: ItemFilter,
    page: PageNumber,
) -> Result<NumberedPage<Item>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let place = (None, i64::from(page.limit), page.offset());
        let rows = rows(&mut connection, scope, &filter, place).await?;
        let total: i64 = sqlx::query_scalar(COUNT)
            .bind(scope.merchant.uuid())
            .bind(scope.relationship.uuid())
            .bind(filter.statuses())
            .bind(filter.product.map(ProductId::uuid))
            .bind(filter.request.map(StockRequestId::uuid))
            .bind(filter.email.as_ref().map(|digest| &digest[..]))
            .fetch_one(&mut *connection)
            .await?;
        drop(connection);
        Ok(NumberedPage {
            items: whole(&db, scope.merchant, rows).await?,
            total: total.unsigned_abs(),
        })
    })
    .await
}

async fn rows(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    filter: &ItemFilter,
    (below, limit, offset): (Option<i64>, i64, i64),
) -> Result<Vec<ItemRow>, Error> {
    Ok(sqlx::query_as(concat!(
        select_item!(""),
        of_relationship!(),
        "AND ($7::bigint IS NULL OR i.number < $7)
         ORDER BY i.relationship_id DESC, i.number DESC LIMIT $8 OFFSET $9"
    ))
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.uuid())
    .bind(filter.statuses())
    .bind(filter.product.map(ProductId::uuid))
    .bind(filter.request.map(StockRequestId::uuid))
    .bind(filter.email.as_ref().map(|digest| &digest[..]))
    .bind(below)
    .bind(limit)
    .bind(offset)
    .fetch_all(connection)
    .await?)
}

/// One item of a relationship.
pub async fn find_item(
    db: &Database,
    scope: RelationshipScope,
    serial: SerialId,
) -> Result<Option<Item>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let row = find_in(&mut connection, scope, serial).await?;
        drop(connection);
        let found = whole(&db, scope.merchant, row.into_iter().collect()).await?;
        Ok(found.into_iter().next())
    })
    .await
}

pub(super) async fn find_in(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    serial: SerialId,
) -> Result<Option<ItemRow>, Error> {
    Ok(sqlx::query_as(select_item!(
        "WHERE i.merchant_id = $1 AND i.relationship_id = $2 AND i.serial_id = $3"
    ))
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.uuid())
    .bind(serial.uuid())
    .fetch_optional(connection)
    .await?)
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    product_id: Uuid,
    variant_id: Option<Uuid>,
    available: i64,
    delivered: i64,
    revoked: i64,
    replaced: i64,
}

/// How many items of each SKU a relationship has, by what became of them.
pub async fn summary(db: &Database, scope: RelationshipScope) -> Result<Vec<Summary>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let rows: Vec<SummaryRow> = sqlx::query_as(
            "SELECT r.product_id, r.variant_id,
               COUNT(*) FILTER (WHERE i.status = 'AVAILABLE') AS available,
               COUNT(*) FILTER (WHERE i.status = 'DELIVERED') AS delivered,
               COUNT(*) FILTER (WHERE i.status = 'REVOKED') AS revoked,
               COUNT(*) FILTER (WHERE i.status = 'REPLACED') AS replaced
             FROM inventory_items AS i
             JOIN stock_requests AS r ON r.stock_request_id = i.stock_request_id
             WHERE i.merchant_id = $1 AND i.relationship_id = $2
             GROUP BY r.product_id, r.variant_id ORDER BY r.product_id, r.variant_id",
        )
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .fetch_all(&mut *connection)
        .await?;
        let summary = |row: SummaryRow| Summary {
            sku: Sku {
                product: ProductId::from_uuid(row.product_id),
                variant: row.variant_id.map(VariantId::from_uuid),
            },
            counts: Counts {
                available: row.available.unsigned_abs(),
                delivered: row.delivered.unsigned_abs(),
                revoked: row.revoked.unsigned_abs(),
                replaced: row.replaced.unsigned_abs(),
            },
        };
        Ok(rows.into_iter().map(summary).collect())
    })
    .await
}

impl ItemFilter {
    fn statuses(&self) -> Vec<&'static str> {
        self.statuses.iter().map(|status| status.name()).collect()
    }
}
