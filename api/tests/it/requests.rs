//! Requests that are wrong before they mean anything.

use crate::support::{order_of, with_world};

const PATH: &str = "/reseller/v1/fulfillments";

#[test]
fn unknown_routes_and_methods_have_the_shape_of_errors() {
    with_world(async |world| {
        for path in [
            "/",
            "/reseller/v1",
            "/reseller/v1/nothing",
            "/reseller/v2/balance",
        ] {
            world
                .call("GET", path)
                .send()
                .await
                .refused(404, "NOT_FOUND");
        }
        let reply = world.call("DELETE", PATH).send().await;
        reply.refused(405, "METHOD_NOT_ALLOWED");
        let allowed = reply.header("allow").unwrap();
        assert!(
            allowed.contains("GET") && allowed.contains("POST"),
            "{allowed}"
        );
    });
}

#[test]
fn key_in_an_address_that_nothing_listens_to_is_refused_as_such() {
    with_world(async |world| {
        let key = world.key("demo-both");
        for (method, path) in [
            ("GET", "/nothing"),
            ("GET", "/docs"),
            ("DELETE", PATH),
            ("POST", PATH),
            ("POST", "/portal/v1/session"),
        ] {
            let path = format!("{path}?api_key={key}");
            let call = world.call(method, &path).send().await;
            call.refused(401, "UNAUTHORIZED");
        }
        world
            .call("GET", "/nothing?api_key=x")
            .send()
            .await
            .refused(401, "UNAUTHORIZED");
    });
}

#[test]
fn change_takes_nothing_from_its_query() {
    with_world(async |world| {
        let (key, before) = (world.key("demo-both"), world.state());
        let body = order_of("WOO-1", world.product("Antivirus"));
        for query in ["test=true", "quantity=2", "a=1&a=2", "%zz"] {
            let path = format!("{PATH}?{query}");
            let call = world.call("POST", &path).key(&key).json(&body);
            call.send().await.refused(400, "BAD_REQUEST");
        }
        assert_eq!(world.state(), before);
        let call = world
            .call("POST", &format!("{PATH}?"))
            .key(&key)
            .json(&body);
        call.send().await.data(201);
    });
}

#[test]
fn character_that_cannot_be_stored_is_not_valid_anywhere() {
    with_world(async |world| {
        let (key, merchant) = (world.key("demo-both"), world.merchant_key());
        let reseller = world.reseller("demo-both");
        let revoke = format!(
            "/dev/v1/resellers/{}/api-keys/{}/revoke",
            reseller.id, reseller.key.id
        );
        let suspend = format!("/dev/v1/resellers/{}/suspend", reseller.id);
        let reason = serde_json::json!({"reason": "a\u{0}b"});
        for path in [revoke, suspend] {
            let call = world.call("POST", &path).key(&merchant).json(&reason);
            call.send().await.refused(422, "VALIDATION_ERROR");
        }
        for path in [
            format!("{PATH}?external_order_id=%00"),
            "/reseller/v1/products?search=%00".to_owned(),
        ] {
            let call = world.call("GET", &path).key(&key);
            call.send().await.refused(422, "VALIDATION_ERROR");
        }
    });
}

#[test]
fn methods_that_the_dynamic_url_does_not_know_are_told_the_right_ones() {
    with_world(async |world| {
        let path = "/reseller/v1/fulfillments/dynamic";
        for method in ["HEAD", "POST", "TRACE", "PROPFIND"] {
            let reply = world.call(method, path).send().await;
            assert_eq!(reply.status.as_u16(), 405, "{method}");
            assert_eq!(reply.header("allow"), Some("GET"), "{method}");
        }
    });
}

#[test]
fn head_is_judged_before_the_caller_and_the_caller_before_the_body() {
    with_world(async |world| {
        let (key, before) = (world.key("demo-both"), world.state());
        let json = "application/json";
        let call = || world.call("POST", PATH);
        call()
            .body("text/plain", "{}")
            .send()
            .await
            .refused(415, "UNSUPPORTED_MEDIA_TYPE");
        call()
            .body(json, "{}")
            .header("content-encoding", "gzip")
            .send()
            .await
            .refused(415, "UNSUPPORTED_MEDIA_TYPE");
        call()
            .announce(65 * 1024)
            .send()
            .await
            .refused(413, "PAYLOAD_TOO_LARGE");
        call()
            .body(json, "{")
            .send()
            .await
            .refused(401, "UNAUTHORIZED");
        call()
            .key(&key)
            .body(json, "{")
            .send()
            .await
            .refused(400, "BAD_REQUEST");
        call()
            .key(&key)
            .body(json, "[]")
            .send()
            .await
            .refused(422, "VALIDATION_ERROR");
        let error = call()
            .key(&key)
            .send()
            .await
            .refused(422, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "external_order_id");
        let twice = r#"{"external_order_id":"a","external_order_id":"b"}"#;
        call()
            .key(&key)
            .body(json, twice)
            .send()
            .await
            .refused(422, "VALIDATION_ERROR");
        world
            .call("GET", "/reseller/v1/balance?a=1&a=2")
            .key(&key)
            .send()
            .await;
        assert_eq!(world.state(), before);
    });
}

#[test]
fn every_answer_has_its_headers() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let body = order_of("WOO-1", world.product("Antivirus"));
        let call = world
            .call("POST", PATH)
            .key(&key)
            .header("x-request-id", "mine-1");
        let reply = call.json(&body).send().await;
        for (name, value) in [
            ("x-request-id", "mine-1"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(reply.header(name), Some(value));
        }
        assert!(
            reply
                .header("ratelimit-policy")
                .unwrap()
                .starts_with("\"writes\";q=")
        );
        assert!(
            reply
                .header("ratelimit")
                .unwrap()
                .starts_with("\"writes\";r=")
        );
        assert!(reply.header("server").is_none());
        let unnamed = world
            .call("GET", "/nothing")
            .header("x-request-id", "a b")
            .send()
            .await;
        assert_ne!(unnamed.header("x-request-id"), Some("a b"));
        assert!(unnamed.header("x-request-id").is_some());
    });
}

#[test]
fn order_over_http_2_is_the_same() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let body = order_of("WOO-1", product);
        let call = || {
            world
                .call("POST", "/reseller/v1/fulfillments/")
                .key(&key)
                .json(&body)
        };
        let first = call().send_http2().await;
        assert_eq!(first.header("cache-control"), Some("no-store"));
        let told = first.data(201);
        assert_eq!(call().send().await.data(200)["serials"], told["serials"]);
        let untyped = world.call("POST", PATH).key(&key).bytes("{}");
        untyped
            .send_http2()
            .await
            .refused(415, "UNSUPPORTED_MEDIA_TYPE");
        world
            .call("GET", "/nothing")
            .send_http2()
            .await
            .refused(404, "NOT_FOUND");
    });
}
