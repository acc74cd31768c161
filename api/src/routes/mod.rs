//! The menu: every route of every surface, and what stands around a handler.
//!
//! A handler is wrapped once, in [`menu::Menu`], with its route's template, body bound and deadline.

mod dev_v1;
mod docs;
pub(crate) mod menu;
pub mod ops;
mod portal_v1;
mod reseller_v1;

use axum::Router;

use crate::{
    error::{ApiError, Code},
    state::App,
};

/// Every route but those for operators.
pub fn public(app: App) -> Router {
    reseller_v1::menu()
        .into_router()
        .merge(dev_v1::menu().into_router())
        .merge(portal_v1::menu().into_router())
        .merge(docs::menu().into_router())
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed))
        .fallback(async || ApiError::new(Code::NotFound))
        .with_state(app)
}
