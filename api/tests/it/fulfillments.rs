//! `POST /reseller/v1/fulfillments`: delivered once, told again, found later.

use serde_json::{Value, json};

use crate::support::{order_of, with_world};

/// The object without what differs between two answers about the same order.
fn lasting(fulfillment: &Value) -> Value {
    let mut lasting = fulfillment.clone();
    lasting["reused"] = Value::Null;
    lasting
}

#[test]
fn order_is_delivered_debited_and_answered_in_full() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let mut body = order_of("WOO-10231", product);
        body["quantity"] = json!(2);
        body["max_unit_price"] = json!(23.99);
        body["max_total"] = json!("47.98");
        body["metadata"] = json!({"cart": "7"});
        let reply = world.order(&key, &body).await;
        let told = reply.data(201);
        let serials = told["serials"].as_array().unwrap();
        assert_eq!(serials.len(), 2);
        let line = &told["lines"][0];
        assert_eq!(line["items"][1]["serial"], serials[1]);
        for (field, expected) in [
            ("external_order_id", json!("WOO-10231")),
            ("status", json!("DELIVERED")),
            ("channel", json!("API")),
            ("test", json!(false)),
            ("product_id", json!(product.id.to_string())),
            ("variant_id", Value::Null),
            ("product_title", json!("Antivirus Plus, 1 year")),
            ("quantity", json!(2)),
            ("unit_price", json!("23.99")),
            ("total", json!("47.98")),
            ("currency", json!("USD")),
            ("customer_email", json!("ann@example.com")),
            ("refunded_total", json!("0.00")),
            ("balance_after", json!("9952.02")),
            ("metadata", json!({"cart": "7"})),
            ("idempotency_key", Value::Null),
            ("reused", json!(false)),
        ] {
            assert_eq!(told[field], expected, "{field}");
        }
        assert_eq!(told["id"], told["uniqid"]);
        assert_eq!(world.balance(&key).await["balance"], "9952.02");
    });
}

#[test]
fn repeated_order_is_told_again_and_executed_once() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let body = order_of("WOO-1", product);
        let first = world.order(&key, &body).await.data(201);
        let state = world.state();
        let again = world.order(&key, &body).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let again = again.data(200);
        assert_eq!(again["reused"], true);
        assert_eq!(lasting(&again), lasting(&first));
        assert_eq!(world.state(), state);
    });
}

#[test]
fn same_order_at_once_is_executed_once() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let body = order_of("WOO-1", product);
        let calls = (0..16).map(|_| world.order(&key, &body));
        let replies = futures_util::future::join_all(calls).await;
        let created = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(created, 1);
        let serials: Vec<_> = replies
            .iter()
            .map(|r| r.json()["data"]["serials"].clone())
            .collect();
        assert!(
            serials
                .iter()
                .all(|told| *told == serials[0] && told[0].is_string())
        );
    });
}

#[test]
fn order_is_found_by_its_id_and_by_the_shops_own() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let first = world
            .order(&key, &order_of("WOO 1/ä", product))
            .await
            .data(201);
        let get = async |path: &str| world.call("GET", path).key(&key).send().await;
        let path = format!(
            "/reseller/v1/fulfillments/{}/",
            first["id"].as_str().unwrap()
        );
        assert_eq!(lasting(&get(&path).await.data(200)), lasting(&first));
        let found = get("/reseller/v1/fulfillments?external_order_id=WOO+1%2F%C3%A4").await;
        assert_eq!(lasting(&found.data(200)[0]), lasting(&first));
        let free = get("/reseller/v1/fulfillments?external_order_id=WOO-2").await;
        let none = json!({"data": [], "pagination": {"next_cursor": null, "has_more": false}});
        assert_eq!(free.json(), none);
    });
}

#[test]
fn order_of_somebody_else_is_not_found() {
    with_world(async |world| {
        let product = world.product("Antivirus");
        let theirs = world
            .order(&world.key("demo-both"), &order_of("WOO-1", product))
            .await;
        let id = theirs.data(201)["id"].as_str().unwrap().to_owned();
        let key = world.key("demo-stock");
        for path in [
            format!("/reseller/v1/fulfillments/{id}"),
            format!("/reseller/v1/orders/{id}"),
            "/reseller/v1/fulfillments/ful_x".to_owned(),
            "/reseller/v1/fulfillments/ful_00000000000000000000000000".to_owned(),
            id.replacen("ful", "/reseller/v1/fulfillments/led", 1),
        ] {
            world
                .call("GET", &path)
                .key(&key)
                .send()
                .await
                .refused(404, "NOT_FOUND");
        }
        let own = world
            .order(&key, &order_of("WOO-1", product))
            .await
            .data(201);
        assert_ne!(own["serials"], theirs.json()["data"]["serials"]);
    });
}

#[test]
fn variant_is_delivered_from_its_own_stock() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Starfall"));
        let mut body = order_of("WOO-1", product);
        body["variant_id"] = json!(product.variants[1].id.to_string());
        let told = world.order(&key, &body).await.data(201);
        assert_eq!(told["lines"][0]["variant_title"], "Deluxe");
        assert_eq!(told["unit_price"], "23.99");
    });
}

#[test]
fn idempotency_key_is_kept_for_search_and_binds_nothing() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        for (order, from_body) in [("a", None), ("b", Some("own"))] {
            let mut body = order_of(order, product);
            body["idempotency_key"] = json!(from_body);
            let call = world.call("POST", "/reseller/v1/fulfillments").key(&key);
            let reply = call
                .header("idempotency-key", "same")
                .json(&body)
                .send()
                .await;
            assert_eq!(
                reply.data(201)["idempotency_key"],
                from_body.unwrap_or("same")
            );
        }
    });
}
