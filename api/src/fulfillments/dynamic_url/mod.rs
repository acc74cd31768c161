//! `GET /reseller/v1/fulfillments/dynamic`: one fulfillment by opening an address.
//!
//! Keeps: only a server's plain GET executes, never HEAD, OPTIONS, a browser, a prefetcher or a link
//! preview; nothing of the query reaches a log; serials are shown again for 24 hours and 20 times.

pub(crate) mod agents;
mod parameters;
mod proof;
mod shown;
pub(crate) mod signature;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use engine::api_keys::Scope;

use self::{parameters::Parameters, proof::Proof, shown::Format};
use super::{answer::Told, create::execute};
use crate::{
    auth::{
        ResellerKey,
        scope::{Demand, DynamicWrite},
        verify,
    },
    error::{ApiError, Code},
    extract::Query,
    state::App,
};

pub(crate) const PATH: &str = "/reseller/v1/fulfillments/dynamic";
const METHODS: &str = "GET";
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// What never executes: HEAD and every other method.
pub(crate) async fn refuse_method() -> Response {
    not_indexed(
        ApiError::new(Code::MethodNotAllowed)
            .allow(METHODS)
            .into_response(),
    )
}

pub(crate) async fn options() -> Response {
    let allow = [(header::ALLOW, HeaderValue::from_static(METHODS))];
    not_indexed((StatusCode::NO_CONTENT, allow).into_response())
}

pub(crate) async fn reseller(State(app): State<App>, request: Request) -> Response {
    let (parts, _empty) = request.into_parts();
    let format = Format::wanted(parts.uri.query().unwrap_or(""), &parts.headers);
    let told = deliver(&app, &parts).await;
    not_indexed(match told {
        Ok(told) => format.answer(told),
        Err(error) => format.refuse(error),
    })
}

fn not_indexed(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(ROBOTS, HeaderValue::from_static("noindex"));
    response
}

async fn deliver(app: &App, parts: &Parts) -> Result<Told, ApiError> {
    let query = Query::parse(parts.uri.query().unwrap_or(""))?;
    refuse_browsers(&parts.headers)?;
    let call = verify::call(parts)?;
    let proof = Proof::read(&query).ok_or_else(|| verify::failed(app, call.address))?;
    let key = proof.verify(app, &query, call.address).await?;
    verify::enter(app, &key, call, DynamicWrite::CLASS)?;
    if !key.key.scopes.contains(Scope::DynamicWrite) {
        return Err(verify::missing_scope::<DynamicWrite>());
    }
    let caller = ResellerKey::<DynamicWrite>::proved(key, Arc::clone(call))?;
    let parameters = Parameters::read(&query, &proof)?;
    let request = parameters.into_request(&caller, proof.channel(), app.engine.vault())?;
    if let Proof::Signed(signed) = &proof
        && !signed.fresh(app.now())
    {
        return shown::replay_only(app, &caller, request).await;
    }
    let told = execute(&app.engine, &caller, request).await?;
    if told.reused {
        shown::again(app, &caller, told).await
    } else {
        Ok(told)
    }
}

fn refuse_browsers(headers: &HeaderMap) -> Result<(), ApiError> {
    if agents::is_browser_or_preview(headers) {
        return Err(ApiError::new(Code::BrowserRefused));
    }
    Ok(())
}
