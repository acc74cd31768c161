//! `POST /hooks/dynamic/{con}`: a shop asks for what its customer bought.
//!
//! Keeps the order: who calls too often from one address, then the connection, then the signature, and only
//! then anything of the body. Who has no good signature hears 401, whatever the reason. No body of an error
//! leaves: see the edge.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest as _, FromRequestParts as _, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use engine::{
    clock,
    connections::{Call, Outcome, read},
    ids::ConnectionId,
};
use persistence::connections::{self, NewCall, Receiver};
use tokio::time::{Instant, timeout};

use super::{answer, deliver::deliver, signature};
use crate::{
    auth::verify,
    error::{ApiError, Code},
    extract::{
        PathIds,
        body::{RawBody, parse},
    },
    layers::address::network,
    metrics,
    state::App,
};

/// Bytes of a call: an order of many products is told whole.
pub(crate) const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long a shop waits: the shortest patience that one documents is ten seconds.
const ANSWER_MAX: Duration = Duration::from_secs(8);
/// How long the log of a call may take.
const NOTE_MAX: Duration = Duration::from_secs(1);
const MESSAGE_CHARS_MAX: usize = 200;

pub(crate) async fn hook(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    // What is under way is ended by its owners; the shop's next call gets what it delivers.
    let answered = timeout(ANSWER_MAX, receive(app, request)).await;
    answered.unwrap_or_else(|_late| Err(ApiError::new(Code::OutcomeUnknown)))
}

async fn receive(app: App, request: Request) -> Result<Response, ApiError> {
    let began = clock::instant();
    let headers = request.headers().clone();
    let (mut parts, body) = request.into_parts();
    let address = network(verify::call(&parts)?.address).to_string();
    if !app.hooks.take(&address, app.now()) {
        return Err(ApiError::new(Code::RateLimited));
    }
    let PathIds(id) = PathIds::<ConnectionId>::from_request_parts(&mut parts, &app).await?;
    let RawBody(body) = RawBody::from_request(Request::from_parts(parts, body), &app).await?;
    let found = connections::receiver(&app.database, id, app.now()).await?;
    let Some(receiver) = found else {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    };
    if !is_signed(&app, &receiver, &headers, &body) {
        // One line a minute says to its owner that the secret is the wrong one.
        if app.forgeries.take(&id.to_string(), app.now()) {
            let forged = noted(Outcome::BadSignature, None, began);
            note(&app, &receiver, forged).await;
        }
        metrics::connection_call(receiver.connection.kind, Outcome::BadSignature);
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    }
    Ok(answer(&app, &receiver, (&headers, &body), began).await)
}

async fn answer(
    app: &App,
    receiver: &Receiver,
    (headers, body): (&HeaderMap, &Bytes),
    began: Instant,
) -> Response {
    let connection = &receiver.connection;
    let call = understood(receiver, headers, body);
    let told = match &call {
        Ok(call) => deliver(app, receiver, call).await,
        Err(error) => Err(error.clone()),
    };
    let outcome = match &told {
        Ok(told) if told.reused => Outcome::Replayed,
        Ok(_) => Outcome::Delivered,
        Err(_) => Outcome::Refused,
    };
    metrics::connection_call(connection.kind, outcome);
    let mut line = noted(outcome, call.as_ref().ok(), began);
    match &told {
        Ok(told) => line.fulfillment = Some(told.id()),
        Err(error) => {
            line.code = Some(error.code().name());
            line.message = Some(said(error));
        }
    }
    note(app, receiver, line).await;
    match told {
        Ok(told) => answer::delivered(connection, told.serials()),
        Err(_) => answer::refused(connection.kind),
    }
}

/// Whether one of the secrets that are good signed this.
fn is_signed(app: &App, receiver: &Receiver, headers: &HeaderMap, body: &Bytes) -> bool {
    let connection = &receiver.connection;
    let secrets = [Some(&receiver.secret), receiver.old_secret.as_ref()];
    secrets.into_iter().flatten().any(|sealed| {
        let opened = app
            .engine
            .vault()
            .open_connection_secret(connection.id, sealed);
        opened.is_ok_and(|secret| {
            signature::signed(connection, secret.expose(), (headers, body), app.now())
        })
    })
}

fn understood(receiver: &Receiver, headers: &HeaderMap, body: &Bytes) -> Result<Call, ApiError> {
    let connection = &receiver.connection;
    let body: serde_json::Value = parse(body)?;
    let header = |name: &str| signature::text_of(headers, name);
    let call = read(connection, header, &body);
    call.map_err(|unreadable| ApiError::field(unreadable.field, unreadable.message))
}

/// Why a call was refused, with the field that it is about.
fn said(error: &ApiError) -> String {
    let details = error
        .details()
        .iter()
        .map(|detail| format!(" ({} {})", detail.field, detail.message));
    let text = format!("{}{}", error.message(), details.collect::<String>());
    text.chars().take(MESSAGE_CHARS_MAX).collect()
}

fn noted(outcome: Outcome, call: Option<&Call>, began: Instant) -> NewCall {
    let took = (clock::instant() - began).as_millis();
    NewCall {
        outcome,
        order_id: call.map(|call| call.order_id.as_str().to_owned()),
        foreign_product: call.map(|call| call.product.clone()),
        foreign_variant: call.and_then(|call| call.variants.first().cloned()),
        quantity: call.map(|call| call.quantity),
        code: None,
        message: None,
        fulfillment: None,
        took_ms: u32::try_from(took).unwrap_or(u32::MAX),
    }
}

/// A line of the log that cannot be written keeps nothing back from the shop.
async fn note(app: &App, receiver: &Receiver, line: NewCall) {
    let noting = connections::note(&app.database, receiver, line, app.now());
    let id = receiver.connection.id;
    match timeout(NOTE_MAX, noting).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(connection.id = %id, "a call was not noted: {error}"),
        Err(_) => tracing::warn!(connection.id = %id, "a call was not noted in time"),
    }
}
