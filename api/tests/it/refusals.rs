//! Every no to an order: its code, its status, and that nothing was changed.

use engine::{api_keys::Scope, money::Money, relationships::KeyTerms};
use serde_json::{Value, json};

use crate::support::{World, order_of, with_world};

/// Sends an order that must be refused, and looks whether anything was changed.
async fn check(world: &World, key: &str, body: &Value, expected: (u16, &str)) -> Value {
    let before = world.state();
    let error = world.order(key, body).await.refused(expected.0, expected.1);
    assert_eq!(world.state(), before, "{error}");
    error
}

#[test]
fn price_above_the_maximum_is_refused_with_the_price() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        for (field, given, detail) in [
            ("max_unit_price", json!("23.98"), "unit_price"),
            ("max_total", json!(23.98), "total"),
        ] {
            let mut body = order_of("WOO-1", product);
            body[field] = given;
            let error = check(world, &key, &body, (422, "PRICE_CHANGED")).await;
            assert_eq!(
                error["details"],
                json!([{"field": detail, "message": "23.99"}])
            );
        }
    });
}

#[test]
fn order_beyond_the_balance_is_refused_with_both_amounts() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-broke"), world.product("Antivirus"));
        let body = order_of("WOO-1", product);
        let error = check(world, &key, &body, (402, "INSUFFICIENT_BALANCE")).await;
        let told = "Required 23.99 USD, available 12.00 USD. Nothing was delivered.";
        assert_eq!(error["message"], told);
        assert_eq!(
            error["details"][0],
            json!({"field": "required", "message": "23.99"})
        );
    });
}

#[test]
fn order_beyond_the_stock_is_refused_and_may_be_sent_again() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Closed beta"));
        let mut body = order_of("WOO-1", product);
        body["quantity"] = json!(4);
        check(world, &key, &body, (409, "OUT_OF_STOCK")).await;
        body["quantity"] = json!(3);
        assert_eq!(world.order(&key, &body).await.data(201)["quantity"], 3);
    });
}

#[test]
fn bound_order_id_is_refused_to_another_request_and_shows_nothing() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let mut body = order_of("WOO-1", product);
        let first = world.order(&key, &body).await.data(201);
        body["quantity"] = json!(2);
        body["customer_email"] = json!("bob@example.com");
        let error = check(world, &key, &body, (422, "ORDER_MISMATCH")).await;
        let fields: Vec<_> = error["details"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| &d["field"])
            .collect();
        assert_eq!(fields, ["customer_email", "quantity"]);
        assert!(
            !error
                .to_string()
                .contains(first["serials"][0].as_str().unwrap())
        );
    });
}

#[test]
fn products_that_may_not_be_sold_are_refused() {
    with_world(async |world| {
        let key = world.key("demo-both");
        for product_id in [
            "prd_x",
            "prd_00000000000000000000000000",
            "var_00000000000000000000000000",
        ] {
            let mut body = order_of("WOO-1", world.product("Antivirus"));
            body["product_id"] = json!(product_id);
            check(world, &key, &body, (404, "NOT_FOUND")).await;
        }
        let service = order_of("WOO-1", world.product("Setup service"));
        check(world, &key, &service, (422, "PRODUCT_NOT_ELIGIBLE")).await;
        let variant = order_of("WOO-1", world.product("Starfall"));
        let error = check(world, &key, &variant, (422, "VALIDATION_ERROR")).await;
        assert_eq!(error["details"][0]["field"], "variant_id");
    });
}

#[test]
fn relationship_that_is_not_active_or_sells_otherwise_is_refused() {
    with_world(async |world| {
        let product = world.product("Antivirus");
        let body = order_of("WOO-1", product);
        let suspended = world.key("demo-suspended");
        let error = check(world, &suspended, &body, (403, "RELATIONSHIP_INACTIVE")).await;
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("Too many complaints")
        );
        check(
            world,
            &world.key("demo-affiliate"),
            &body,
            (403, "MODE_NOT_ALLOWED"),
        )
        .await;
    });
}

#[test]
fn delivered_order_is_told_again_whatever_was_switched_off_since() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let body = order_of("WOO-1", product);
        let first = world.order(&key, &body).await.data(201);
        world.sql("UPDATE programs SET enabled = false, version = version + 1");
        world.sql("UPDATE relationships SET version = version + 1");
        world.terms_changed("demo-both").await;
        let other = order_of("WOO-2", product);
        check(world, &key, &other, (403, "PROGRAM_DISABLED")).await;
        assert_eq!(
            world.order(&key, &body).await.data(200)["serials"],
            first["serials"]
        );
    });
}

#[test]
fn purchase_limit_is_exact() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        world.sql("UPDATE relationships SET purchase_limit_daily = 4798, version = version + 1");
        world.terms_changed("demo-both").await;
        let mut body = order_of("WOO-1", product);
        body["quantity"] = json!(2);
        world.order(&key, &body).await.data(201);
        let one_more = order_of("WOO-2", product);
        let error = check(world, &key, &one_more, (403, "PURCHASE_LIMIT_EXCEEDED")).await;
        assert_eq!(
            error["details"][0],
            json!({"field": "limit", "message": "47.98"})
        );
        assert_eq!(
            error["details"][1],
            json!({"field": "used", "message": "47.98"})
        );
        assert_eq!(error["details"][2]["field"], "resets_at");
    });
}

#[test]
fn what_a_key_may_buy_is_bounded() {
    with_world(async |world| {
        let product = world.product("Antivirus");
        let terms = KeyTerms {
            products: vec![product.id],
            max_quantity: Some(2),
            daily_spend_cap: Money::from_minor(2400),
        };
        let scopes = [Scope::FulfillmentsWrite];
        let key = world
            .new_key("demo-both", &scopes, terms, |_| ())
            .await
            .text;
        let foreign = order_of("WOO-1", world.product("Gift card"));
        check(world, &key, &foreign, (403, "PRODUCT_NOT_ALLOWED")).await;
        let mut many = order_of("WOO-1", product);
        many["quantity"] = json!(3);
        let error = check(world, &key, &many, (422, "QUANTITY_OUT_OF_RANGE")).await;
        assert_eq!(
            error["details"][1],
            json!({"field": "max_quantity", "message": "2"})
        );
        many["quantity"] = json!(2);
        check(world, &key, &many, (403, "SPEND_CAP_EXCEEDED")).await;
        world
            .order(&key, &order_of("WOO-1", product))
            .await
            .data(201);
    });
}

#[test]
fn fields_out_of_bounds_are_named() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let long = "x".repeat(129);
        for (field, value) in [
            ("external_order_id", json!("")),
            ("external_order_id", json!(long)),
            ("external_order_id", json!("consign:1")),
            ("external_order_id", json!(5)),
            ("external_order_id", Value::Null),
            ("customer_email", json!("ann")),
            ("quantity", json!(0)),
            ("quantity", json!(101)),
            ("quantity", json!("1")),
            ("max_unit_price", json!("1e3")),
            ("max_unit_price", json!(8.501)),
            ("max_total", json!("-1")),
            ("metadata", json!([])),
            ("notify_customer", json!("yes")),
            ("price", json!("1.00")),
        ] {
            let mut body = order_of("WOO-1", world.product("Antivirus"));
            body[field] = value;
            let error = check(world, &key, &body, (422, "VALIDATION_ERROR")).await;
            assert_eq!(error["details"][0]["field"], field, "{error}");
        }
    });
}
