//! A bare JSON echo: what axum, serde and the allocator take for a request of this size.
//!
//! Keeps: nothing is checked, stored or looked up; the answer is the request, so it is smaller than
//! a real one, which makes the echo a harder mark to reach.

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};

use super::fulfillment::Create;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/readyz", get(async || StatusCode::OK))
        .route("/reseller/v1/fulfillments", post(echo))
}

async fn echo(Json(wire): Json<Create>) -> (StatusCode, Json<Create>) {
    (StatusCode::CREATED, Json(wire))
}
