//! What a mail says of a fact: how things are now, read when it is written.
//!
//! Keeps: no serial, no secret and no customer's address is read here; of what is not there any more, and of what
//! was only tried out, nothing is said.

use engine::{
    clock::Timestamp,
    events::{Fact, ShelfChanged},
    ids::{InvoiceId, ReplacementId, StockRequestId},
    notifications::Whom,
    stock_requests::{RequestedBy, Status},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, relationships::rows::named};

/// One thing that a mail names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum About {
    /// A wholesale purchase, and where it stands.
    Request {
        id: StockRequestId,
        reseller: String,
        title: String,
        quantity: u32,
        status: &'static str,
    },
    /// Serials of a purchase that were taken back.
    Revoked {
        id: StockRequestId,
        title: String,
        items: u32,
    },
    /// A replacement that waits for the merchant.
    Replacement {
        id: ReplacementId,
        reseller: String,
        title: String,
        reason: String,
    },
    /// A shelf that is low or empty.
    Shelf { title: String, stock: u64 },
    /// Something that a reseller sells, and whether there is any of it.
    Sold { title: String, in_stock: bool },
    /// A customer who paid and waits for stock.
    Invoice {
        id: InvoiceId,
        title: String,
        quantity: u32,
    },
    /// A reseller who says who it is.
    Verification { reseller: String },
    /// A key, and what happened to it.
    Key {
        name: String,
        last4: String,
        happened: Happened,
    },
}

/// What happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happened {
    Made,
    /// It was sent in an address.
    Exposed,
    Revoked(Timestamp),
}

/// What is said of a fact; none if there is nothing to say any more.
pub(super) async fn read(
    connection: &mut PgConnection,
    whom: Whom,
    fact: &Fact,
) -> Result<Option<About>, Error> {
    match fact {
        Fact::StockRequestUpdated(step) => request(connection, whom, step.request).await,
        Fact::InventoryRevoked(taken) => {
            let title = purchased(connection, taken.request).await?;
            Ok(title.map(|title| About::Revoked {
                id: StockRequestId::from_uuid(taken.request),
                title,
                items: taken.items,
            }))
        }
        Fact::ReplacementUpdated { replacement, .. } => asked(connection, *replacement).await,
        Fact::ProductStock(shelf) if whom == Whom::Reseller => sold(connection, shelf).await,
        Fact::ProductStock(shelf) => {
            let title = title(connection, (shelf.product, shelf.variant)).await?;
            let stock = shelf.stock;
            Ok(title.map(|title| About::Shelf { title, stock }))
        }
        Fact::InvoiceAwaitingStock(waiting) => {
            let title = title(connection, (waiting.product, waiting.variant)).await?;
            Ok(title.map(|title| About::Invoice {
                id: InvoiceId::from_uuid(waiting.invoice),
                title,
                quantity: waiting.quantity,
            }))
        }
        Fact::VerificationUpdated(step) => {
            let code: Option<String> = sqlx::query_scalar(
                "SELECT r.code FROM relationships AS r
                 JOIN verifications AS v ON v.relationship_id = r.relationship_id
                 WHERE r.relationship_id = $1 AND v.status = 'SUBMITTED'",
            )
            .bind(step.relationship)
            .fetch_optional(connection)
            .await?;
            Ok(code.map(|reseller| About::Verification { reseller }))
        }
        Fact::KeyCreated { key: id, .. } | Fact::KeyRevoked { key: id, .. } => {
            key(connection, *id, Happened::Made).await
        }
        Fact::KeyExposed { key: id, .. } => key(connection, *id, Happened::Exposed).await,
        // Of nothing else a mail is asked for.
        _ => Ok(None),
    }
}

/// The name of what is sold, with its variant's.
async fn title(
    connection: &mut PgConnection,
    (product, variant): (Uuid, Option<Uuid>),
) -> Result<Option<String>, Error> {
    Ok(sqlx::query_scalar(
        "SELECT CONCAT_WS(', ', p.title, v.title) FROM products AS p
         LEFT JOIN variants AS v ON v.product_id = p.product_id AND v.variant_id = $2
         WHERE p.product_id = $1",
    )
    .bind(product)
    .bind(variant)
    .fetch_optional(connection)
    .await?)
}

/// What ran out and is back by now is no news, nor what is not on sale any more.
async fn sold(connection: &mut PgConnection, shelf: &ShelfChanged) -> Result<Option<About>, Error> {
    let in_stock = shelf.change == "BACK";
    let title: Option<String> = sqlx::query_scalar(
        "SELECT CONCAT_WS(', ', p.title, v.title) FROM products AS p
         JOIN shelf_levels AS l ON l.shelf_id = COALESCE($2, p.product_id)
         LEFT JOIN variants AS v ON v.product_id = p.product_id AND v.variant_id = $2
         WHERE p.product_id = $1 AND p.status = 'ACTIVE' AND COALESCE(v.status, 'ACTIVE') = 'ACTIVE'
           AND (l.level <> 'OUT') = $3",
    )
    .bind(shelf.product)
    .bind(shelf.variant)
    .bind(in_stock)
    .fetch_optional(connection)
    .await?;
    Ok(title.map(|title| About::Sold { title, in_stock }))
}

async fn purchased(connection: &mut PgConnection, request: Uuid) -> Result<Option<String>, Error> {
    let sku: Option<(Uuid, Option<Uuid>)> = sqlx::query_as(
        "SELECT product_id, variant_id FROM stock_requests WHERE stock_request_id = $1",
    )
    .bind(request)
    .fetch_optional(&mut *connection)
    .await?;
    match sku {
        Some(sku) => title(connection, sku).await,
        None => Ok(None),
    }
}

#[derive(sqlx::FromRow)]
struct RequestRow {
    code: String,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    quantity: i32,
    requested_by: String,
    status: String,
}

/// The merchant hears of what resellers want, not of what it did itself.
async fn request(
    connection: &mut PgConnection,
    whom: Whom,
    request: Uuid,
) -> Result<Option<About>, Error> {
    let row: Option<RequestRow> = sqlx::query_as(
        "SELECT r.code, q.product_id, q.variant_id, q.quantity, q.requested_by, q.status
         FROM stock_requests AS q JOIN relationships AS r ON r.relationship_id = q.relationship_id
         WHERE q.stock_request_id = $1",
    )
    .bind(request)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let by = named(
        RequestedBy::parse(&row.requested_by),
        "stock_requests.requested_by",
    )?;
    if whom == Whom::Merchant && by == RequestedBy::Merchant {
        return Ok(None);
    }
    let status = named(Status::parse(&row.status), "stock_requests.status")?;
    let title = title(connection, (row.product_id, row.variant_id)).await?;
    Ok(title.map(|title| About::Request {
        id: StockRequestId::from_uuid(request),
        reseller: row.code,
        title,
        quantity: row.quantity.unsigned_abs(),
        status: status.told(),
    }))
}

#[derive(sqlx::FromRow)]
struct AskedRow {
    code: String,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    reason: String,
}

async fn asked(connection: &mut PgConnection, replacement: Uuid) -> Result<Option<About>, Error> {
    let row: Option<AskedRow> = sqlx::query_as(
        "SELECT r.code, p.product_id, p.variant_id, p.reason
         FROM replacements AS p JOIN relationships AS r ON r.relationship_id = p.relationship_id
         WHERE p.replacement_id = $1 AND p.status = 'REQUESTED' AND NOT p.test",
    )
    .bind(replacement)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let title = title(connection, (row.product_id, row.variant_id)).await?;
    Ok(title.map(|title| About::Replacement {
        id: ReplacementId::from_uuid(replacement),
        reseller: row.code,
        title,
        reason: row.reason,
    }))
}

/// Of a key that is revoked by now only that is said.
async fn key(
    connection: &mut PgConnection,
    key: Uuid,
    happened: Happened,
) -> Result<Option<About>, Error> {
    let row: Option<(String, String, Option<Timestamp>)> =
        sqlx::query_as("SELECT name, last4, revoked_at FROM api_keys WHERE key_id = $1")
            .bind(key)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|(name, last4, revoked_at)| About::Key {
        name,
        last4,
        happened: revoked_at.map_or(happened, Happened::Revoked),
    }))
}
