//! One transaction for each request: bind the order id, claim, debit, commit.
//!
//! Keeps: five round trips and no more; the balance row, which all orders of one reseller want, is
//! locked last, so the lock lasts one round trip and the flush. Everything or nothing.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::fulfillment::{Delivered, Order, Outcome, Refusal};

#[derive(sqlx::FromRow)]
struct Accepted {
    title: String,
    unit_minor: i64,
    price_version: i64,
    created_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Found {
    fulfillment_id: Uuid,
    fingerprint: Vec<u8>,
    title: String,
    unit_minor: i64,
    price_version: i64,
    created_at: DateTime<Utc>,
    balance_after_minor: i64,
    serial_ids: Vec<i64>,
    ciphertexts: Vec<Vec<u8>>,
}

pub(crate) async fn fulfill(pool: &PgPool, order: &Order) -> sqlx::Result<Outcome> {
    let mut transaction = pool.begin().await?;
    let accepted = accept(&mut transaction, order).await?;
    let Some(accepted) = accepted else {
        transaction.rollback().await?;
        return Ok(Outcome::Refused(Refusal::ProductNotAllowed));
    };
    let Some(created_at) = accepted.created_at else {
        transaction.rollback().await?;
        return replay(pool, order).await;
    };
    let serials = claim(&mut transaction, order, &accepted).await?;
    if serials.len() != usize::try_from(order.quantity).unwrap_or(0) {
        transaction.rollback().await?;
        return Ok(Outcome::Refused(Refusal::OutOfStock));
    }
    let cost_minor = accepted.unit_minor * i64::from(order.quantity);
    let Some(balance_after_minor) = debit(&mut transaction, order, cost_minor).await? else {
        transaction.rollback().await?;
        return Ok(Outcome::Refused(Refusal::InsufficientBalance));
    };
    transaction.commit().await?;
    Ok(Outcome::Delivered(Delivered {
        fulfillment_id: order.fulfillment_id,
        title: accepted.title,
        unit_minor: accepted.unit_minor,
        price_version: accepted.price_version,
        created_at,
        balance_after_minor,
        serials,
    }))
}

async fn accept(connection: &mut PgConnection, order: &Order) -> sqlx::Result<Option<Accepted>> {
    sqlx::query_as(include_str!("accept.sql"))
        .bind(order.relationship_id)
        .bind(order.product_id)
        .bind(order.quantity)
        .bind(order.fulfillment_id)
        .bind(&order.external_order_id)
        .bind(&order.fingerprint)
        .bind(order.key_id)
        .bind(&order.email_sealed)
        .fetch_optional(connection)
        .await
}

async fn claim(
    connection: &mut PgConnection,
    order: &Order,
    accepted: &Accepted,
) -> sqlx::Result<Vec<(i64, Vec<u8>)>> {
    sqlx::query_as(include_str!("claim.sql"))
        .bind(order.product_id)
        .bind(order.quantity)
        .bind(order.relationship_id)
        .bind(order.fulfillment_id)
        .bind(accepted.unit_minor)
        .bind(accepted.price_version)
        .fetch_all(connection)
        .await
}

async fn debit(
    connection: &mut PgConnection,
    order: &Order,
    cost_minor: i64,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(include_str!("debit.sql"))
        .bind(order.relationship_id)
        .bind(cost_minor)
        .bind(order.fulfillment_id)
        .fetch_optional(connection)
        .await
}

/// The answer to an order id that is bound already.
pub(crate) async fn replay(pool: &PgPool, order: &Order) -> sqlx::Result<Outcome> {
    let found: Found = sqlx::query_as(include_str!("find.sql"))
        .bind(order.relationship_id)
        .bind(&order.external_order_id)
        .fetch_one(pool)
        .await?;
    if found.fingerprint != order.fingerprint {
        return Ok(Outcome::Refused(Refusal::OrderMismatch));
    }
    Ok(Outcome::Replayed(Delivered {
        fulfillment_id: found.fulfillment_id,
        title: found.title,
        unit_minor: found.unit_minor,
        price_version: found.price_version,
        created_at: found.created_at,
        balance_after_minor: found.balance_after_minor,
        serials: found
            .serial_ids
            .into_iter()
            .zip(found.ciphertexts)
            .collect(),
    }))
}
