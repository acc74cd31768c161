//! `GET /portal/v1/programs/{rel}/connections/{con}/calls`: the last calls of a connection, newest first, and
//! why one was refused; without serials and addresses.

use axum::{extract::State, response::Response};
use engine::{
    connections::Outcome,
    ids::{ConnectionId, RelationshipId},
};
use persistence::connections::{self, Call};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Owner, owner::not_found};
use crate::{
    auth::Session,
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{page::CursorPage, texts::word, time::Time},
};

/// The wire form of a call.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionCall {
    number: i64,
    outcome: &'static str,
    external_order_id: Option<String>,
    foreign_product: Option<String>,
    foreign_variant: Option<String>,
    quantity: Option<u32>,
    /// Why it was refused.
    code: Option<String>,
    message: Option<String>,
    fulfillment_id: Option<String>,
    took_ms: u32,
    created_at: Time,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, ConnectionId)>,
    query: Query,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    let page = CursorPage::read(&query, &format!("{} {id}", owner.list_name()))?;
    let before = page.position(|text| text.parse().ok())?;
    let outcome = query.get("outcome").map(str::to_owned);
    let outcome = word(outcome, "outcome", Outcome::parse)?;
    let known = connections::find(&app.database, owner.scope(), id).await?;
    known.ok_or_else(not_found)?;
    let of = (outcome, before);
    let found = connections::calls(&app.database, owner.scope(), id, of, page.limit).await?;
    let next = found.next(|call| call.number);
    let shown: Vec<_> = found.items.into_iter().map(ConnectionCall::of).collect();
    Ok(page.answer(shown, next))
}

impl ConnectionCall {
    fn of(call: Call) -> Self {
        Self {
            number: call.number,
            outcome: call.outcome.name(),
            external_order_id: call.order_id,
            foreign_product: call.foreign_product,
            foreign_variant: call.foreign_variant,
            quantity: call.quantity,
            code: call.code,
            message: call.message,
            fulfillment_id: call.fulfillment.map(|id| id.to_string()),
            took_ms: call.took_ms,
            created_at: Time(call.created_at),
        }
    }
}
