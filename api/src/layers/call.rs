//! What is known of one call while it is served, shared by the layers, the extractors and the handler.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::http::HeaderValue;
use engine::{clock, ids::KeyId};

use super::rate_limit::Standing;
use crate::metrics::RouteMetrics;

/// Bytes of a request body, where a route says nothing else.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// A route as the layers see it.
#[derive(Debug)]
pub(crate) struct Route {
    /// The path with its parameters' names; the only form of a path that is ever logged or measured.
    pub(crate) template: &'static str,
    pub(crate) body_bytes_max: usize,
    /// None where the engine keeps the deadline.
    pub(crate) deadline: Option<Duration>,
    pub(crate) metrics: RouteMetrics,
}

impl Route {
    /// Whether a call of this route may deliver.
    pub(crate) const fn executes(&self) -> bool {
        self.deadline.is_none()
    }
}

/// One call. Nothing in it is taken from the query or the body.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: HeaderValue,
    pub(crate) address: IpAddr,
    pub(crate) started: tokio::time::Instant,
    route: OnceLock<Arc<Route>>,
    standing: OnceLock<Standing>,
    key: OnceLock<KeyId>,
}

impl Call {
    pub(crate) fn new(id: HeaderValue, address: IpAddr) -> Self {
        Self {
            id,
            address,
            started: clock::instant(),
            route: OnceLock::new(),
            standing: OnceLock::new(),
            key: OnceLock::new(),
        }
    }

    /// Set once, by the route that matched.
    pub(crate) fn matched(&self, route: Arc<Route>) {
        let _first_wins = self.route.set(route);
    }

    pub(crate) fn route(&self) -> Option<&Route> {
        self.route.get().map(Arc::as_ref)
    }

    pub(crate) fn body_bytes_max(&self) -> usize {
        self.route()
            .map_or(BODY_BYTES_MAX, |route| route.body_bytes_max)
    }

    /// Set once, by the extractor that knows the caller.
    pub(crate) fn authenticated(&self, key: KeyId) {
        let _first_wins = self.key.set(key);
    }

    pub(crate) fn key(&self) -> Option<KeyId> {
        self.key.get().copied()
    }

    /// Set once, when the caller's bucket was charged.
    pub(crate) fn charged(&self, standing: Standing) {
        let _first_wins = self.standing.set(standing);
    }

    pub(crate) fn standing(&self) -> Option<&Standing> {
        self.standing.get()
    }
}
