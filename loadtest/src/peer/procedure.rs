//! One stored-procedure call for each request: one round trip, one implicit transaction.
//!
//! Keeps: the rows and rules of the transaction peer; only the trips between them are gone.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{
    fulfillment::{Delivered, Order, Outcome, Refusal},
    transaction,
};

#[derive(sqlx::FromRow)]
struct Called {
    outcome: i16,
    title: Option<String>,
    unit_minor: Option<i64>,
    price_version: Option<i64>,
    created_at: Option<DateTime<Utc>>,
    balance_after_minor: Option<i64>,
    serial_ids: Option<Vec<i64>>,
    ciphertexts: Option<Vec<Vec<u8>>>,
}

pub(crate) async fn fulfill(pool: &PgPool, order: &Order) -> sqlx::Result<Outcome> {
    let called = match call(pool, order).await {
        Ok(called) => called,
        Err(error) => return refusal(&error).map(Outcome::Refused).ok_or(error),
    };
    if called.outcome == 200 {
        return transaction::replay(pool, order).await;
    }
    Ok(delivered(called, order).map_or(
        Outcome::Refused(Refusal::ProductNotAllowed),
        Outcome::Delivered,
    ))
}

async fn call(pool: &PgPool, order: &Order) -> sqlx::Result<Called> {
    sqlx::query_as(include_str!("call.sql"))
        .bind(order.relationship_id)
        .bind(order.product_id)
        .bind(order.quantity)
        .bind(order.fulfillment_id)
        .bind(&order.external_order_id)
        .bind(&order.fingerprint)
        .bind(order.key_id)
        .bind(&order.email_sealed)
        .fetch_one(pool)
        .await
}

fn refusal(error: &sqlx::Error) -> Option<Refusal> {
    match error.as_database_error()?.code()?.as_ref() {
        "PR402" => Some(Refusal::InsufficientBalance),
        "PR409" => Some(Refusal::OutOfStock),
        _ => None,
    }
}

/// None if a field is missing, which is how the procedure says "not allowed".
fn delivered(called: Called, order: &Order) -> Option<Delivered> {
    Some(Delivered {
        fulfillment_id: order.fulfillment_id,
        title: called.title?,
        unit_minor: called.unit_minor?,
        price_version: called.price_version?,
        created_at: called.created_at?,
        balance_after_minor: called.balance_after_minor?,
        serials: called
            .serial_ids?
            .into_iter()
            .zip(called.ciphertexts?)
            .collect(),
    })
}
