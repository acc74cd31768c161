//! Inventories as files: read after a step-up, noted first, and again when the file is lost.

use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@example.com";

impl World {
    async fn export_stock(&self, session: &str, body: &Value) -> Reply {
        let call = self.in_portal(session, "POST", "inventory/export");
        call.json(body).send().await
    }
}

#[test]
fn available_serials_are_exported_after_a_step_up_and_noted_before() {
    with_world(async |world| {
        let plain = world.as_reseller(CODE, EMAIL).await;
        let refused = world.export_stock(&plain, &json!({})).await;
        refused.refused(403, "STEP_UP_REQUIRED");
        let session = world.stepped_up(EMAIL).await;
        let first = world.buy_stock(CODE, "Antivirus", 2).await.data(201);
        world.buy_stock(CODE, "Antivirus", 1).await.data(201);
        let items = world.owned_items().await;
        let path = format!("inventory/{}/deliver", items[2]["id"].as_str().unwrap());
        let delivered = world.dev_of(CODE, "POST", &path);
        let body = json!({"email": "carl@customer.example"});
        let delivered = delivered.json(&body).send().await.data(200);

        let file = world
            .export_stock(&session, &json!({"format": "txt"}))
            .await;
        assert_eq!(file.status, 200);
        let form = file.header("content-type");
        assert_eq!(form, Some("text/plain; charset=utf-8"));
        let text = file.text();
        let serials: Vec<_> = text.lines().collect();
        assert_eq!(serials.len(), 2);
        assert!(!serials.contains(&delivered["serial"].as_str().unwrap()));
        for item in &world.owned_items().await {
            let masked = item["serial"].as_str().unwrap().trim_start_matches('…');
            let left = serials.iter().any(|serial| serial.ends_with(masked));
            let available = item["status"] == "AVAILABLE";
            assert_eq!(
                (item["exported_at"].is_string(), left),
                (available, available)
            );
            assert!(item["handed_over_at"].is_string());
        }
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'inventory.export'";
        assert_eq!(world.scalar(noted), "1");

        let one = json!({"format": "csv", "stock_request_id": first["id"]});
        let again = world.export_stock(&session, &one).await.text();
        let rows: Vec<_> = again.lines().collect();
        assert!(
            rows[0].starts_with("id,stock_request_id,product_id"),
            "{again}"
        );
        assert_eq!(rows.len(), 2, "one is left of the first purchase: {again}");
        assert!(serials.iter().any(|serial| rows[1].ends_with(serial)));
        assert_eq!(world.scalar(noted), "2");
        let listed = world.dev_of(CODE, "GET", "stock-transfers?format=csv&status=allocated");
        let listed = listed.send().await.text();
        let rows: Vec<_> = listed.lines().collect();
        assert!(rows[0].starts_with("id,reseller_id,product_id"), "{listed}");
        assert_eq!(rows.len(), 3, "newest first: {listed}");
        assert!(rows[2].starts_with(first["id"].as_str().unwrap()));
        let items = world.dev_of(CODE, "GET", "inventory?format=csv&status=available");
        let items = items.send().await.text();
        assert_eq!(items.lines().count(), 3, "{items}");
        assert!(
            !serials.iter().any(|serial| items.contains(serial)),
            "masked"
        );
        let word = world
            .export_stock(&session, &json!({"format": "xml"}))
            .await;
        word.refused(422, "VALIDATION_ERROR");
    });
}
