//! The menu: every route of every surface, and what stands around a handler.
//!
//! A handler is wrapped once, in [`menu::Menu`], with its route's template, body bound and deadline.

mod checkout;
mod connections;
mod dev_v1;
mod docs;
mod hooks;
mod links;
pub(crate) mod menu;
pub mod ops;
mod portal_v1;
mod reseller_v1;
mod selling;
mod webhooks;

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};

use crate::{
    auth::exposed::{self, Exposed},
    error::{ApiError, Code},
    fulfillments::dynamic_url,
    state::App,
};

/// Every route but those for operators.
pub fn public(app: App) -> Router {
    reseller_v1::menu()
        .into_router()
        .merge(dev_v1::menu().into_router())
        .merge(portal_v1::menu().into_router())
        .merge(webhooks::dev().into_router())
        .merge(webhooks::portal().into_router())
        .merge(docs::menu().into_router())
        .merge(connections::dev().into_router())
        .merge(connections::portal().into_router())
        .merge(links::menu().into_router())
        .merge(selling::dev().into_router())
        .merge(selling::portal().into_router())
        .merge(checkout::menu().into_router())
        .merge(hooks::menu().into_router())
        .method_not_allowed_fallback(wrong_method)
        .fallback(not_found)
        .with_state(app)
}

/// The router adds the header `Allow`, unless there is one.
async fn wrong_method(State(app): State<App>, request: Request) -> Response {
    if request.uri().path() == dynamic_url::PATH {
        return dynamic_url::refuse_method().await;
    }
    refused(app, request, Code::MethodNotAllowed).await
}

async fn not_found(State(app): State<App>, request: Request) -> Response {
    refused(app, request, Code::NotFound).await
}

/// An address that nothing listens to ends up in logs like any other.
async fn refused(app: App, request: Request, code: Code) -> Response {
    match Exposed::find(request.uri().query()) {
        Some(exposed) => exposed::refuse(exposed, app, request).await,
        None => ApiError::new(code).into_response(),
    }
}
