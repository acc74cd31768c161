//! How a dynamic URL answers: as JSON or as text, and how often it shows serials again.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use engine::{
    fulfillments::{Refusal, Request},
    vault::Opened,
};
use persistence::fulfillments::replays;

use crate::{
    auth::{ResellerKey, scope::DynamicWrite},
    error::{ApiError, Code},
    extract::Query,
    fulfillments::answer::{Serials, Told},
    state::App,
    wire::answer::Answer,
};

const FULFILLMENT_ID: HeaderName = HeaderName::from_static("x-fulfillment-id");
const EXTERNAL_ORDER_ID: HeaderName = HeaderName::from_static("x-external-order-id");

/// How long serials are shown again.
const SHOWN_FOR: TimeDelta = TimeDelta::hours(24);

/// What the caller reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Text,
}

impl Format {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            _ => None,
        }
    }

    /// What is wanted, also by a caller whose query is refused.
    pub(super) fn wanted(raw: &str, headers: &HeaderMap) -> Self {
        let query = Query::parse(raw).unwrap_or_default();
        let accepted = || {
            let accept = headers.get(header::ACCEPT)?.to_str().ok()?;
            let text = accept.split(',').next()?.split(';').next()?.trim();
            text.eq_ignore_ascii_case("text/plain")
                .then_some(Self::Text)
        };
        query
            .get("format")
            .and_then(Self::named)
            .or_else(accepted)
            .unwrap_or(Self::Json)
    }

    pub(super) fn answer(self, told: Told) -> Response {
        match self {
            Self::Json if told.reused => Answer::replayed(told).into_response(),
            Self::Json => Answer::ok(told).into_response(),
            Self::Text => text(&told),
        }
    }

    pub(super) fn refuse(self, error: ApiError) -> Response {
        match self {
            Self::Json => error.into_response(),
            Self::Text => error.into_text(),
        }
    }
}

fn text(told: &Told) -> Response {
    let serials: Vec<_> = told.serials().iter().map(Opened::expose).collect();
    let mut response = serials.join("\n").into_response();
    let headers = response.headers_mut();
    let order_id = told.fulfillment.contents.order_id.as_str();
    // An order id has no control characters, so it is a header value.
    if let Ok(order_id) = HeaderValue::from_bytes(order_id.as_bytes()) {
        headers.insert(EXTERNAL_ORDER_ID, order_id);
    }
    if let Ok(id) = HeaderValue::try_from(told.id().to_string()) {
        headers.insert(FULFILLMENT_ID, id);
    }
    response
}

/// A replay with its serials, if it does not come too late or too often. The count is stored before
/// the answer leaves.
pub(super) async fn again(
    app: &App,
    caller: &ResellerKey<DynamicWrite>,
    told: Told,
) -> Result<Told, ApiError> {
    let stamp = told.fulfillment.stamp;
    if app.now() - stamp.created_at > SHOWN_FOR {
        return Ok(told.withheld());
    }
    let counted = replays::count_replay(&app.database, caller.scope(), stamp.version).await;
    // The order was delivered, whatever becomes of this answer.
    let counted = counted.map_err(|error| ApiError::from(error).after_change())?;
    Ok(if counted { told } else { told.withheld() })
}

/// The answer of an address whose time stamp is over: a replay of the same request, or the 401.
pub(super) async fn replay_only(
    app: &App,
    caller: &ResellerKey<DynamicWrite>,
    request: Request,
) -> Result<Told, ApiError> {
    let found = app.engine.find(caller.scope(), request.order_id()).await;
    let found = found.map_err(|error| caller.refuse(error))?;
    let Some(fulfillment) = found else {
        return Err(ApiError::new(Code::Unauthorized).detail("ts", "is over or too far ahead"));
    };
    let merchant = caller.merchant();
    if fulfillment.contents.fingerprint != request.fingerprint() {
        let fields = fulfillment
            .contents
            .differing_fields(&request, &merchant.key);
        return Err(caller.refuse(Refusal::OrderMismatch { fields }.into()));
    }
    let told = Told::to(&app.engine, caller, fulfillment, Serials::Shown).await?;
    let told = told.with_stored_email(merchant).again();
    again(app, caller, told).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_is_the_parameter_else_what_is_accepted_first() {
        let accepting = |accept: &'static str| {
            HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))])
        };
        for (raw, accept, format) in [
            ("", "*/*", Format::Json),
            ("", "text/plain", Format::Text),
            ("", "Text/Plain;q=0.9, application/json", Format::Text),
            ("", "application/json, text/plain", Format::Json),
            ("format=json", "text/plain", Format::Json),
            ("format=text", "application/json", Format::Text),
            ("format=xml", "text/plain", Format::Text),
        ] {
            assert_eq!(
                Format::wanted(raw, &accepting(accept)),
                format,
                "{raw} {accept}"
            );
        }
    }
}
