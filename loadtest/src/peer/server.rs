//! The HTTP side both database peers share: key check, parsing, sealing, answer.
//!
//! Keeps: no look-up in the database that a good engineer would keep in memory (keys), and nothing
//! in memory that decides about money or stock.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{FromRequestParts, State, rejection::JsonRejection},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    fulfillment::{self, Create, Order, Outcome, Refusal},
    procedure, transaction,
    vault::{self, Vault},
};

#[derive(Clone, Copy)]
pub(crate) enum Way {
    Transaction,
    Procedure,
}

#[derive(Clone)]
pub(crate) struct Shop(Arc<Inner>);

struct Inner {
    pool: PgPool,
    way: Way,
    vault: Vault,
    keys: HashMap<String, Key>,
}

#[derive(Clone)]
struct Key {
    relationship_id: i64,
    id: i64,
    mac: Vec<u8>,
}

impl Shop {
    pub(crate) async fn load(pool: PgPool, way: Way) -> anyhow::Result<Self> {
        let rows: Vec<(i64, i64, Vec<u8>)> =
            sqlx::query_as("SELECT relationship_id, key_id, key_mac FROM relationships")
                .fetch_all(&pool)
                .await?;
        let keys = rows
            .into_iter()
            .map(|(relationship_id, key_id, mac)| {
                let name = vault::public_id("key", u128::from(key_id.unsigned_abs()));
                (
                    name[4..].to_owned(),
                    Key {
                        relationship_id,
                        id: key_id,
                        mac,
                    },
                )
            })
            .collect();
        Ok(Self(Arc::new(Inner {
            pool,
            way,
            vault: Vault::new(),
            keys,
        })))
    }
}

pub(crate) fn router(shop: Shop) -> Router {
    Router::new()
        .route("/readyz", get(async || StatusCode::OK))
        .route("/reseller/v1/fulfillments", post(create))
        .with_state(shop)
}

/// The caller, known by `Authorization: Bearer crk_live_<id>_<secret>`.
struct Caller(Key);

impl FromRequestParts<Shop> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Self, Response> {
        let find = || {
            let header = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
            let (id, secret) = header
                .strip_prefix("Bearer ")?
                .strip_prefix("crk_live_")?
                .split_once('_')?;
            let key = shop.0.keys.get(id)?;
            shop.0
                .vault
                .verify(secret.as_bytes(), &key.mac)
                .then(|| Self(key.clone()))
        };
        find().ok_or_else(|| fulfillment::refusal(Refusal::Unauthorized))
    }
}

async fn create(
    State(shop): State<Shop>,
    Caller(key): Caller,
    body: Result<Json<Create>, JsonRejection>,
) -> Response {
    let Ok(Json(wire)) = body else {
        return fulfillment::refusal(Refusal::Invalid);
    };
    match deliver(&shop.0, key, wire).await {
        Ok(response) => response,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn deliver(shop: &Inner, key: Key, wire: Create) -> anyhow::Result<Response> {
    let product_id = vault::row_id("prd", &wire.product_id);
    let (true, Some(product_id)) = (wire.accepted(), product_id) else {
        return Ok(fulfillment::refusal(Refusal::Invalid));
    };
    let quantity = wire.quantity.unwrap_or(1);
    let email = wire.customer_email.trim().to_ascii_lowercase();
    let order = Order {
        relationship_id: key.relationship_id,
        key_id: key.id,
        fulfillment_id: Uuid::now_v7(),
        external_order_id: wire.external_order_id,
        product_id,
        quantity,
        email_sealed: shop
            .vault
            .seal(&key.relationship_id.to_be_bytes(), email.as_bytes())?,
        fingerprint: fulfillment::fingerprint(&email, product_id, quantity),
        email,
    };
    let outcome = match shop.way {
        Way::Transaction => transaction::fulfill(&shop.pool, &order).await?,
        Way::Procedure => procedure::fulfill(&shop.pool, &order).await?,
    };
    let (stored, reused) = match outcome {
        Outcome::Delivered(stored) => (stored, false),
        Outcome::Replayed(stored) => (stored, true),
        Outcome::Refused(refusal) => return Ok(fulfillment::refusal(refusal)),
    };
    let serials = stored
        .serials
        .iter()
        .map(|(id, sealed)| shop.vault.open(&vault::serial_context(*id), sealed))
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(fulfillment::answer(&order, &stored, &serials, reused))
}
