//! Serials of an inventory that the merchant takes back.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@example.com";
const CUSTOMER: &str = "carl@customer.example";

impl World {
    async fn item_call(&self, item: &Value, verb: &str, body: &Value) -> Reply {
        let path = format!("inventory/{}/{verb}", item["id"].as_str().unwrap());
        self.dev_of(CODE, "POST", &path).json(body).send().await
    }

    fn stock_refunds(&self) -> String {
        self.scalar(
            "SELECT COUNT(*) || ' of ' || COALESCE(SUM(amount), 0) FROM ledger_entries
             WHERE kind = 7",
        )
    }

    fn unit_price(&self) -> i64 {
        let price = self.scalar("SELECT unit_price FROM stock_requests LIMIT 1");
        price.parse().unwrap()
    }
}

#[test]
fn revoked_purchase_pays_back_what_never_left_and_keeps_its_claims() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let bought = world.buy_stock(CODE, "Antivirus", 4).await.data(201);
        let items = world.owned_items().await;
        let delivered = json!({"email": CUSTOMER});
        world
            .item_call(&items[0], "deliver", &delivered)
            .await
            .data(200);
        let path = format!("inventory/{}/reveal", items[1]["id"].as_str().unwrap());
        world
            .in_portal(&session, "POST", &path)
            .send()
            .await
            .data(200);
        let claims = world.scalar("SELECT COUNT(*) FROM serial_claims");

        let silent = world
            .transfer(&bought, "revoke", &json!({"refund": "none"}))
            .await;
        silent.refused(422, "VALIDATION_ERROR");
        let reason = json!({"reason": "fraud"});
        let calls = (0..4).map(|_| world.transfer(&bought, "revoke", &reason));
        for reply in join_all(calls).await {
            let revoked = reply.data(200);
            assert_eq!(
                (&revoked["status"], &revoked["status_reason"]),
                (&json!("REVOKED"), &json!("fraud"))
            );
            let counts = ["revoked_count", "delivered_count", "handed_over_count"];
            assert_eq!(
                counts.map(|count| revoked[count].as_u64()),
                [Some(3), Some(1), Some(2)]
            );
        }
        let back = 2 * world.unit_price();
        assert_eq!(world.stock_refunds(), format!("1 of {back}"));
        assert_eq!(world.scalar("SELECT COUNT(*) FROM serial_claims"), claims);

        let late = world.item_call(&items[2], "deliver", &delivered).await;
        let error = late.refused(409, "INVALID_STATE");
        assert_eq!(error["details"][0]["message"], "REVOKED");
        let path = format!("inventory/{}/reveal", items[2]["id"].as_str().unwrap());
        let reveal = world.in_portal(&session, "POST", &path).send().await;
        reveal.refused(409, "INVALID_STATE");
        let told = "/dev/v1/events?after=0&wait=20&types=inventory:revoked";
        let told = world.call("GET", told).key(&world.merchant_key());
        let told = told.send().await.json();
        assert_eq!(told["data"][0]["data"]["quantity"], 3);
    });
}

#[test]
fn item_is_taken_back_once_and_from_a_customer_only_for_a_reason() {
    with_world(async |world| {
        let bought = world.buy_stock(CODE, "Antivirus", 3).await.data(201);
        let items = world.owned_items().await;
        let delivered = json!({"email": CUSTOMER});
        world
            .item_call(&items[0], "deliver", &delivered)
            .await
            .data(200);
        let (price, nothing) = (world.unit_price(), json!({}));
        let calls = (0..4).map(|_| world.item_call(&items[1], "revoke", &nothing));
        for reply in join_all(calls).await {
            let item = reply.data(200);
            assert_eq!(item["status"], "REVOKED");
            assert!(item["serial"].as_str().unwrap().starts_with('…'), "masked");
        }
        assert_eq!(world.stock_refunds(), format!("1 of {price}"));
        assert_eq!(world.read_transfer(&bought).await["status"], "ALLOCATED");
        let free = json!({"refund": "NONE", "reason": "given away"});
        world.item_call(&items[2], "revoke", &free).await.data(200);
        assert_eq!(world.stock_refunds(), format!("1 of {price}"));
        let done = world.read_transfer(&bought).await;
        assert_eq!(done["status"], "DELIVERED", "nothing is left to deliver");

        let silent = world.item_call(&items[0], "revoke", &nothing).await;
        silent.refused(422, "VALIDATION_ERROR");
        let said = json!({"reason": "stolen card"});
        world.item_call(&items[0], "revoke", &said).await.data(200);
        assert_eq!(world.stock_refunds(), format!("1 of {price}"), "it left");
        let ended = world.read_transfer(&bought).await;
        assert_eq!(
            (&ended["status"], &ended["counts"]["revoked"]),
            (&json!("REVOKED"), &json!(3))
        );
        let other = json!({"email": "dora@customer.example"});
        let gone = world.item_call(&items[1], "deliver", &other).await;
        gone.refused(409, "INVALID_STATE");
    });
}

#[test]
fn only_what_has_its_serials_is_revoked() {
    with_world(async |world| {
        let product = world.product("Antivirus").id.to_string();
        let asked = json!({"product_id": product, "quantity": 1});
        let asked = world.ask_stock(CODE, &asked).await.data(201);
        let waits = world.transfer(&asked, "revoke", &json!({})).await;
        waits.refused(409, "INVALID_STATE");
        let word = world
            .transfer(&asked, "revoke", &json!({"refund": "all"}))
            .await;
        word.refused(422, "VALIDATION_ERROR");
        assert_eq!(world.stock_refunds(), "0 of 0");
    });
}
