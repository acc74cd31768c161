//! Connections as their owners make, change and end them.

use serde_json::{Value, json};

use crate::{
    connections::{CODE, Shop},
    support::with_world,
};

#[test]
fn secret_is_exchanged_and_shown_once() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        let path = world.connections(CODE);
        let mut body = world.connection_body("CUSTOM", "Antivirus");
        body.as_object_mut().unwrap().remove("secret");
        let send = async || {
            let call = world.as_member(&session, "POST", &path);
            call.header("idempotency-key", "k-1")
                .json(&body)
                .send()
                .await
        };
        let made = send().await.data(201);
        let first = made["secret"].as_str().unwrap().to_owned();
        let again = send().await.data(201);
        assert_eq!(
            (&again["id"], &again["secret"]),
            (&made["id"], &json!(null))
        );
        let mut shop = Shop {
            id: made["id"].as_str().unwrap().to_owned(),
            path: format!("/hooks/dynamic/{}", made["id"].as_str().unwrap()),
            kind: "CUSTOM",
            secret: first.clone(),
        };
        shop.serials(&world.asks(&shop, "S-1", 1).await);
        let rotate = async |body: Value| {
            let path = format!("{path}/{}/rotate-secret", made["id"].as_str().unwrap());
            world
                .as_member(&session, "POST", &path)
                .json(&body)
                .send()
                .await
                .data(200)
        };
        let rotated = rotate(json!({"secret": "the-second-secret"})).await;
        assert!(rotated["secret"].is_null() && rotated["old_secret_until"].is_string());
        for secret in [first.as_str(), "the-second-secret"] {
            secret.clone_into(&mut shop.secret);
            shop.serials(&world.asks(&shop, "S-1", 1).await);
        }
        let third = rotate(json!({"overlap_hours": 0})).await["secret"].clone();
        assert_eq!(world.asks(&shop, "S-1", 1).await.status, 401);
        third.as_str().unwrap().clone_into(&mut shop.secret);
        shop.serials(&world.asks(&shop, "S-1", 1).await);
        for table in ["connections", "idempotency_keys", "audit_log"] {
            let rows = format!("SELECT string_agg(to_jsonb(t)::text, '') FROM {table} AS t");
            let rows = world.scalar(&rows);
            for secret in [&first, "the-second-secret", &shop.secret] {
                assert!(!rows.contains(secret), "{table}");
            }
        }
    });
}

#[test]
fn connection_that_is_over_delivers_nothing_more() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        let merchant = world.merchant_key();
        let reseller = world.reseller(CODE).id;
        let own = world.connect((&session, CODE), "SELLAUTH", |_| {}).await;
        let other = world.connect((&session, CODE), "SELLIX", |_| {}).await;
        let third = world.connect((&session, CODE), "SELLAPP", |_| {}).await;
        let path = format!("{}/{}/revoke", world.connections(CODE), own.id);
        let revoke = async || {
            world
                .as_member(&session, "POST", &path)
                .json(&json!({}))
                .send()
                .await
        };
        assert_eq!(revoke().await.data(200)["status"], "REVOKED");
        assert_eq!(revoke().await.header("idempotent-replayed"), Some("true"));
        let listed = format!("/dev/v1/resellers/{reseller}/connections");
        let path = format!("{listed}/{}/revoke", other.id);
        let call = world.call("POST", &path).key(&merchant).json(&json!({}));
        assert_eq!(call.send().await.data(200)["status"], "REVOKED");
        let all = world
            .call("GET", &listed)
            .key(&merchant)
            .send()
            .await
            .data(200);
        let statuses: Vec<_> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["status"])
            .collect();
        assert_eq!(statuses, ["ACTIVE", "REVOKED", "REVOKED"]);
        let state = world.state();
        for shop in [&own, &other] {
            assert_eq!(world.asks(shop, "O-1", 1).await.status, 401);
            world
                .edit(&session, shop, json!({"status": "ACTIVE"}))
                .await
                .refused(409, "INVALID_STATE");
        }
        assert_eq!(world.state(), state);
        let path = format!("/dev/v1/resellers/{reseller}/terminate");
        let call = world
            .call("POST", &path)
            .key(&merchant)
            .json(&json!({"reason": "Over"}));
        call.send().await.data(200);
        assert_eq!(world.asks(&third, "O-1", 1).await.status, 401);
        assert_eq!(world.state(), state);
    });
}

#[test]
fn connections_that_cannot_be_are_not_made() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        let path = world.connections(CODE);
        let line = |at: &str, value: Value| {
            let mut body = world.connection_body("CUSTOM", "Antivirus");
            let (whose, field) = at.rsplit_once('/').unwrap();
            body.pointer_mut(whose).unwrap()[field] = value;
            body
        };
        let product = world.product("Antivirus").id.to_string();
        let twice = json!({"foreign_product": "p-1", "product_id": product});
        let mut preset = world.connection_body("SHOPPEX", "Antivirus");
        preset["paths"] = world.connection_body("CUSTOM", "Antivirus")["paths"].clone();
        let mut bare = world.connection_body("SHOPPEX", "Antivirus");
        bare.as_object_mut().unwrap().remove("secret");
        for (body, field) in [
            (line("/kind", json!("WOO")), "kind"),
            (line("/name", json!("")), "name"),
            (line("/secret", json!("short")), "secret"),
            (line("/daily_spend_cap", json!("-1")), "daily_spend_cap"),
            (line("/product_map", json!([])), "product_map"),
            (line("/product_map", json!([twice, twice])), "product_map.1"),
            (
                line("/product_map/0/product_id", json!("prd_x")),
                "product_map",
            ),
            (line("/paths/order_id", json!("order")), "paths.order_id"),
            (
                line("/paths/signature_header", json!("a b")),
                "paths.signature_header",
            ),
            (line("/paths/answer", json!("XML")), "paths.answer"),
            (line("/paths/line_id", json!("line")), "paths.line_id"),
            (line("/paths/event", json!("event")), "paths.event"),
            (line("/paths/event", json!("/event")), "paths.event_values"),
            (line("/paths/event_values", json!(["paid"])), "paths.event"),
            (line("/namespace", json!("MINE")), "namespace"),
            (preset, "paths"),
            (bare, "secret"),
        ] {
            let call = world.as_member(&session, "POST", &path).json(&body);
            let error = call.send().await.refused(422, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], field, "{error}");
        }
        assert_eq!(world.scalar("SELECT COUNT(*) FROM connections"), "0");
    });
}

#[test]
fn reseller_who_may_not_buy_has_no_connection() {
    with_world(async |world| {
        let session = world.shop_owner("demo-affiliate").await;
        let body = world.connection_body("SELLAUTH", "Antivirus");
        let call = world.as_member(&session, "POST", &world.connections("demo-affiliate"));
        call.json(&body)
            .send()
            .await
            .refused(403, "MODE_NOT_ALLOWED");
    });
}
