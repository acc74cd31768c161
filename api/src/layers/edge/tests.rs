//! The outermost layer, around a small router.

use axum::{body::Body, routing::get};
use engine::random::SeededRandom;
use http_body_util::BodyExt;

use super::*;

fn edge(in_flight_max: usize) -> Edge {
    let router = Router::new()
        .route("/things", get(|| async { "all" }))
        .route(
            "/refused",
            get(|| async { ApiError::new(Code::OutOfStock) }),
        )
        .route("/bug", get(async || -> String { panic!("a defect") }));
    let settings = Settings {
        origin: "https://consign.example".into(),
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
async fn requests_beyond_the_bound_are_shed() {
    let edge = edge(0);
    let (response, body) = get_from(&edge, "/things").await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert!(body.contains("OVERLOADED"), "{body}");
}
