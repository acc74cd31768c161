//! A shop says when its customer opened a serial: the first word counts.

use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    async fn reveal(&self, key: &str, order: &Value, item: &str, body: &Value) -> Reply {
        let id = order["id"].as_str().unwrap();
        let path = format!("/reseller/v1/fulfillments/{id}/items/{item}/revealed");
        self.call("POST", &path).key(key).json(body).send().await
    }

    fn reveals(&self) -> String {
        self.scalar("SELECT COALESCE(string_agg(revealed_at::text, ' '), 'none') FROM reveals")
    }
}

#[test]
fn first_time_counts_and_every_reader_is_told() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let mut order = order_of("WOO-1", world.product("Antivirus"));
        order["quantity"] = json!(2);
        let sold = world.order(&key, &order).await.data(201);
        let item = &sold["lines"][0]["items"][1];
        assert_eq!(item["revealed_at"], Value::Null);
        let id = item["id"].as_str().unwrap();
        let at = json!({"revealed_at": "2025-12-01T08:00:00.250Z"});
        let told = world.reveal(&key, &sold, id, &at).await;
        let shown = told.data(200);
        assert_eq!(shown["revealed_at"], at["revealed_at"]);
        assert_eq!(shown["serial"], item["serial"]);
        assert_eq!(told.header("idempotent-replayed"), None);
        let again = world.reveal(&key, &sold, id, &json!({})).await;
        assert_eq!(again.data(200), shown, "a later word changes nothing");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));

        let path = format!("/reseller/v1/fulfillments/{}", sold["id"].as_str().unwrap());
        let read = world.call("GET", &path).key(&key).send().await.data(200);
        let replayed = world.order(&key, &order).await.data(200);
        let path = "/reseller/v1/fulfillments?external_order_id=WOO-1";
        let found = world.call("GET", path).key(&key).send().await.data(200);
        for order in [&read, &replayed, &found[0]] {
            let items = &order["lines"][0]["items"];
            assert_eq!(items[1]["revealed_at"], at["revealed_at"]);
            assert_eq!(items[0]["revealed_at"], Value::Null);
        }
        let first = sold["lines"][0]["items"][0]["id"].as_str().unwrap();
        let now = world.reveal(&key, &sold, first, &json!({})).await.data(200);
        assert!(now["revealed_at"].is_string(), "now, if nothing is said");
    });
}

#[test]
fn wrong_and_foreign_reveals_change_nothing() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let product = world.product("Antivirus");
        let sold = world
            .order(&key, &order_of("WOO-1", product))
            .await
            .data(201);
        let other = world
            .order(&key, &order_of("WOO-2", product))
            .await
            .data(201);
        let item = sold["lines"][0]["items"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        for at in [
            "2099-01-01T00:00:00.000Z",
            "yesterday",
            "1969-01-01T00:00:00Z",
        ] {
            let refused = world
                .reveal(&key, &sold, &item, &json!({"revealed_at": at}))
                .await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let odd = world.reveal(&key, &sold, &item, &json!({"at": 1})).await;
        odd.refused(422, "VALIDATION_ERROR");
        let nothing = json!({});
        for (key, order, item) in [
            (&key, &other, item.as_str()),
            (&key, &sold, "fit_00000000000000000000000000"),
            (&key, &sold, "x"),
            (&world.key("demo-auto"), &sold, item.as_str()),
        ] {
            let missing = world.reveal(key, order, item, &nothing).await;
            missing.refused(404, "NOT_FOUND");
        }
        assert_eq!(world.reveals(), "none");
    });
}
