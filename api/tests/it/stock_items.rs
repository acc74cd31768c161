//! Items that a reseller bought: handed on to one customer each, and shown to nobody unnoted.

use serde_json::{Value, json};

use crate::support::with_world;

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@example.com";
const CUSTOMER: &str = "Carl@customer.example";

fn ends_alike(masked: &Value, serial: &Value) -> bool {
    let (masked, serial) = (masked.as_str().unwrap(), serial.as_str().unwrap());
    masked != serial && serial.ends_with(masked.trim_start_matches('…'))
}

#[test]
fn item_goes_to_one_customer_once() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let bought = world.buy_stock(CODE, "Antivirus", 2).await.data(201);
        let items = world.owned_items().await;
        let deliver = |item: &Value, email: &str| {
            let path = format!("inventory/{}/deliver", item["id"].as_str().unwrap());
            let call = world.in_portal(&session, "POST", &path);
            call.json(&json!({"email": email})).send()
        };
        let mails = || world.scalar("SELECT COUNT(*) FROM mails WHERE kind = 'inventory-item'");
        let given = deliver(&items[0], CUSTOMER).await.data(200);
        assert_eq!(
            (&given["status"], &given["customer_email"]),
            (&json!("DELIVERED"), &json!("carl@customer.example"))
        );
        assert!(ends_alike(&items[0]["serial"], &given["serial"]));
        assert_eq!(given["handed_over_at"], given["delivered_at"]);
        let letter = world.letters().await.pop().unwrap();
        assert!(letter.text.contains(given["serial"].as_str().unwrap()));
        assert_eq!(letter.to, "carl@customer.example");
        let again = deliver(&items[0], "CARL@customer.example").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200), given);
        assert_eq!(mails(), "1");
        let other = deliver(&items[0], "dora@customer.example").await;
        let error = other.refused(409, "INVALID_STATE");
        assert_eq!(error["details"][0]["message"], "DELIVERED");
        let path = format!("inventory/{}/resend", items[0]["id"].as_str().unwrap());
        world
            .in_portal(&session, "POST", &path)
            .send()
            .await
            .data(200);
        assert_eq!(mails(), "2");
        assert_eq!(world.read_transfer(&bought).await["status"], "ALLOCATED");
        // The last one: by the merchant.
        let path = format!("inventory/{}/deliver", items[1]["id"].as_str().unwrap());
        let last = world
            .dev_of(CODE, "POST", &path)
            .json(&json!({"email": CUSTOMER}))
            .send()
            .await;
        assert_eq!(last.data(200)["customer_email"], "c…@customer.example");
        let done = world.read_transfer(&bought).await;
        assert_eq!(
            (&done["status"], &done["counts"]["delivered"]),
            (&json!("DELIVERED"), &json!(2))
        );
        let found = world.dev_of(
            CODE,
            "GET",
            "inventory?status=delivered&email=carl@customer.example",
        );
        assert_eq!(found.send().await.data(200).as_array().unwrap().len(), 2);
        let none = world.dev_of(CODE, "GET", "inventory?email=dora@customer.example");
        assert_eq!(none.send().await.data(200), json!([]));
    });
}

#[test]
fn reading_an_item_is_noted_before_it_is_shown() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        world.buy_stock(CODE, "Antivirus", 1).await.data(201);
        let item = &world.owned_items().await[0];
        let id = item["id"].as_str().unwrap();
        let path = format!("inventory/{id}/reveal");
        let call = || {
            world
                .in_portal(&session, "POST", &path)
                .header("idempotency-key", "look")
        };
        let shown = call().send().await.data(200);
        assert!(ends_alike(&item["serial"], &shown["serial"]));
        assert!(shown["handed_over_at"].is_string() && shown["revealed_at"].is_string());
        assert_eq!(shown["status"], "AVAILABLE");
        let kept = call().send().await.data(200);
        assert_eq!(kept["serial"], item["serial"], "what is kept has no text");
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'inventory.reveal'";
        assert_eq!(world.scalar(noted), "1");
        let missing = world.in_portal(
            &session,
            "POST",
            "inventory/itm_00000000000000000000000000/reveal",
        );
        missing.send().await.refused(404, "NOT_FOUND");
    });
}
