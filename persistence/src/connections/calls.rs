//! The last calls of a connection, for its owner to see why one was refused.

use chrono::TimeDelta;
use engine::{
    clock::Timestamp,
    connections::{CALLS_KEPT, Outcome},
    events::{ConnectionRefused, Fact},
    ids::{ConnectionId, FulfillmentId},
    relationships::RelationshipScope,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Receiver, Scope};
use crate::{
    Database, Error,
    database::commit,
    events::outbox,
    owned,
    page::{self, Page},
    relationships::rows::{kept, named},
};

/// What is remembered of a call: neither a serial nor an address.
#[derive(Debug, Clone)]
pub struct NewCall {
    pub outcome: Outcome,
    pub order_id: Option<String>,
    pub foreign_product: Option<String>,
    pub foreign_variant: Option<String>,
    pub quantity: Option<u32>,
    /// Why it was refused.
    pub code: Option<&'static str>,
    pub message: Option<String>,
    pub fulfillment: Option<FulfillmentId>,
    pub took_ms: u32,
}

/// A call that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Rises with each call of any connection.
    pub number: i64,
    pub outcome: Outcome,
    pub order_id: Option<String>,
    pub foreign_product: Option<String>,
    pub foreign_variant: Option<String>,
    pub quantity: Option<u32>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub fulfillment: Option<FulfillmentId>,
    pub took_ms: u32,
    pub created_at: Timestamp,
}

/// Remembers a call, and forgets the one that is too old for that.
pub async fn note(
    db: &Database,
    receiver: &Receiver,
    call: NewCall,
    now: Timestamp,
) -> Result<(), Error> {
    let (db, now) = (db.clone(), kept(now));
    let (id, scope) = (receiver.connection.id, receiver.scope);
    owned(async move {
        let mut tx = db.begin().await?;
        tell_refused(&mut tx, (id, scope), &call, now).await?;
        sqlx::query(
            "INSERT INTO connection_calls (connection_id, merchant_id, relationship_id, outcome,
               external_order_id, foreign_product, foreign_variant, quantity, code, message,
               fulfillment_id, took_ms, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(id.uuid())
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(call.outcome.name())
        .bind(call.order_id)
        .bind(call.foreign_product)
        .bind(call.foreign_variant)
        .bind(call.quantity.map(i64::from))
        .bind(call.code)
        .bind(call.message)
        .bind(call.fulfillment.map(FulfillmentId::uuid))
        .bind(i64::from(call.took_ms))
        .bind(now)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "DELETE FROM connection_calls WHERE connection_id = $1 AND number <= (
               SELECT number FROM connection_calls WHERE connection_id = $1
               ORDER BY number DESC OFFSET $2 LIMIT 1)",
        )
        .bind(id.uuid())
        .bind(i64::from(CALLS_KEPT))
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "UPDATE connections SET last_call_at = $2
             WHERE connection_id = $1 AND (last_call_at IS NULL OR last_call_at < $2)",
        )
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        commit(tx).await
    })
    .await
}

/// Tells a feed that a shop did not get what it sold, unless it was told of this order in the last hour: a
/// shop asks again.
async fn tell_refused(
    connection: &mut PgConnection,
    (id, scope): (ConnectionId, RelationshipScope),
    call: &NewCall,
    now: Timestamp,
) -> Result<(), Error> {
    let (Outcome::Refused, Some(code)) = (call.outcome, call.code) else {
        return Ok(());
    };
    let told: bool = sqlx::query_scalar(
        "SELECT EXISTS (
           SELECT FROM connection_calls
           WHERE connection_id = $1 AND outcome = 'REFUSED'
             AND external_order_id IS NOT DISTINCT FROM $2 AND created_at > $3)",
    )
    .bind(id.uuid())
    .bind(&call.order_id)
    .bind(now - TimeDelta::hours(1))
    .fetch_one(&mut *connection)
    .await?;
    if told {
        return Ok(());
    }
    let fact = Fact::ConnectionRefused(ConnectionRefused {
        connection: id.uuid(),
        relationship: scope.relationship.uuid(),
        order_id: call.order_id.clone(),
        code: code.to_owned(),
    });
    let of = (scope.merchant, Some(scope.relationship));
    outbox::tell(connection, of, &fact, now).await
}

/// One page of the calls of a connection of this scope, newest first, below the number `before` if there is
/// one.
pub async fn calls(
    db: &Database,
    scope: Scope,
    id: ConnectionId,
    (outcome, before): (Option<Outcome>, Option<i64>),
    limit: u32,
) -> Result<Page<Call>, Error> {
    let db = db.clone();
    owned(async move {
        let found: Vec<CallRow> = sqlx::query_as(
            "SELECT number, outcome, external_order_id, foreign_product, foreign_variant, quantity,
               code, message, fulfillment_id, took_ms, created_at
             FROM connection_calls
             WHERE merchant_id = $1 AND relationship_id = $2 AND connection_id = $3
               AND ($4::text IS NULL OR outcome = $4) AND ($5::bigint IS NULL OR number < $5)
             ORDER BY number DESC LIMIT $6",
        )
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(id.uuid())
        .bind(outcome.map(Outcome::name))
        .bind(before)
        .bind(page::asked(limit))
        .fetch_all(&mut *db.scoped(scope.read()).await?)
        .await?;
        Page::cut(found, limit).try_map(Call::try_from)
    })
    .await
}

#[derive(sqlx::FromRow)]
struct CallRow {
    number: i64,
    outcome: String,
    external_order_id: Option<String>,
    foreign_product: Option<String>,
    foreign_variant: Option<String>,
    quantity: Option<i32>,
    code: Option<String>,
    message: Option<String>,
    fulfillment_id: Option<Uuid>,
    took_ms: i32,
    created_at: Timestamp,
}

impl TryFrom<CallRow> for Call {
    type Error = Error;

    fn try_from(row: CallRow) -> Result<Self, Error> {
        let quantity = row.quantity.map(u32::try_from).transpose();
        Ok(Self {
            number: row.number,
            outcome: named(Outcome::parse(&row.outcome), "connection_calls.outcome")?,
            order_id: row.external_order_id,
            foreign_product: row.foreign_product,
            foreign_variant: row.foreign_variant,
            quantity: named(quantity.ok(), "connection_calls.quantity")?,
            code: row.code,
            message: row.message,
            fulfillment: row.fulfillment_id.map(FulfillmentId::from_uuid),
            took_ms: named(u32::try_from(row.took_ms).ok(), "connection_calls.took_ms")?,
            created_at: row.created_at,
        })
    }
}
