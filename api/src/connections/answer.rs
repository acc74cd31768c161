//! What a shop is answered, in its own form.
//!
//! Keeps: what is not delivered has no word of ours in it, because a shop may hand a whole answer to its
//! customer; and it is said so that the shop asks again, or leaves the order open, rather than end it.

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use engine::{
    connections::{Answer, Connection, Kind},
    vault::Opened,
};
use serde_json::json;

use crate::wire::answer::json as json_body;

/// The serials of a delivery.
pub(super) fn delivered(connection: &Connection, serials: &[Opened]) -> Response {
    let texts: Vec<_> = serials.iter().map(Opened::expose).collect();
    let answer = connection.custom.as_ref().map(|custom| custom.answer);
    match (connection.kind, answer) {
        (Kind::Shoppex, _) => json_body(
            StatusCode::OK,
            &json!({"data": {
                "service_text": texts.join("\n"),
                "dynamic_response": {"codes": texts},
                "deliveryType": "DYNAMIC",
                "count": texts.len(),
            }}),
        ),
        (Kind::Custom, Some(Answer::Json)) => json_body(StatusCode::OK, &json!({"serials": texts})),
        (Kind::SellAuth | Kind::Sellix | Kind::SellApp | Kind::Custom, _) => {
            texts.join("\n").into_response()
        }
    }
}

/// Nothing was delivered now. A shop of Shoppex ends an order for an error; the others ask again.
pub(super) fn refused(kind: Kind) -> Response {
    match kind {
        Kind::Shoppex => json_body(StatusCode::OK, &json!({"status": "pending"})),
        Kind::SellAuth | Kind::Sellix | Kind::SellApp | Kind::Custom => {
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
