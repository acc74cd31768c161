//! `POST /reseller/v1/fulfillments/bulk`: rows are independent.

use engine::{api_keys::Scope, relationships::KeyTerms};
use persistence::api_keys::NewKey;
use serde_json::{Value, json};

use crate::support::{order_of, with_world};

const PATH: &str = "/reseller/v1/fulfillments/bulk";

#[test]
fn each_row_gets_its_own_answer() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let mut dear = order_of("dear", product);
        dear["max_total"] = json!("0.01");
        let mut wrong = order_of("wrong", product);
        wrong["price"] = json!("1.00");
        let rows = vec![
            order_of("a", product),
            wrong,
            dear,
            order_of("b", product),
            order_of("a", product),
        ];
        let call = world
            .call("POST", PATH)
            .key(&key)
            .json(&json!({"rows": rows}));
        let data = call.send().await.data(200);
        let told: Vec<Value> = data["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| json!([row["index"], row["external_order_id"], row["code"]]))
            .collect();
        assert_eq!(
            told,
            [
                json!([0, "a", null]),
                json!([1, "wrong", "VALIDATION_ERROR"]),
                json!([2, "dear", "PRICE_CHANGED"]),
                json!([3, "b", null]),
                json!([4, "a", null]),
            ]
        );
        let statuses = |index: usize| data["results"][index]["status"].as_u64().unwrap();
        assert_eq!([statuses(1), statuses(2), statuses(3)], [422, 422, 201]);
        let mut twice = [statuses(0), statuses(4)];
        twice.sort_unstable();
        assert_eq!(twice, [200, 201]);
        assert_eq!(
            (&data["succeeded"], &data["failed"]),
            (&json!(3), &json!(2))
        );
        assert_eq!(data["results"][3]["fulfillment"]["channel"], "BULK");
        assert_eq!(world.balance(&key).await["balance"], "9952.02");
    });
}

#[test]
fn hundred_rows_are_delivered_and_charged_to_the_bucket() {
    with_world(async |world| {
        let (scopes, terms) = ([Scope::FulfillmentsWrite], KeyTerms::default());
        let slow = |key: &mut NewKey| key.rate_limit_per_second = Some(1);
        let key = world.new_key("demo-both", &scopes, terms, slow).await.text;
        let product = world.product("Gift card");
        let rows: Vec<_> = (0..100)
            .map(|row| order_of(&format!("row-{row}"), product))
            .collect();
        let body = json!({"rows": rows});
        let call = async || world.call("POST", PATH).key(&key).json(&body).send().await;
        assert_eq!(call().await.data(200)["succeeded"], 100);
        call().await.refused(429, "RATE_LIMITED");
    });
}

#[test]
fn more_than_a_hundred_rows_are_refused_as_a_whole() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Gift card"));
        let rows: Vec<_> = (0..101)
            .map(|row| order_of(&format!("row-{row}"), product))
            .collect();
        let (state, body) = (world.state(), json!({"rows": rows}));
        let call = world.call("POST", PATH).key(&key).json(&body);
        call.send().await.refused(422, "VALIDATION_ERROR");
        assert_eq!(world.state(), state);
    });
}
