//! The request and the answer of `POST /reseller/v1/fulfillments`, as a peer speaks them.
//!
//! Keeps: the fields of the contract, all of them, so that parsing and printing cost what they cost
//! Consign.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::vault;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    pub(crate) external_order_id: String,
    pub(crate) product_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variant_id: Option<String>,
    pub(crate) quantity: Option<i32>,
    pub(crate) customer_email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_unit_price: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_total: Option<Box<RawValue>>,
}

/// A request that passed the checks of its form.
pub(crate) struct Order {
    pub(crate) relationship_id: i64,
    pub(crate) key_id: i64,
    pub(crate) fulfillment_id: Uuid,
    pub(crate) external_order_id: String,
    pub(crate) product_id: i64,
    pub(crate) quantity: i32,
    pub(crate) email: String,
    pub(crate) email_sealed: Vec<u8>,
    pub(crate) fingerprint: Vec<u8>,
}

/// What is stored about a delivered order.
pub(crate) struct Delivered {
    pub(crate) fulfillment_id: Uuid,
    pub(crate) title: String,
    pub(crate) unit_minor: i64,
    pub(crate) price_version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) balance_after_minor: i64,
    pub(crate) serials: Vec<(i64, Vec<u8>)>,
}

pub(crate) enum Outcome {
    Delivered(Delivered),
    Replayed(Delivered),
    Refused(Refusal),
}

#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    Unauthorized,
    Invalid,
    InsufficientBalance,
    ProductNotAllowed,
    OutOfStock,
    OrderMismatch,
}

impl Create {
    pub(crate) fn accepted(&self) -> bool {
        let id = self.external_order_id.as_str();
        (1..=128).contains(&id.len())
            && id.trim() == id
            && !id.chars().any(char::is_control)
            && self.variant_id.is_none()
            && (1..=100).contains(&self.quantity.unwrap_or(1))
            && self.customer_email.len() <= 254
            && self.customer_email.contains('@')
    }
}

/// What a repeated order id must repeat.
pub(crate) fn fingerprint(email: &str, product_id: i64, quantity: i32) -> Vec<u8> {
    let mut digest = Sha256::new();
    digest.update(b"live\0");
    digest.update(email.as_bytes());
    digest.update([0]);
    digest.update(product_id.to_be_bytes());
    digest.update(quantity.to_be_bytes());
    digest.finalize().to_vec()
}

#[derive(Serialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Serialize)]
struct Fulfillment<'a> {
    id: &'a str,
    uniqid: &'a str,
    external_order_id: &'a str,
    status: &'a str,
    channel: &'a str,
    test: bool,
    product_id: &'a str,
    variant_id: Option<&'a str>,
    product_title: &'a str,
    quantity: i32,
    unit_price: &'a str,
    total: &'a str,
    currency: &'a str,
    customer_email: &'a str,
    serials: &'a [String],
    lines: [Line<'a>; 1],
    refunded_total: &'a str,
    balance_after: String,
    metadata: Empty,
    idempotency_key: Option<&'a str>,
    reused: bool,
    created_at: &'a str,
    updated_at: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    id: String,
    #[serde(rename = "line")]
    number: u8,
    product_id: &'a str,
    variant_id: Option<&'a str>,
    product_title: &'a str,
    variant_title: Option<&'a str>,
    quantity: i32,
    unit_price: &'a str,
    total: &'a str,
    price_version: i64,
    custom_fields: Empty,
    delivered: bool,
    serials: &'a [String],
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: String,
    serial: &'a str,
    status: &'a str,
    handed_over_at: &'a str,
    revealed_at: Option<&'a str>,
    replaced_by: Option<&'a str>,
    replaces: Option<&'a str>,
}

#[derive(Serialize)]
struct Empty {}

/// The full answer of the contract, serials opened.
pub(crate) fn answer(
    order: &Order,
    stored: &Delivered,
    serials: &[String],
    reused: bool,
) -> Response {
    let id = vault::public_id("ful", stored.fulfillment_id.as_u128());
    let product_id = vault::public_id("prd", u128::from(order.product_id.unsigned_abs()));
    let unit_price = money(stored.unit_minor);
    let total = money(stored.unit_minor * i64::from(order.quantity));
    let at = stored
        .created_at
        .to_rfc3339_opts(SecondsFormat::Millis, true);
    let items = (1_u128..).zip(serials).map(|(place, serial)| Item {
        id: vault::public_id("fit", stored.fulfillment_id.as_u128() ^ place),
        serial,
        status: "DELIVERED",
        handed_over_at: &at,
        revealed_at: None,
        replaced_by: None,
        replaces: None,
    });
    let line = Line {
        id: vault::public_id("fln", stored.fulfillment_id.as_u128()),
        number: 1,
        product_id: &product_id,
        variant_id: None,
        product_title: &stored.title,
        variant_title: None,
        quantity: order.quantity,
        unit_price: &unit_price,
        total: &total,
        price_version: stored.price_version,
        custom_fields: Empty {},
        delivered: true,
        serials,
        items: items.collect(),
    };
    let body = Envelope {
        data: Fulfillment {
            id: &id,
            uniqid: &id,
            external_order_id: &order.external_order_id,
            status: "DELIVERED",
            channel: "API",
            test: false,
            product_id: &product_id,
            variant_id: None,
            product_title: &stored.title,
            quantity: order.quantity,
            unit_price: &unit_price,
            total: &total,
            currency: "USD",
            customer_email: &order.email,
            serials,
            lines: [line],
            refunded_total: "0.00",
            balance_after: money(stored.balance_after_minor),
            metadata: Empty {},
            idempotency_key: None,
            reused,
            created_at: &at,
            updated_at: &at,
        },
    };
    let status = if reused {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    (status, Json(body)).into_response()
}

pub(crate) fn refusal(refusal: Refusal) -> Response {
    let (status, code) = match refusal {
        Refusal::Unauthorized => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
        Refusal::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR"),
        Refusal::InsufficientBalance => (StatusCode::PAYMENT_REQUIRED, "INSUFFICIENT_BALANCE"),
        Refusal::ProductNotAllowed => (StatusCode::FORBIDDEN, "PRODUCT_NOT_ALLOWED"),
        Refusal::OutOfStock => (StatusCode::CONFLICT, "OUT_OF_STOCK"),
        Refusal::OrderMismatch => (StatusCode::UNPROCESSABLE_ENTITY, "ORDER_MISMATCH"),
    };
    (status, Json(serde_json::json!({"error": {"code": code}}))).into_response()
}

fn money(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}
