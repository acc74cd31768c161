//! A merchant changes its program: once that is answered, nothing is accepted under the old one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

const PATH: &str = "/dev/v1/reseller-program";

impl World {
    async fn program(&self) -> Value {
        let call = self.call("GET", PATH).key(&self.merchant_key());
        call.send().await.data(200)
    }

    async fn change_program(&self, change: &Value) -> Reply {
        let call = self.call("PATCH", PATH).key(&self.merchant_key());
        call.json(change).send().await
    }
}

#[test]
fn program_is_read_and_changed_and_the_change_is_in_the_audit_log() {
    with_world(async |world| {
        let before = world.program().await;
        assert_eq!(before["is_enabled"], true);
        assert_eq!(before["default_wholesale_discount_percent"], 15);
        assert_eq!(before["min_top_up"], "10.00");
        let change = json!({"default_mode": "wholesale", "default_commission_percent": 12.5,
            "default_wholesale_discount_percent": null, "min_payout_threshold": "25.00",
            "require_verification": true, "terms_url": "https://shop.example/terms",
            "attribution_window_days": 90, "commission_hold_days": 0, "stock_approval": "auto",
            "payout_assets": [{"asset": "USDC", "network": "POLYGON"}], "max_top_up": 500,
            "replacement": {"window_hours": 24, "max_percent": 0.5},
            "customer_mail": "INLINE", "allowed_redirect_hosts": ["shop.example"]});
        let changed = world.change_program(&change).await.data(200);
        assert_eq!(world.program().await, changed);
        for (field, value) in [
            ("default_mode", json!("STOCK")),
            ("default_commission_percent", json!(12.5)),
            ("default_wholesale_discount_percent", Value::Null),
            ("min_payout_threshold", json!(25.0)),
            ("max_top_up", json!("500.00")),
            ("stock_approval", json!("AUTO")),
            ("is_enabled", json!(true)),
            ("id", before["id"].clone()),
            (
                "replacement",
                json!({"window_hours": 24, "auto_approve": false, "max_percent": 0.5}),
            ),
        ] {
            assert_eq!(changed[field], value, "{field}");
        }
        let log = world
            .call("GET", "/dev/v1/audit-log")
            .key(&world.merchant_key());
        let entries = log.send().await.json()["data"].clone();
        let entry = &entries.as_array().unwrap()[0];
        assert_eq!(entry["action"], "program.update");
        assert_eq!(entry["target"], before["id"]);
        assert_eq!(entry["actor"]["type"], "API_KEY");
        assert_ne!(entry["before_digest"], entry["after_digest"]);
    });
}

#[test]
fn disabled_program_delivers_nothing_new_and_replays_what_was_delivered() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let first = order_of("WOO-1", product);
        let delivered = world.order(&key, &first).await.data(201);
        let off = json!({"is_enabled": false});
        world.change_program(&off).await.data(200);
        let state = world.state();
        let refused = world.order(&key, &order_of("WOO-2", product)).await;
        refused.refused(403, "PROGRAM_DISABLED");
        let replayed = world.order(&key, &first).await.data(200);
        assert_eq!(replayed["serials"], delivered["serials"]);
        assert_eq!(world.state(), state);
        let on = json!({"is_enabled": true});
        world.change_program(&on).await.data(200);
        world
            .order(&key, &order_of("WOO-2", product))
            .await
            .data(201);
    });
}

/// The discount only falls here: whoever pays less than what was told before the order began was sold
/// to under an old program.
#[test]
fn no_order_is_priced_under_a_program_that_was_changed_before_it_began() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-stock"), world.product("Antivirus"));
        let path = format!("/reseller/v1/products/{}", product.id);
        let price = async || {
            let read = world.call("GET", &path).key(&key).send().await.data(200);
            cents(&read["wholesale_price"])
        };
        let (told, ended) = (AtomicU64::new(price().await), AtomicBool::new(false));
        let first = told.load(Ordering::SeqCst);
        let changes = async {
            for percent in (0..15).rev() {
                let change = json!({"default_wholesale_discount_percent": percent});
                world.change_program(&change).await.data(200);
                told.store(price().await, Ordering::SeqCst);
            }
            ended.store(true, Ordering::SeqCst);
        };
        let shops = (0..4).map(async |shop| {
            let mut orders = 0;
            while !ended.load(Ordering::SeqCst) {
                let least = told.load(Ordering::SeqCst);
                let order = order_of(&format!("WOO-{shop}-{orders}"), product);
                let reply = world.order(&key, &order).await;
                if reply.status == 409 || reply.status == 402 {
                    break;
                }
                assert!(cents(&reply.data(201)["unit_price"]) >= least);
                orders += 1;
            }
            orders
        });
        let (orders, ()) = join(join_all(shops), changes).await;
        assert!(orders.iter().sum::<u32>() > 0);
        assert!(
            price().await > first,
            "the program's discount decides this price"
        );
    });
}

fn cents(amount: &Value) -> u64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[test]
fn wrong_changes_are_refused_and_change_nothing() {
    with_world(async |world| {
        let before = world.program().await;
        for change in [
            json!({"currency": "EUR"}),
            json!({"version": 7}),
            json!({"is_enabled": "yes"}),
            json!({"default_mode": "ALL"}),
            json!({"default_commission_percent": 100.01}),
            json!({"default_commission_percent": 1.001}),
            json!({"default_wholesale_discount_percent": -1}),
            json!({"min_payout_threshold": "1.001"}),
            json!({"terms_url": "http://shop.example"}),
            json!({"terms_url": "https://localhost/x"}),
            json!({"attribution_window_days": 0}),
            json!({"attribution_window_days": 91}),
            json!({"commission_hold_days": 91}),
            json!({"min_top_up": "0.99"}),
            json!({"min_top_up": "600.00", "max_top_up": "500.00"}),
            json!({"replacement": {"window_hours": 721}}),
            json!({"replacement": {"hours": 1}}),
            json!({"payout_assets": [{"asset": "", "network": "X"}]}),
            json!({"allowed_redirect_hosts": ["*.example"]}),
            json!({"customer_mail": "NEVER"}),
            json!({"dynamic_url_policy": "MAYBE"}),
        ] {
            let refused = world.change_program(&change).await;
            assert_eq!(refused.status, 422, "{change}");
            refused.refused(422, "VALIDATION_ERROR");
        }
        assert_eq!(world.program().await, before);
        assert_eq!(world.scalar("SELECT COUNT(*) FROM audit_log"), "0");
        for method in ["GET", "PATCH"] {
            let call = world.call(method, PATH).key(&world.key("demo-both"));
            let call = if method == "GET" {
                call
            } else {
                call.json(&json!({}))
            };
            call.send().await.refused(403, "FORBIDDEN");
        }
        let nobody = world.call("GET", PATH).send().await;
        nobody.refused(401, "UNAUTHORIZED");
    });
}
