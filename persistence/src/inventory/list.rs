//! Serials as their merchant reads them, by numbered pages; and single ones, by their ids.

use engine::{
    clock::Timestamp,
    ids::{EntryId, FulfillmentId, ImportId, MerchantId, ProductId, SerialId, VariantId},
    inventory::Status,
    vault::Sealed,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error, owned,
    page::{NumberedPage, PageNumber},
};

/// Which serials to list; no status is any.
#[derive(Debug, Clone)]
pub struct Filter {
    pub merchant: MerchantId,
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub import: Option<ImportId>,
    pub statuses: Vec<Status>,
}

/// A serial and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serial {
    pub id: SerialId,
    pub variant: Option<VariantId>,
    pub sealed: Sealed,
    pub status: Status,
    /// The fulfillment that delivered it.
    pub fulfillment: Option<FulfillmentId>,
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct SerialRow {
    serial_id: Uuid,
    variant_id: Option<Uuid>,
    sealed: Vec<u8>,
    status: String,
    entry_id: Option<Uuid>,
    created_at: Timestamp,
}

/// One page, in the order of sale.
pub async fn list(
    db: &Database,
    filter: Filter,
    page: PageNumber,
) -> Result<NumberedPage<Serial>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.report().await?;
        let rows = rows(&mut connection, &filter, page).await?;
        let total = count(&mut connection, &filter).await?;
        let items = rows.into_iter().map(Serial::try_from);
        Ok(NumberedPage {
            items: items.collect::<Result<_, _>>()?,
            total,
        })
    })
    .await
}

async fn rows(
    connection: &mut PgConnection,
    filter: &Filter,
    page: PageNumber,
) -> Result<Vec<SerialRow>, sqlx::Error> {
    sqlx::query_as(concat!(
        "SELECT s.serial_id, i.variant_id, s.sealed, t.status, e.id AS entry_id, i.created_at ",
        include_str!("serials.sql"),
        " ORDER BY i.number, s.serial_id LIMIT $6 OFFSET $7",
    ))
    .bind(filter.merchant.uuid())
    .bind(filter.product.uuid())
    .bind(filter.variant.map(VariantId::uuid))
    .bind(filter.import.map(ImportId::uuid))
    .bind(filter.statuses())
    .bind(i64::from(page.limit))
    .bind(page.offset())
    .fetch_all(connection)
    .await
}

async fn count(connection: &mut PgConnection, filter: &Filter) -> Result<u64, Error> {
    let count: i64 = sqlx::query_scalar(concat!("SELECT COUNT(*) ", include_str!("serials.sql")))
        .bind(filter.merchant.uuid())
        .bind(filter.product.uuid())
        .bind(filter.variant.map(VariantId::uuid))
        .bind(filter.import.map(ImportId::uuid))
        .bind(filter.statuses())
        .fetch_one(connection)
        .await?;
    Ok(count.unsigned_abs())
}

impl Filter {
    fn statuses(&self) -> Vec<&'static str> {
        self.statuses.iter().map(|status| status.name()).collect()
    }
}

impl TryFrom<SerialRow> for Serial {
    type Error = Error;

    fn try_from(row: SerialRow) -> Result<Self, Error> {
        let status = Status::parse(&row.status).ok_or(Error::Inconsistent {
            what: "a serial without a known status",
        })?;
        Ok(Self {
            id: SerialId::from_uuid(row.serial_id),
            variant: row.variant_id.map(VariantId::from_uuid),
            sealed: Sealed::from_bytes(row.sealed),
            status,
            fulfillment: row.entry_id.map(|id| EntryId::from_uuid(id).fulfillment()),
            created_at: row.created_at,
        })
    }
}

/// The texts of these serials of a merchant, sealed, with when they were stored, in the order asked.
pub async fn sealed(
    db: &Database,
    merchant: MerchantId,
    serials: &[SerialId],
) -> Result<Vec<(Sealed, Timestamp)>, Error> {
    let db = db.clone();
    let ids: Vec<_> = serials.iter().map(|serial| serial.uuid()).collect();
    owned(async move {
        let wanted = ids.len();
        let rows: Vec<(Vec<u8>, Timestamp)> = sqlx::query_as(
            "SELECT s.sealed, i.created_at
             FROM UNNEST($1::uuid[]) WITH ORDINALITY AS asked (serial_id, place)
             JOIN serials AS s ON s.serial_id = asked.serial_id AND s.merchant_id = $2
             JOIN imports AS i ON i.import_id = (LEFT(s.serial_id::text, 28) || '00000000')::uuid
             ORDER BY asked.place",
        )
        .bind(ids)
        .bind(merchant.uuid())
        .fetch_all(&mut *db.read().await?)
        .await?;
        if rows.len() != wanted {
            return Err(Error::Inconsistent {
                what: "a claimed serial is not stored",
            });
        }
        let sealed = rows.into_iter();
        Ok(sealed
            .map(|(sealed, at)| (Sealed::from_bytes(sealed), at))
            .collect())
    })
    .await
}
