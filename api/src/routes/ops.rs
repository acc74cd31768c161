//! For operators, on an address of their own: `/livez`, `/readyz`, `/metrics`.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use engine::engine::Engine;
use serde::Serialize;

use crate::{metrics::Metrics, wire::answer::json};

/// What the operators' listener shows. It is up before the engine is.
#[derive(Clone)]
pub struct Ops {
    metrics: Metrics,
    engine: Arc<OnceLock<Engine>>,
}

impl Ops {
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            engine: Arc::default(),
        }
    }

    /// From now on the engine is asked whether it is ready.
    pub fn started(&self, engine: Engine) {
        let _first_wins = self.engine.set(engine);
    }

    pub fn into_router(self) -> Router {
        Router::new()
            .route("/livez", get(async || "ok"))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self)
    }
}

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    checks: Checks,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each a field on the wire"
)]
#[derive(Serialize)]
struct Checks {
    /// The owner's heartbeat is fresh, so the database answers and this process owns it.
    database: bool,
    lanes: bool,
    /// These two were checked before the engine started.
    migrations: bool,
    keys: bool,
}

async fn readyz(State(ops): State<Ops>) -> Response {
    let readiness = ops.engine.get().map(Engine::readiness);
    let started = readiness.is_some();
    let of = |check: fn(&engine::engine::Readiness) -> bool| readiness.as_ref().is_some_and(check);
    let checks = Checks {
        database: of(|now| now.owner),
        lanes: of(|now| now.lanes),
        migrations: started,
        keys: started,
    };
    let draining = of(|now| now.draining);
    let ready = checks.database && checks.lanes && !draining;
    let (status, word) = match (ready, draining, started) {
        (true, _, _) => (StatusCode::OK, "ready"),
        (false, true, _) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        (false, false, false) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        (false, false, true) => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    json(
        status,
        &Ready {
            status: word,
            checks,
        },
    )
}

async fn metrics(State(ops): State<Ops>) -> Response {
    if let Some(engine) = ops.engine.get() {
        engine.observe();
    }
    let head = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (head, ops.metrics.render()).into_response()
}
