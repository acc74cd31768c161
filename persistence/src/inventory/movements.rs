//! What came onto a product's shelves and what left them, newest first.
//!
//! Told from imports, withdrawals and claims, never from a count that is kept by hand. What one order took
//! of two variants is two movements.

use engine::{
    clock::Timestamp,
    fulfillments::OrderId,
    ids::{
        EntryId, FulfillmentId, ImportId, MerchantId, ProductId, StockRequestId, VariantId,
        WithdrawalId,
    },
};
use uuid::Uuid;

use crate::{
    Database, Error, owned,
    page::{self, Page},
};

/// What moved serials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Restock(ImportId),
    Fulfillment(FulfillmentId),
    Removal(WithdrawalId),
    Pull(WithdrawalId),
    Replacement(WithdrawalId),
    Purchase(StockRequestId),
    Sale(WithdrawalId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub cause: Cause,
    pub variant: Option<VariantId>,
    /// Below zero if they left.
    pub quantity: i64,
    pub occurred_at: Timestamp,
    /// Of an upload.
    pub label: Option<String>,
    /// Where the next page begins.
    pub place: Place,
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub at: Timestamp,
    pub id: Uuid,
}

/// Which movements to list; none of a field is any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// As the contract names them.
    pub types: Vec<&'static str>,
    pub variant: Option<VariantId>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// The names of the movements that there are.
pub const TYPES: [&str; 7] = [
    "restock",
    "reseller_fulfillment",
    "removal",
    "claim",
    "replacement",
    "reseller_stock",
    "sale",
];

#[derive(sqlx::FromRow)]
struct MovementRow {
    r#type: String,
    reference_id: Uuid,
    variant_id: Option<Uuid>,
    quantity: i64,
    occurred_at: Timestamp,
    label: Option<String>,
    /// Of a wholesale purchase that the balance paid.
    order_id: Option<String>,
}

/// One page of a product's movements.
pub async fn list(
    db: &Database,
    (merchant, product): (MerchantId, ProductId),
    filter: Filter,
    before: Option<Place>,
    limit: u32,
) -> Result<Page<Movement>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<MovementRow> = sqlx::query_as(include_str!("movements.sql"))
            .bind(merchant.uuid())
            .bind(product.uuid())
            .bind(filter.types)
            .bind(filter.variant.map(VariantId::uuid))
            .bind(filter.from)
            .bind(filter.to)
            .bind(before.map(|place| place.at))
            .bind(before.map(|place| place.id))
            .bind(page::asked(limit))
            .fetch_all(&mut *db.report().await?)
            .await?;
        Page::cut(rows, limit).try_map(Movement::try_from)
    })
    .await
}

impl TryFrom<MovementRow> for Movement {
    type Error = Error;

    fn try_from(row: MovementRow) -> Result<Self, Error> {
        let id = row.reference_id;
        let cause = match row.r#type.as_str() {
            "restock" => Cause::Restock(ImportId::from_uuid(id)),
            "reseller_fulfillment" => Cause::Fulfillment(EntryId::from_uuid(id).fulfillment()),
            "removal" => Cause::Removal(WithdrawalId::from_uuid(id)),
            "claim" => Cause::Pull(WithdrawalId::from_uuid(id)),
            "reseller_stock" => Cause::Purchase(purchase(id, row.order_id.as_deref())?),
            "sale" => Cause::Sale(WithdrawalId::from_uuid(id)),
            "replacement" => Cause::Replacement(WithdrawalId::from_uuid(id)),
            _ => {
                return Err(Error::Inconsistent {
                    what: "a movement of no known type",
                });
            }
        };
        Ok(Self {
            cause,
            variant: row.variant_id.map(VariantId::from_uuid),
            quantity: row.quantity,
            occurred_at: row.occurred_at,
            label: row.label,
            place: Place {
                at: row.occurred_at,
                id,
            },
        })
    }
}

/// The purchase that a withdrawal was made for under its id, or an entry under its order id.
fn purchase(id: Uuid, order_id: Option<&str>) -> Result<StockRequestId, Error> {
    let Some(order_id) = order_id else {
        return Ok(StockRequestId::from_uuid(id));
    };
    let found = OrderId::from_stored(order_id).stock_request();
    found.ok_or(Error::Inconsistent {
        what: "a purchase without a request",
    })
}
