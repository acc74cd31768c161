//! `POST /reseller/v1/fulfillments`: deliver products for one external order id.

use axum::{extract::State, response::IntoResponse};
use engine::{
    engine::Engine,
    fulfillments::{Channel, Request, rehearsal::Forced},
    vault::Opened,
};

use super::{answer::Told, request::CreateFulfillment};
use crate::{
    auth::{ResellerKey, scope::FulfillmentsWrite},
    error::{ApiError, Code},
    extract::{Body, idempotency_key::IdempotencyKey},
    wire::answer::Answer,
};

pub(crate) async fn reseller(
    State(engine): State<Engine>,
    caller: ResellerKey<FulfillmentsWrite>,
    IdempotencyKey(header): IdempotencyKey,
    Body(wire): Body<CreateFulfillment>,
) -> Result<impl IntoResponse, ApiError> {
    let request = wire.into_request(&caller, Channel::Api, header, engine.vault())?;
    let told = execute(&engine, &caller, request).await?;
    Ok(answer(told))
}

/// Executes a request, or answers it from what was executed before.
pub(super) async fn execute<D>(
    engine: &Engine,
    caller: &ResellerKey<D>,
    request: Request,
) -> Result<Told, ApiError> {
    let email = request
        .customer_email()
        .map(|email| Opened::new(email.as_str()));
    if Forced::of(&request) == Some(Forced::RateLimited) {
        return Err(ApiError::new(Code::RateLimited));
    }
    let delivery = engine
        .fulfill(request)
        .await
        .map_err(|error| caller.refuse(error))?;
    Told::delivered(engine, caller, delivery, email).await
}

fn answer(told: Told) -> Answer<Told> {
    if told.reused {
        Answer::replayed(told)
    } else {
        Answer::created(told)
    }
}
