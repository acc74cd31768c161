//! What became of serials that somebody asks about: found by the keyed digest of a text, or of the address
//! that they went to.

use engine::{
    clock::Timestamp,
    fulfillments::OrderId,
    ids::{
        BalanceId, EntryId, FulfillmentId, MerchantId, ProductId, RelationshipId, SerialId,
        VariantId,
    },
    inventory::Status,
    vault::{Sealed, SerialFingerprint},
};
use uuid::Uuid;

use crate::{Database, Error, owned};

/// A serial with this text. Of one that was removed and imported again there are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub serial: SerialId,
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub label: Option<String>,
    pub stored_at: Timestamp,
    pub status: Status,
    pub delivery: Option<Delivery>,
}

/// The order that it was delivered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub fulfillment: FulfillmentId,
    pub relationship: RelationshipId,
    pub balance: BalanceId,
    pub order_id: OrderId,
    pub email: Option<Sealed>,
    pub delivered_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct TraceRow {
    serial_id: Uuid,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    label: Option<String>,
    stored_at: Timestamp,
    status: String,
    entry_id: Option<Uuid>,
    relationship_id: Option<Uuid>,
    balance_id: Option<i64>,
    reference: Option<String>,
    email_sealed: Option<Vec<u8>>,
    delivered_at: Option<Timestamp>,
}

/// Every serial of the merchant with this digest, newest first.
pub async fn find(
    db: &Database,
    merchant: MerchantId,
    fingerprint: SerialFingerprint,
) -> Result<Vec<Trace>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<TraceRow> = sqlx::query_as(concat!(
            include_str!("trace.sql"),
            "WHERE s.merchant_id = $1 AND s.fingerprint = $2 ORDER BY s.serial_id DESC"
        ))
        .bind(merchant.uuid())
        .bind(&fingerprint[..])
        .fetch_all(&mut *db.report().await?)
        .await?;
        rows.into_iter().map(Trace::try_from).collect()
    })
    .await
}

/// The newest serials of the merchant that went to an address with this digest, at most so many, as far as
/// orders were stored by their customers.
pub async fn of_customer(
    db: &Database,
    merchant: MerchantId,
    digest: [u8; 16],
    limit: u32,
) -> Result<Vec<Trace>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.report().await?;
        let serials: Vec<Uuid> = sqlx::query_scalar(include_str!("customer.sql"))
            .bind(merchant.uuid())
            .bind(&digest[..])
            .bind(i64::from(limit))
            .fetch_all(&mut *connection)
            .await?;
        let rows: Vec<TraceRow> = sqlx::query_as(concat!(
            include_str!("trace.sql"),
            "WHERE s.merchant_id = $1 AND s.serial_id = ANY ($2) ORDER BY s.serial_id DESC"
        ))
        .bind(merchant.uuid())
        .bind(serials)
        .fetch_all(&mut *connection)
        .await?;
        rows.into_iter().map(Trace::try_from).collect()
    })
    .await
}

impl TryFrom<TraceRow> for Trace {
    type Error = Error;

    fn try_from(row: TraceRow) -> Result<Self, Error> {
        let status = Status::parse(&row.status).ok_or(Error::Inconsistent {
            what: "a serial without a known status",
        })?;
        let delivery = match (
            row.entry_id,
            row.relationship_id,
            row.balance_id,
            row.reference,
            row.delivered_at,
        ) {
            (Some(entry), Some(relationship), Some(balance), Some(order_id), Some(at)) => {
                Some(Delivery {
                    fulfillment: EntryId::from_uuid(entry).fulfillment(),
                    relationship: RelationshipId::from_uuid(relationship),
                    balance: BalanceId(balance),
                    order_id: OrderId::from_stored(&order_id),
                    email: row.email_sealed.map(Sealed::from_bytes),
                    delivered_at: at,
                })
            }
            _ => None,
        };
        Ok(Self {
            serial: SerialId::from_uuid(row.serial_id),
            product: ProductId::from_uuid(row.product_id),
            variant: row.variant_id.map(VariantId::from_uuid),
            label: row.label,
            stored_at: row.stored_at,
            status,
            delivery,
        })
    }
}
