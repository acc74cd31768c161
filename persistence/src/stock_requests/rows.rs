//! Rows of `stock_requests`, what they become, and what is told of them.

use engine::{
    audit::{Actor, Deed},
    catalog::Sku,
    clock::Timestamp,
    events::{Fact, StockStep},
    fulfillments::Agreed,
    ids::{
        BalanceId, EntryId, InvoiceId, MerchantId, ProductId, RelationshipId, StockRequestId,
        VariantId,
    },
    money::Money,
    payments::{Coin, Pay, ProviderKind},
    relationships::RelationshipScope,
    stock_requests::{Bill, Counts, RequestedBy, Status, StockRequest},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::bill;
use crate::{
    Error, audit, error::exactly_one, events::outbox, fulfillments::rows::money,
    relationships::rows::named,
};

/// Every column of a request and the rest of the query, which names it `r`.
macro_rules! select_request {
    ($rest:literal) => {
        concat!(
            "SELECT r.stock_request_id, r.number, r.merchant_id, r.relationship_id, r.balance_id,
               r.product_id, r.variant_id, r.quantity, r.unit_price, r.price_version,
               r.requested_by, r.note, r.coin, r.status, r.status_reason, r.cancelled_by, r.at_once, r.invoice_id,
               r.invoice_coin, r.provider, r.instructions, r.payment_reference, r.entry_id,
               r.refunded, r.surplus, r.paid, r.expires_at,
               r.invoiced_at, r.paid_at, r.allocated_at, r.revived_at, r.created_at, r.updated_at,
               c.available, c.delivered, c.revoked, c.replaced
             FROM stock_requests AS r
             CROSS JOIN LATERAL (
               SELECT COUNT(*) FILTER (WHERE i.status = 'AVAILABLE') AS available,
                      COUNT(*) FILTER (WHERE i.status = 'DELIVERED') AS delivered,
                      COUNT(*) FILTER (WHERE i.status = 'REVOKED') AS revoked,
                      COUNT(*) FILTER (WHERE i.status = 'REPLACED') AS replaced
               FROM inventory_items AS i WHERE i.stock_request_id = r.stock_request_id
             ) AS c ",
            $rest
        )
    };
}
pub(super) use select_request;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    stock_request_id: Uuid,
    number: i64,
    merchant_id: Uuid,
    relationship_id: Uuid,
    balance_id: i64,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    quantity: i32,
    unit_price: i64,
    price_version: i64,
    requested_by: String,
    note: Option<String>,
    coin: Option<String>,
    status: String,
    status_reason: Option<String>,
    cancelled_by: Option<String>,
    at_once: bool,
    invoice_id: Option<Uuid>,
    invoice_coin: Option<String>,
    provider: Option<String>,
    instructions: Option<String>,
    payment_reference: Option<String>,
    entry_id: Option<Uuid>,
    refunded: i64,
    surplus: i64,
    paid: Option<i64>,
    expires_at: Timestamp,
    invoiced_at: Option<Timestamp>,
    paid_at: Option<Timestamp>,
    allocated_at: Option<Timestamp>,
    revived_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    available: i64,
    delivered: i64,
    revoked: i64,
    replaced: i64,
}

const INCONSISTENT: Error = Error::Inconsistent {
    what: "a stock request that cannot be",
};

impl TryFrom<Row> for StockRequest {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let quantity = u32::try_from(row.quantity).map_err(|_| INCONSISTENT)?;
        let unit_price = money(row.unit_price)?;
        Ok(Self {
            id: StockRequestId::from_uuid(row.stock_request_id),
            number: row.number,
            scope: RelationshipScope {
                merchant: MerchantId::from_uuid(row.merchant_id),
                relationship: RelationshipId::from_uuid(row.relationship_id),
                balance: BalanceId(row.balance_id),
                test: false,
            },
            sku: Sku {
                product: ProductId::from_uuid(row.product_id),
                variant: row.variant_id.map(VariantId::from_uuid),
            },
            quantity,
            agreed: Agreed {
                unit_price,
                price_version: row.price_version,
            },
            total: unit_price.checked_mul(quantity).ok_or(INCONSISTENT)?,
            requested_by: named(
                RequestedBy::parse(&row.requested_by),
                "stock_requests.requested_by",
            )?,
            note: row.note,
            coin: coin(row.coin)?,
            status: named(Status::parse(&row.status), "stock_requests.status")?,
            status_reason: row.status_reason,
            cancelled_by: cancelled_by(row.cancelled_by)?,
            at_once: row.at_once,
            bill: billed(
                row.invoice_id,
                coin(row.invoice_coin)?,
                row.provider,
                row.instructions,
            )?,
            paid: row.paid.map(money).transpose()?,
            payment_reference: row.payment_reference,
            entry: row.entry_id.map(EntryId::from_uuid),
            refunded: money(row.refunded)?,
            surplus: money(row.surplus)?,
            counts: Counts {
                available: row.available.unsigned_abs(),
                delivered: row.delivered.unsigned_abs(),
                revoked: row.revoked.unsigned_abs(),
                replaced: row.replaced.unsigned_abs(),
            },
            expires_at: row.expires_at,
            invoiced_at: row.invoiced_at,
            paid_at: row.paid_at,
            allocated_at: row.allocated_at,
            revived_at: row.revived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn coin(stored: Option<String>) -> Result<Option<Coin>, Error> {
    let coin = stored.map(|coin| named(Coin::parse(&coin), "stock_requests.coin"));
    coin.transpose()
}

fn cancelled_by(stored: Option<String>) -> Result<Option<RequestedBy>, Error> {
    let by = stored.map(|by| named(RequestedBy::parse(&by), "stock_requests.cancelled_by"));
    by.transpose()
}

fn billed(
    id: Option<Uuid>,
    coin: Option<Coin>,
    provider: Option<String>,
    instructions: Option<String>,
) -> Result<Option<Bill>, Error> {
    let (Some(id), Some(coin), Some(provider)) = (id, coin, provider) else {
        return Ok(None);
    };
    let provider = ProviderKind::parse(&provider);
    Ok(Some(Bill {
        id: InvoiceId::from_uuid(id),
        coin,
        provider: named(provider, "stock_requests.provider")?,
        pay: Pay {
            instructions,
            deposit: None,
            hosted: None,
        },
        invoice: None,
    }))
}

/// Of which merchant, and of which relationship if the caller names one.
pub(super) type Of = (MerchantId, Option<RelationshipId>);

/// A request, locked until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    id: StockRequestId,
) -> Result<Option<StockRequest>, Error> {
    // Locked first: what is counted with it must be seen as it is under the lock.
    sqlx::query(
        "SELECT FROM stock_requests WHERE stock_request_id = $1 AND merchant_id = $2 FOR UPDATE",
    )
    .bind(id.uuid())
    .bind(merchant.uuid())
    .execute(&mut *connection)
    .await?;
    let rows: Vec<Row> = sqlx::query_as(select_request!(
        "WHERE r.merchant_id = $1 AND r.stock_request_id = $2
           AND ($3::uuid IS NULL OR r.relationship_id = $3)"
    ))
    .bind(merchant.uuid())
    .bind(id.uuid())
    .bind(relationship.map(RelationshipId::uuid))
    .fetch_all(&mut *connection)
    .await?;
    Ok(bill::whole(connection, rows).await?.pop())
}

/// Stores where a request that is locked stands now, and its invoice with it.
pub(super) async fn store(
    connection: &mut PgConnection,
    request: &StockRequest,
) -> Result<(), Error> {
    let bill = request.bill.as_ref();
    let stored = sqlx::query(
        "UPDATE stock_requests SET status = $2, status_reason = $3, invoice_id = $4,
           invoice_coin = $5, provider = $6, instructions = $7, entry_id = $8, refunded = $9,
           expires_at = $10, invoiced_at = $11, paid_at = $12, allocated_at = $13,
           attempted_at = $14, updated_at = $14, coin = $15, payment_reference = $16, paid = $17,
           surplus = $18, cancelled_by = $19, revived_at = $20
         WHERE stock_request_id = $1",
    )
    .bind(request.id.uuid())
    .bind(request.status.name())
    .bind(&request.status_reason)
    .bind(bill.map(|bill| bill.id.uuid()))
    .bind(bill.map(|bill| bill.coin.as_str()))
    .bind(bill.map(|bill| bill.provider.name()))
    .bind(bill.and_then(|bill| bill.pay.instructions.as_deref()))
    .bind(request.entry.map(EntryId::uuid))
    .bind(request.refunded.minor())
    .bind(request.expires_at)
    .bind(request.invoiced_at)
    .bind(request.paid_at)
    .bind(request.allocated_at)
    .bind(request.updated_at)
    .bind(request.coin.as_ref().map(Coin::as_str))
    .bind(&request.payment_reference)
    .bind(request.paid.map(Money::minor))
    .bind(request.surplus.minor())
    .bind(request.cancelled_by.map(RequestedBy::name))
    .bind(request.revived_at)
    .execute(&mut *connection)
    .await?;
    exactly_one(&stored, "a locked stock request")?;
    bill::store(connection, request).await
}

/// Tells merchant and reseller where a request stands.
pub(super) async fn tell(
    connection: &mut PgConnection,
    request: &StockRequest,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::StockRequestUpdated(StockStep {
        request: request.id.uuid(),
        relationship: request.scope.relationship.uuid(),
        status: request.told(now).to_owned(),
    });
    let whose = (request.scope.merchant, Some(request.scope.relationship));
    outbox::tell(connection, whose, &fact, now).await
}

/// Appends what was done, which is the last thing that the transaction locks.
pub(super) async fn note(
    connection: &mut PgConnection,
    merchant: MerchantId,
    (actor, action, target): (Actor, &str, String),
    now: Timestamp,
) -> Result<(), Error> {
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target,
        before: None,
        after: None,
        at: now,
    };
    audit::append(connection, merchant, deed).await
}
