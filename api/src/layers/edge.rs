//! Everything around the router, in one pass and without a box: see [`super`].

use std::{
    borrow::Cow,
    net::IpAddr,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use engine::{clock, random::Random};
use futures_util::FutureExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use ipnet::IpNet;
use tower::Service;

use super::{
    address,
    call::{Call, Route},
    request_id,
};
use crate::{
    connections,
    error::{ApiError, Code},
    metrics::{self, RouteMetrics, Surface},
    wire::answer::json_bytes,
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// A year, as those who keep lists of such hosts ask for.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The golden part of a turn: any few callers in a row are spread evenly.
const TURN: u32 = 0x9e37_79b9;
/// Seconds that are added to `Retry-After`, at most.
const JITTER_SECONDS_MAX: u64 = 10;
/// An answer up to this size gives its place back at once, however it is read.
const SMALL_BYTES_MAX: u64 = 16 * 1024;

/// What the outermost layer needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://host`, without a slash at the end.
    pub origin: String,
    pub trusted_proxies: Vec<IpNet>,
    /// Requests that may be under way at once.
    pub in_flight_max: usize,
}

/// The router and all that stands before it.
pub struct Edge {
    router: Router,
    settings: Settings,
    ids: request_id::RequestIds,
    in_flight: Arc<AtomicUsize>,
    unmatched: RouteMetrics,
    /// Moves by [`TURN`] with each caller who is told to come back.
    told_to_wait: AtomicU32,
    /// Callers reach this server by TLS only, so they may remember that.
    tls: bool,
}

/// One request under way; gives its place back when it ends or its caller is gone.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer that takes memory until it was read; its place is taken as long.
struct Placed {
    body: Body,
    _place: Place,
}

impl HttpBody for Placed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn large(body: &Body) -> bool {
    let hint = body.size_hint();
    hint.upper().is_none_or(|bytes| bytes > SMALL_BYTES_MAX)
}

impl Edge {
    pub fn new(router: Router, settings: Settings, random: &dyn Random) -> Self {
        let tls = settings.origin.starts_with("https://");
        Self {
            tls,
            router,
            settings,
            ids: request_id::RequestIds::new(random),
            in_flight: Arc::default(),
            told_to_wait: AtomicU32::default(),
            unmatched: RouteMetrics::new(Surface::None, "none"),
        }
    }

    /// Answers one request of this peer.
    pub async fn answer<B>(&self, mut request: Request<B>, peer: IpAddr) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let headers = request.headers();
        let address = address::of(peer, headers, &self.settings.trusted_proxies);
        let call = Arc::new(Call::new(self.ids.of(headers), address));
        request.extensions_mut().insert(Arc::clone(&call));
        without_trailing_slash(request.uri_mut());
        // A shop may hand whatever it is answered to its customer.
        let silent = request.uri().path().starts_with(connections::PREFIX);
        let place = match self.enter() {
            Ok(place) => place,
            Err(error) => {
                let mut response = error.into_response();
                self.finish(&mut response, &call, silent);
                return response;
            }
        };
        let mut response = self.route(request, &call).await;
        self.finish(&mut response, &call, silent);
        // Whom nobody knows gets small answers and public documents only, and must not keep places.
        if call.standing().is_some() && large(response.body()) {
            response = response.map(|body| {
                Body::new(Placed {
                    body,
                    _place: place,
                })
            });
        }
        response
    }

    fn enter(&self) -> Result<Place, ApiError> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&self.in_flight));
        if before < self.settings.in_flight_max {
            return Ok(place);
        }
        metrics::shed("in_flight");
        Err(ApiError::new(Code::Overloaded))
    }

    /// A panic ends its request only. What it was about to do for money goes on in the engine.
    async fn route<B>(&self, request: Request<B>, call: &Call) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let mut router = self.router.clone();
        let answer = AssertUnwindSafe(router.call(request)).catch_unwind().await;
        match answer {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            // It may have been delivered: an error that sounds final would make the shop buy again.
            Err(_panic) if call.route().is_some_and(Route::executes) => {
                ApiError::new(Code::OutcomeUnknown).into_response()
            }
            Err(_panic) => ApiError::new(Code::InternalError).into_response(),
        }
    }

    fn finish(&self, response: &mut Response, call: &Call, silent: bool) {
        let error = response.extensions_mut().remove::<ApiError>();
        if let Some(error) = error.filter(|_| !silent) {
            let body = json_bytes(response.status(), error.to_json(&self.settings.origin));
            let (parts, body) = body.into_parts();
            // The router has measured the empty body that stood here.
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.headers_mut().extend(parts.headers);
            *response.body_mut() = body;
        }
        let headers = response.headers_mut();
        headers.insert(request_id::HEADER, call.id.clone());
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // Little is the same for everybody; what is says so itself.
        let cache = headers.entry(header::CACHE_CONTROL);
        cache.or_insert(HeaderValue::from_static("no-store"));
        if self.tls {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
        }
        if let Some(standing) = call.standing() {
            headers.insert(RATE_LIMIT, standing.header());
            headers.insert(RATE_LIMIT_POLICY, standing.policy.clone());
        }
        self.jitter(headers);
        let (status, took) = (response.status(), clock::instant() - call.started);
        let route = call.route();
        route
            .map_or(&self.unmatched, |route| &route.metrics)
            .record(status, took);
        tracing::debug!(
            target: "consign::access",
            { request.id = call.id.to_str().unwrap_or_default(),
            route = route.map_or("none", |route| route.template),
            key.id = call.key().map(tracing::field::display),
            status = status.as_u16(),
            took.micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX) },
            "answered"
        );
    }
}

impl Edge {
    /// Callers who are told to come back do not all come back at once.
    fn jitter(&self, headers: &mut HeaderMap) {
        let Some(told) = headers.get(header::RETRY_AFTER) else {
            return;
        };
        let seconds = told.to_str().ok().and_then(|text| text.parse::<u64>().ok());
        let seconds = seconds.unwrap_or(1).max(1);
        let turn = u64::from(self.told_to_wait.fetch_add(TURN, Ordering::Relaxed) >> 16);
        let later = ((seconds + 1).min(JITTER_SECONDS_MAX) * turn) >> 16;
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds + later));
    }
}

/// `/a/b/` is `/a/b`.
fn without_trailing_slash(uri: &mut Uri) {
    let path = uri.path();
    let Some(short) = path.strip_suffix('/').filter(|short| !short.is_empty()) else {
        return;
    };
    let text = uri.query().map_or(Cow::Borrowed(short), |query| {
        Cow::Owned(format!("{short}?{query}"))
    });
    let mut parts = axum::http::uri::Parts::default();
    parts.path_and_query = text.parse().ok();
    if let Ok(shortened) = Uri::from_parts(parts) {
        *uri = shortened;
    }
}

#[cfg(test)]
mod tests {
    use axum::{Extension, routing::get};
    use engine::random::SeededRandom;
    use http_body_util::BodyExt;

    use super::*;

    fn edge(in_flight_max: usize) -> Edge {
        edge_at("https://consign.example", in_flight_max)
    }

    fn edge_at(origin: &str, in_flight_max: usize) -> Edge {
        let router = Router::new()
            .route("/things", get(|| async { "all" }))
            .route(
                "/refused",
                get(|| async { ApiError::new(Code::OutOfStock) }),
            )
            .route(
                "/hooks/dynamic/con_1",
                get(|| async { ApiError::new(Code::OutOfStock) }),
            )
            .route("/bug", get(async || -> String { panic!("a defect") }));
        let settings = Settings {
            origin: origin.to_owned(),
            trusted_proxies: Vec::new(),
            in_flight_max,
        };
        Edge::new(router, settings, &SeededRandom::new(1))
    }

    async fn get_from(edge: &Edge, path: &str) -> (Response, String) {
        let request = Request::get(path)
            .header("x-request-id", "mine")
            .body(Body::empty())
            .unwrap();
        let response = edge.answer(request, "192.0.2.1".parse().unwrap()).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        (Response::from_parts(parts, Body::empty()), text)
    }

    #[tokio::test]
    async fn every_answer_has_the_request_id_and_the_security_headers() {
        for path in ["/things", "/refused", "/bug"] {
            let (response, _) = get_from(&edge(8), path).await;
            for (name, value) in [
                ("x-request-id", "mine"),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(response.headers()[name], value, "{path}");
            }
        }
    }

    #[tokio::test]
    async fn transport_security_is_asked_for_where_callers_come_by_tls() {
        for (origin, asked) in [
            ("https://consign.example", Some("max-age=31536000")),
            ("http://127.0.0.1:8080", None),
        ] {
            let (response, _) = get_from(&edge_at(origin, 8), "/refused").await;
            let header = response.headers().get("strict-transport-security");
            assert_eq!(
                header.map(|value| value.to_str().unwrap()),
                asked,
                "{origin}"
            );
        }
    }

    #[tokio::test]
    async fn callers_who_are_told_to_come_back_are_spread() {
        let edge = edge(0);
        let mut told = Vec::new();
        for _ in 0..100 {
            let (response, _) = get_from(&edge, "/things").await;
            let wait = response.headers()["retry-after"].to_str().unwrap();
            told.push(wait.parse::<u64>().unwrap());
        }
        let soon = told.iter().filter(|wait| **wait == 1).count();
        assert!((40..=60).contains(&soon), "{told:?}");
        assert!(told.iter().all(|wait| (1..=2).contains(wait)), "{told:?}");
    }

    #[tokio::test]
    async fn trailing_slash_makes_no_difference() {
        for path in ["/things", "/things/", "/things/?a=b"] {
            assert_eq!(get_from(&edge(8), path).await.1, "all", "{path}");
        }
    }

    #[tokio::test]
    async fn errors_are_rendered_with_the_public_origin() {
        let (response, body) = get_from(&edge(8), "/refused").await;
        assert_eq!(response.status(), 409);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert!(
            body.contains("https://consign.example/docs/errors#OUT_OF_STOCK"),
            "{body}"
        );
    }

    #[tokio::test]
    async fn shop_that_calls_hears_no_word_of_an_error() {
        let (response, body) = get_from(&edge(8), "/hooks/dynamic/con_1").await;
        assert_eq!((response.status().as_u16(), body.as_str()), (409, ""));
        let (response, body) = get_from(&edge(0), "/hooks/dynamic/con_1").await;
        assert_eq!((response.status().as_u16(), body.as_str()), (503, ""));
    }

    #[tokio::test]
    async fn panic_ends_its_request_only() {
        let edge = edge(8);
        let (response, body) = get_from(&edge, "/bug").await;
        assert_eq!(response.status(), 500);
        assert!(
            body.contains("INTERNAL_ERROR") && !body.contains("a defect"),
            "{body}"
        );
        assert_eq!(get_from(&edge, "/things").await.1, "all");
    }

    #[tokio::test]
    async fn panic_of_what_may_have_delivered_leaves_the_outcome_open() {
        let bug = async |Extension(call): Extension<Arc<Call>>| -> String {
            call.matched(Arc::new(Route {
                template: "/executes",
                body_bytes_max: 0,
                deadline: None,
                metrics: RouteMetrics::new(Surface::None, "/executes"),
            }));
            panic!("a defect")
        };
        let mut edge = edge(8);
        edge.router = Router::new().route("/executes", get(bug));
        let (response, body) = get_from(&edge, "/executes").await;
        assert_eq!(response.status(), 503);
        assert!(body.contains("OUTCOME_UNKNOWN"), "{body}");
    }

    #[tokio::test]
    async fn requests_beyond_the_bound_are_shed() {
        let edge = edge(0);
        let (response, body) = get_from(&edge, "/things").await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(body.contains("OVERLOADED"), "{body}");
    }
}
