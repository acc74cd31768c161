//! A merchant changes a product: once that is answered, nothing is sold under the old one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    async fn change(&self, product: &str, change: &Value) -> Reply {
        let path = format!("/dev/v1/products/{product}");
        let call = self.call("PATCH", &path).key(&self.merchant_key());
        call.json(change).send().await
    }

    /// What the reseller would pay now, in cents.
    async fn price(&self, product: &str) -> u64 {
        let path = format!("/reseller/v1/products/{product}");
        let call = self.call("GET", &path).key(&self.key("demo-both"));
        cents(&call.send().await.data(200)["wholesale_price"])
    }
}

fn cents(amount: &Value) -> u64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[test]
fn stored_change_that_cannot_be_shown_is_never_told_as_not_executed() {
    with_world(async |world| {
        let id = world.product("Antivirus").id.to_string();
        // What is on the shelf cannot be counted.
        world.sql("ALTER TABLE serial_claims RENAME TO away");
        let change = json!({"title": "Renamed"});
        let answer = world.change(&id, &change).await;
        answer.refused(503, "OUTCOME_UNKNOWN");
        world.sql("ALTER TABLE away RENAME TO serial_claims");
        let path = format!("/dev/v1/products/{id}");
        let read = world.call("GET", &path).key(&world.merchant_key());
        assert_eq!(read.send().await.data(200)["title"], "Renamed");
    });
}

#[test]
fn change_whose_commit_gets_no_answer_is_unknown() {
    with_world(async |world| {
        world.sql(
            "CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
        );
        world.sql(
            "CREATE CONSTRAINT TRIGGER hang_up AFTER UPDATE ON products
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hang_up()",
        );
        let id = world.product("Antivirus").id.to_string();
        let change = json!({"title": "Renamed"});
        let answer = world.change(&id, &change).await;
        answer.refused(503, "OUTCOME_UNKNOWN");
        world.sql("DROP TRIGGER hang_up ON products");
        let again = world.change(&id, &change).await;
        assert_eq!(again.data(200)["title"], "Renamed");
    });
}

#[test]
fn change_that_ran_out_of_time_was_not_executed_and_may_be_sent_again() {
    with_world(async |world| {
        let id = world.product("Starfall").id.to_string();
        let path = format!("/dev/v1/products/{id}");
        let read = async || {
            world
                .call("GET", &path)
                .key(&world.merchant_key())
                .send()
                .await
        };
        let before = read().await.data(200);
        let variant = &before["variants"][0]["id"];
        let change = json!({"variants": [{"id": variant, "base_price": "1.23"}]});
        // A statement, a lock and a transaction that waited too long; a deadlock.
        for code in ["57014", "55P03", "25P03", "40P01"] {
            world.sql(&format!(
                "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION USING ERRCODE = ''{code}''; END';
                 CREATE TRIGGER late BEFORE INSERT OR UPDATE ON variants
                 FOR EACH ROW EXECUTE FUNCTION late()"
            ));
            world.change(&id, &change).await.refused(503, "OVERLOADED");
            assert_eq!(read().await.data(200), before, "{code}");
            world.sql("DROP TRIGGER late ON variants; DROP FUNCTION late()");
        }
        world.change(&id, &change).await.data(200);
    });
}

#[test]
fn changed_product_is_in_force_once_answered() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let id = product.id.to_string();
        let order = async |order_id: &str| world.order(&key, &order_of(order_id, product)).await;
        let before = order("WOO-1").await.data(201);
        let change = json!({"base_price": "40.00", "wholesale_price": 31.5, "title": "Renamed",
            "description": "New", "min_quantity": 1, "max_quantity": 3});
        let changed = world.change(&id, &change).await.data(200);
        let path = format!("/dev/v1/products/{id}");
        let read = world.call("GET", &path).key(&world.merchant_key());
        assert_eq!(read.send().await.data(200), changed);
        for (field, value) in [
            ("base_price", json!("40.00")),
            ("wholesale_price", json!("31.50")),
            ("title", json!("Renamed")),
            ("name", json!("Renamed")),
            ("description", json!("New")),
            ("max_quantity", json!(3)),
            ("stock", json!(199)),
            ("status", json!("ACTIVE")),
        ] {
            assert_eq!(changed[field], value, "{field}");
        }
        let after = order("WOO-2").await.data(201);
        assert_ne!(after["unit_price"], before["unit_price"]);
        assert_eq!(cents(&after["unit_price"]), world.price(&id).await);
        assert_eq!(after["product_title"], "Renamed");
        let replayed = order("WOO-1").await.data(200);
        assert_eq!(replayed["unit_price"], before["unit_price"]);

        world
            .change(&id, &json!({"status": "disabled"}))
            .await
            .data(200);
        let state = world.state();
        order("WOO-3").await.refused(403, "PRODUCT_NOT_ALLOWED");
        assert_eq!(world.state(), state);
        let cleared = json!({"status": "ACTIVE", "wholesale_price": null, "max_quantity": null});
        let cleared = world.change(&id, &cleared).await.data(200);
        assert_eq!(
            [&cleared["wholesale_price"], &cleared["max_quantity"]],
            [&Value::Null; 2]
        );
        order("WOO-3").await.data(201);
    });
}

/// Prices only rise here: whoever pays less than what was told before the order began was sold to
/// under an old price.
#[test]
fn no_order_pays_less_than_what_was_told_before_it_began() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let id = product.id.to_string();
        let (told, ended) = (
            AtomicU64::new(world.price(&id).await),
            AtomicBool::new(false),
        );
        let changes = async {
            for price in 30..45 {
                let change = json!({"base_price": format!("{price}.00"), "wholesale_price": null});
                world.change(&id, &change).await.data(200);
                told.store(world.price(&id).await, Ordering::SeqCst);
            }
            ended.store(true, Ordering::SeqCst);
        };
        let shops = (0..4).map(async |shop| {
            let mut orders = 0;
            while !ended.load(Ordering::SeqCst) {
                let least = told.load(Ordering::SeqCst);
                let order = order_of(&format!("WOO-{shop}-{orders}"), product);
                let reply = world.order(&key, &order).await;
                if reply.status == 409 {
                    break;
                }
                assert!(cents(&reply.data(201)["unit_price"]) >= least);
                orders += 1;
            }
            orders
        });
        let (orders, ()) = join(join_all(shops), changes).await;
        assert!(orders.iter().sum::<u32>() > 0);
    });
}

#[test]
fn variant_is_changed_by_its_id() {
    with_world(async |world| {
        let id = world.product("Starfall").id.to_string();
        let path = format!("/dev/v1/products/{id}");
        let read = world.call("GET", &path).key(&world.merchant_key());
        let before = read.send().await.data(200);
        let variants = before["variants"].as_array().unwrap();
        let variant = &variants[0]["id"];
        let change =
            json!({"variants": [{"id": variant, "base_price": "1.23", "status": "DISABLED"}]});
        let after = world.change(&id, &change).await.data(200);
        let changed = &after["variants"][0];
        assert_eq!(
            (&changed["base_price"], &changed["status"]),
            (&json!("1.23"), &json!("DISABLED"))
        );
        assert_eq!(changed["title"], variants[0]["title"]);
        assert_eq!(after["variants"][1], before["variants"][1]);
        let other = json!({"variants": [{"id": "var_00000000000000000000000000"}]});
        world
            .change(&id, &other)
            .await
            .refused(422, "VALIDATION_ERROR");
    });
}

#[test]
fn wrong_changes_are_refused_and_change_nothing() {
    with_world(async |world| {
        let id = world.product("Antivirus").id.to_string();
        let before = world.change(&id, &json!({})).await.data(200);
        for change in [
            json!({"price": "1.00"}),
            json!({"base_price": "-1"}),
            json!({"base_price": "1.001"}),
            json!({"base_price": true}),
            json!({"title": ""}),
            json!({"title": "a\u{7}"}),
            json!({"status": "GONE"}),
            json!({"min_quantity": 0}),
            json!({"max_quantity": 1001}),
            json!({"min_quantity": 5, "max_quantity": 4}),
            json!({"variants": [["var_00000000000000000000000000"]]}),
            json!({"variants": [{"id": "x"}]}),
        ] {
            let refused = world.change(&id, &change).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let path = format!("/dev/v1/products/{id}");
        let read = world.call("GET", &path).key(&world.merchant_key());
        let after = read.send().await.data(200);
        assert_eq!(after, before);

        let foreign = world
            .change("prd_00000000000000000000000000", &json!({}))
            .await;
        foreign.refused(404, "NOT_FOUND");
        let reseller = world.call("PATCH", &path).key(&world.key("demo-both"));
        reseller
            .json(&json!({}))
            .send()
            .await
            .refused(403, "FORBIDDEN");
        world
            .change(&id, &json!({"status": "ARCHIVED"}))
            .await
            .data(200);
        let refused = world.change(&id, &json!({"status": "ACTIVE"})).await;
        refused.refused(409, "INVALID_STATE");
    });
}
