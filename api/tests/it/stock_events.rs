//! Events of products: told once to each side that they concern, from what is on the shelf.

use serde_json::{Value, json};

use crate::support::{World, with_world};

impl World {
    /// Reads the merchant's feed on from a number until an event of this name and change comes.
    async fn shelf_event(&self, after: &mut i64, change: &str) -> Value {
        for _ in 0..40 {
            let path = format!("/dev/v1/events?after={after}&wait=20&limit=1");
            let page = self.call("GET", &path).key(&self.merchant_key());
            let page = page.send().await.json();
            *after = page["pagination"]["next_after"].as_i64().unwrap();
            let event = &page["data"][0];
            if event["event"] == "product:stock" {
                assert_eq!(event["data"]["change"], change, "{event}");
                return event.clone();
            }
        }
        panic!("no event says {change}");
    }

    async fn shelf_post(&self, path: &str, body: &Value, status: u16) -> Value {
        let path = format!("/dev/v1/{path}");
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.json(body).send().await.data(status)
    }

    async fn shelf_patch(&self, path: &str, body: &Value) -> Value {
        let path = format!("/dev/v1/{path}");
        let call = self.call("PATCH", &path).key(&self.merchant_key());
        call.json(body).send().await.data(200)
    }

    /// The events of products in a reseller's feed so far.
    async fn told_of_products(&self, code: &str) -> Vec<(String, Value)> {
        let path = "/reseller/v1/events?types=product:stock,product:price_changed,\
            product_access:updated&limit=500";
        let page = self.call("GET", path).key(&self.key(code)).send().await;
        let told = page.json()["data"].as_array().unwrap().clone();
        let told = told.into_iter();
        told.map(|event| {
            (
                event["event"].as_str().unwrap().to_owned(),
                event["data"].clone(),
            )
        })
        .collect()
    }
}

#[test]
fn shelf_that_fills_runs_low_and_runs_out_is_told_to_whom_it_concerns() {
    with_world(async |world| {
        let product = json!({"title": "Orbit", "type": "SERIALS", "base_price": "2.00",
            "wholesale_price": "1.00", "low_stock_threshold": 2});
        let id = world.shelf_post("products", &product, 201).await["id"].clone();
        let id = id.as_str().unwrap();
        let (reseller, key) = (world.reseller("demo-both").id, world.key("demo-both"));
        let access = json!({"product_ids": [id]});
        world
            .shelf_patch(&format!("resellers/{reseller}"), &access)
            .await;
        world
            .shelf_patch(&format!("resellers/{reseller}"), &access)
            .await;

        let mut after = 0;
        let serials = format!("products/{id}/serials");
        let four = json!({"serials": ["A", "B", "C", "D"]});
        world.shelf_post(&serials, &four, 201).await;
        let back = world.shelf_event(&mut after, "BACK").await;
        assert_eq!(
            back["data"],
            json!({"product_id": id, "variant_id": null, "change": "BACK", "stock": 4})
        );
        let order = json!({"external_order_id": "WOO-1", "product_id": id, "quantity": 2,
            "customer_email": "ann@example.com"});
        world.order(&key, &order).await.data(201);
        let low = world.shelf_event(&mut after, "LOW").await;
        assert_eq!(low["data"]["stock"], 2);
        let claim = format!("products/{id}/serials/claim");
        world.shelf_post(&claim, &json!({"amount": 2}), 200).await;
        let out = world.shelf_event(&mut after, "OUT").await;
        assert_eq!(out["data"]["stock"], 0);

        let told = world.told_of_products("demo-both").await;
        let names: Vec<_> = told
            .iter()
            .map(|(name, data)| (name.as_str(), data["change"].as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("product_access:updated", None),
                ("product:stock", Some("BACK")),
                ("product:stock", Some("OUT")),
            ],
            "access was set twice and changed once; that it is low is the merchant's"
        );
        assert_eq!(told[1].1, back["data"]);
        let other = world.told_of_products("demo-auto").await;
        assert_eq!(other, [], "who may not sell it hears nothing");
    });
}

#[test]
fn another_price_is_told_to_who_may_sell_it_and_another_title_is_not() {
    with_world(async |world| {
        let id = world.product("Antivirus").id.to_string();
        let path = format!("products/{id}");
        world.shelf_patch(&path, &json!({"title": "Renamed"})).await;
        world
            .shelf_patch(&path, &json!({"base_price": "41.00"}))
            .await;
        let told = world
            .event(&world.key("demo-both"), "product:price_changed")
            .await;
        assert_eq!(told["data"]["product_id"], id);
        assert!(told["data"]["price_version"].as_i64().unwrap() > 2);
        let told = world.told_of_products("demo-both").await;
        assert_eq!(told.len(), 1);
        let path = "/dev/v1/events?types=product:price_changed";
        let merchants = world.call("GET", path).key(&world.merchant_key());
        assert_eq!(merchants.send().await.json()["data"], json!([]));
    });
}
