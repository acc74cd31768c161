//! What operators see, and nobody else.

use crate::support::{Call, order_of, with_world};

#[test]
fn operators_see_life_readiness_and_metrics() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let told = world
            .order(&key, &order_of("WOO-1", world.product("Antivirus")))
            .await;
        let get = async |path: &str| {
            Call::new(world.server.ops_address(), "GET", path)
                .send()
                .await
        };
        assert_eq!(get("/livez").await.text(), "ok");
        let ready = get("/readyz").await;
        assert_eq!(
            (ready.status.as_u16(), &ready.json()["status"]),
            (200, &"ready".into())
        );
        let metrics = get("/metrics").await.text();
        for part in [
            "consign_http_requests_total{surface=\"reseller\",route=\"/reseller/v1/fulfillments\",status=\"201\"}",
            "consign_http_request_duration_seconds_bucket",
            "consign_fulfillments_total",
            "process_resident_memory_bytes",
        ] {
            assert!(metrics.contains(part), "{part} in\n{metrics}");
        }
        let serial = told.data(201)["serials"][0].as_str().unwrap().to_owned();
        for secret in [key.as_str(), "ann@example.com", "WOO-1", &serial] {
            assert!(!metrics.contains(secret));
        }
        world
            .call("GET", "/metrics")
            .send()
            .await
            .refused(404, "NOT_FOUND");
    });
}

#[test]
fn draining_server_refuses_orders_and_says_so() {
    with_world(async |world| {
        let (key, body) = (
            world.key("demo-both"),
            order_of("WOO-1", world.product("Antivirus")),
        );
        world.order(&key, &body).await.data(201);
        world.server.app().engine.drain().await;
        let state = world.state();
        let other = order_of("WOO-2", world.product("Antivirus"));
        let refused = world.order(&key, &other).await;
        refused.refused(503, "OVERLOADED");
        assert!(refused.header("retry-after").is_some());
        assert_eq!(world.state(), state);
        let ready = Call::new(world.server.ops_address(), "GET", "/readyz")
            .send()
            .await;
        assert_eq!(
            (ready.status.as_u16(), &ready.json()["status"]),
            (503, &"draining".into())
        );
    });
}
