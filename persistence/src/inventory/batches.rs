//! Uploads with what became of their serials, and whom a bad one reaches.

use engine::{
    clock::Timestamp,
    ids::{EntryId, FulfillmentId, ImportId, MerchantId, ProductId, RelationshipId, VariantId},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error, owned,
    page::{self, Page},
};

/// Most fulfillments that a batch names.
pub const NAMED_MAX: i64 = 1000;

/// An upload and its serials, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub id: ImportId,
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub label: Option<String>,
    pub created_at: Timestamp,
    pub counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub serials: u64,
    pub available: u64,
    /// Without those that turned out bad.
    pub sold: u64,
    pub burned: u64,
    pub pulled: u64,
    pub removed: u64,
    pub quarantined: u64,
}

/// Who got serials of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// The newest of them.
    pub fulfillments: Vec<FulfillmentId>,
    pub fulfillment_count: u64,
    pub resellers: Vec<ReachedReseller>,
}

/// A reseller with how many serials of a batch it got, and how many of those turned out bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReachedReseller {
    pub id: RelationshipId,
    pub units: u64,
    pub burned: u64,
}

#[derive(sqlx::FromRow)]
struct BatchRow {
    import_id: Uuid,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    label: Option<String>,
    serials: i32,
    created_at: Timestamp,
    sold: i64,
    quarantined: i64,
    removed: i64,
    pulled: i64,
    burned: i64,
}

/// One page, below the batch `before` or from the newest.
pub async fn list(
    db: &Database,
    merchant: MerchantId,
    product: Option<ProductId>,
    before: Option<ImportId>,
    limit: u32,
) -> Result<Page<Batch>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<BatchRow> = sqlx::query_as(include_str!("batches.sql"))
            .bind(merchant.uuid())
            .bind(product.map(ProductId::uuid))
            .bind(before.map(ImportId::uuid))
            .bind(None::<Uuid>)
            .bind(page::asked(limit))
            .fetch_all(&mut *db.report().await?)
            .await?;
        Page::cut(rows, limit).try_map(Batch::try_from)
    })
    .await
}

/// One batch and whom it reached.
pub async fn find(
    db: &Database,
    merchant: MerchantId,
    import: ImportId,
) -> Result<Option<(Batch, Reached)>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.report().await?;
        let row: Option<BatchRow> = sqlx::query_as(include_str!("batches.sql"))
            .bind(merchant.uuid())
            .bind(None::<Uuid>)
            .bind(None::<Uuid>)
            .bind(import.uuid())
            .bind(1_i64)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let reached = reached(&mut connection, import).await?;
        Ok(Some((Batch::try_from(row)?, reached)))
    })
    .await
}

async fn reached(connection: &mut PgConnection, import: ImportId) -> Result<Reached, Error> {
    let (first, last) = (import.serial(0).uuid(), import.serial(u32::MAX).uuid());
    let resellers: Vec<(Uuid, i64, i64, i64)> = sqlx::query_as(
        "SELECT b.relationship_id, SUM(sold.units)::bigint, COUNT(*), SUM(sold.burned)::bigint
         FROM (SELECT c.balance_id, c.version, COUNT(*) AS units, COUNT(r.serial_id) AS burned
               FROM serial_claims AS c
               LEFT JOIN replacements AS r ON r.serial_id = c.serial_id
                 AND r.status NOT IN ('REJECTED', 'CANCELLED') AND r.status IN ('ISSUED', 'CREDITED')
               WHERE c.serial_id >= $1 AND c.serial_id <= $2 AND c.kind = 1
               GROUP BY c.balance_id, c.version) AS sold
         JOIN balances AS b ON b.balance_id = sold.balance_id
         GROUP BY b.relationship_id ORDER BY b.relationship_id",
    )
    .bind(first)
    .bind(last)
    .fetch_all(&mut *connection)
    .await?;
    let fulfillments: Vec<Uuid> = sqlx::query_scalar(
        "SELECT e.id
         FROM (SELECT DISTINCT c.balance_id, c.version FROM serial_claims AS c
               WHERE c.serial_id >= $1 AND c.serial_id <= $2 AND c.kind = 1) AS sold
         JOIN ledger_entries AS e ON e.balance_id = sold.balance_id AND e.version = sold.version
         ORDER BY e.id DESC LIMIT $3",
    )
    .bind(first)
    .bind(last)
    .bind(NAMED_MAX)
    .fetch_all(connection)
    .await?;
    let count: u64 = resellers
        .iter()
        .map(|(_, _, count, _)| count.unsigned_abs())
        .sum();
    let reseller = |(id, units, _, burned): &(Uuid, i64, i64, i64)| ReachedReseller {
        id: RelationshipId::from_uuid(*id),
        units: units.unsigned_abs(),
        burned: burned.unsigned_abs(),
    };
    let fulfillment = |id| EntryId::from_uuid(id).fulfillment();
    Ok(Reached {
        fulfillments: fulfillments.into_iter().map(fulfillment).collect(),
        fulfillment_count: count,
        resellers: resellers.iter().map(reseller).collect(),
    })
}

impl TryFrom<BatchRow> for Batch {
    type Error = Error;

    fn try_from(row: BatchRow) -> Result<Self, Error> {
        let inconsistent = || Error::Inconsistent {
            what: "more claims than serials, or more bad ones than sold",
        };
        let claimed = row.sold + row.quarantined + row.removed + row.pulled;
        let available = u64::try_from(i64::from(row.serials) - claimed);
        Ok(Self {
            id: ImportId::from_uuid(row.import_id),
            product: ProductId::from_uuid(row.product_id),
            variant: row.variant_id.map(VariantId::from_uuid),
            label: row.label,
            created_at: row.created_at,
            counts: Counts {
                serials: u64::from(row.serials.unsigned_abs()),
                available: available.map_err(|_| inconsistent())?,
                sold: u64::try_from(row.sold - row.burned).map_err(|_| inconsistent())?,
                burned: row.burned.unsigned_abs(),
                pulled: row.pulled.unsigned_abs(),
                removed: row.removed.unsigned_abs(),
                quarantined: row.quarantined.unsigned_abs(),
            },
        })
    }
}
