//! `GET /reseller/v1/fulfillments/{id}`: one fulfillment with its serials.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use engine::ids::FulfillmentId;
use persistence::fulfillments::get;

use super::answer::{Serials, Told};
use crate::{
    auth::{ResellerKey, scope::FulfillmentsRead},
    error::{ApiError, Code},
    extract::PathIds,
    state::App,
    wire::answer::Answer,
};

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<FulfillmentsRead>,
    PathIds(id): PathIds<FulfillmentId>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(Answer::ok(find(&app, &caller, id).await?))
}

/// The caller's fulfillment with this id, opened; or the one 404.
pub(super) async fn find(
    app: &App,
    caller: &ResellerKey<FulfillmentsRead>,
    id: FulfillmentId,
) -> Result<Told, ApiError> {
    let found = get::find(&app.database, caller.scope(), id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let merchant = caller.merchant();
    let told = Told::to(&app.engine, caller, Arc::new(found), Serials::Shown).await?;
    Ok(told.with_stored_email(merchant))
}
