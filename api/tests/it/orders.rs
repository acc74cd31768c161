//! `/reseller/v1/orders`: several lines, all or none, and one record with `/fulfillments`.

use serde_json::json;

use crate::support::{order_of, with_world};

const PATH: &str = "/reseller/v1/orders";

#[test]
fn order_of_several_lines_is_all_or_nothing() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let item = |title: &str, quantity: u32| json!({"product_id": world.product(title).id.to_string(), "variant_id": null, "quantity": quantity});
        let short = json!({"items": [item("Antivirus", 2), item("Closed beta", 4)], "customer_email": "ann@example.com"});
        let state = world.state();
        let call = world
            .call("POST", PATH)
            .key(&key)
            .header("idempotency-key", "cart-1");
        call.json(&short).send().await.refused(409, "OUT_OF_STOCK");
        assert_eq!(world.state(), state);
        let body = json!({"items": [item("Antivirus", 2), item("Closed beta", 1), item("Antivirus", 1)], "max_total": "75.97"});
        let call = || {
            world
                .call("POST", PATH)
                .key(&key)
                .header("idempotency-key", "cart-1")
                .json(&body)
        };
        let told = call().send().await.data(201);
        assert_eq!(told["order"]["external_order_id"], "cart-1");
        assert_eq!(told["order"]["total"], "75.96");
        assert_eq!(told["deliverables"].as_array().unwrap().len(), 3);
        assert_eq!(
            told["deliverables"][0]["serials"].as_array().unwrap().len(),
            2
        );
        let again = call().send().await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200)["deliverables"], told["deliverables"]);
        let id = told["order"]["id"].as_str().unwrap();
        let found = world
            .call("GET", &format!("{PATH}/{id}"))
            .key(&key)
            .send()
            .await
            .data(200);
        assert_eq!(found["lines"], told["deliverables"]);
        let path = format!("/reseller/v1/fulfillments/{id}");
        let other = world.call("GET", &path).key(&key).send().await.data(200);
        assert_eq!(
            (&other["product_id"], &other["quantity"], &other["channel"]),
            (&json!(null), &json!(4), &json!("ORDERS"))
        );
    });
}

#[test]
fn both_generations_share_the_order_ids() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let first = world
            .order(&key, &order_of("cart-1", product))
            .await
            .data(201);
        let items = json!([{"product_id": product.id.to_string(), "quantity": 1}]);
        let same = json!({"items": items, "customer_email": "ann@example.com"});
        let call = |body| {
            world
                .call("POST", PATH)
                .key(&key)
                .header("idempotency-key", "cart-1")
                .json(body)
        };
        let told = call(&same).send().await.data(200);
        assert_eq!(told["deliverables"][0]["serials"], first["serials"]);
        call(&json!({"items": items}))
            .send()
            .await
            .refused(422, "ORDER_MISMATCH");
    });
}

#[test]
fn order_without_an_id_or_with_two_is_refused() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let body = json!({"items": [{"product_id": product.id.to_string(), "quantity": 1}], "external_order_id": "b"});
        let mut unnamed = body.clone();
        unnamed["external_order_id"] = json!(null);
        world
            .call("POST", PATH)
            .key(&key)
            .json(&unnamed)
            .send()
            .await
            .refused(422, "VALIDATION_ERROR");
        let call = world
            .call("POST", PATH)
            .key(&key)
            .header("idempotency-key", "a");
        call.json(&body)
            .send()
            .await
            .refused(422, "VALIDATION_ERROR");
        world
            .call("POST", PATH)
            .key(&key)
            .json(&body)
            .send()
            .await
            .data(201);
    });
}
