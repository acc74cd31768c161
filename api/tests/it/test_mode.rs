//! Keys of test mode: the same routes and steps, with money, serials and order ids of their own.

use chrono::TimeDelta;
use engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::support::{World, order_of, with_world};

impl World {
    /// Everything live that an order could touch.
    fn live(&self) -> String {
        self.scalar(
            "SELECT concat_ws(' ',
               (SELECT COUNT(*) || ' ' || SUM(amount) FROM ledger_entries
                  JOIN balances USING (balance_id) WHERE NOT test),
               (SELECT COUNT(*) FROM serials JOIN imports ON import_id
                  = (LEFT(serial_id::text, 28) || '00000000')::uuid WHERE NOT test),
               (SELECT COUNT(*) FROM serial_claims JOIN balances USING (balance_id) WHERE NOT test),
               (SELECT COUNT(*) FROM imports WHERE number IS NOT NULL))",
        )
    }
}

fn starts(serial: &Value) -> bool {
    serial.as_str().unwrap().starts_with("TEST-")
}

#[test]
fn key_of_test_mode_buys_with_its_own_money_and_nothing_live_changes() {
    with_world(async |world| {
        let (key, live) = (world.test_key("demo-both"), world.live());
        let product = world.product("Closed beta");
        assert_eq!(world.balance(&key).await["available"], "10000.00");
        let mut order = order_of("WOO-1", product);
        // More than there are on the shelf.
        order["quantity"] = json!(7);
        let sold = world.order(&key, &order).await.data(201);
        assert_eq!(
            (&sold["test"], &sold["status"]),
            (&json!(true), &json!("DELIVERED"))
        );
        let serials = sold["serials"].as_array().unwrap();
        assert!(serials.len() == 7 && serials.iter().all(starts));
        let again = world.order(&key, &order).await.data(200);
        assert_eq!(again["serials"], sold["serials"]);
        let path = format!("/reseller/v1/fulfillments/{}", sold["id"].as_str().unwrap());
        let read = world.call("GET", &path).key(&key).send().await.data(200);
        assert_eq!(
            (&read["serials"], &read["test"]),
            (&sold["serials"], &json!(true))
        );
        assert_eq!(world.balance(&key).await["balance"], sold["balance_after"]);
        let mut other = order.clone();
        other["quantity"] = json!(1);
        world
            .order(&key, &other)
            .await
            .refused(422, "ORDER_MISMATCH");
        assert_eq!(world.live(), live);

        let own = world.key("demo-both");
        world
            .call("GET", &path)
            .key(&own)
            .send()
            .await
            .refused(404, "NOT_FOUND");
        let sold = world
            .order(&own, &order_of("WOO-1", product))
            .await
            .data(201);
        assert_eq!(
            sold["test"], false,
            "order ids of test mode bind nothing live"
        );
        assert!(!starts(&sold["serials"][0]));
        let engine = &world.server.app().engine;
        assert_eq!(
            engine.restock_waiting().await.unwrap(),
            0,
            "none waits to be put on sale"
        );
    });
}

#[test]
fn outcome_is_the_one_that_the_order_id_asks_for() {
    with_world(async |world| {
        let (key, product) = (world.test_key("demo-both"), world.product("Antivirus"));
        let state = world.state();
        for (order_id, status, code) in [
            ("test_out_of_stock", 409, "OUT_OF_STOCK"),
            ("test_insufficient_balance-1", 402, "INSUFFICIENT_BALANCE"),
            ("test_product_not_allowed", 403, "PRODUCT_NOT_ALLOWED"),
            ("test_price_changed_7", 422, "PRICE_CHANGED"),
            ("test_purchase_limit", 403, "PURCHASE_LIMIT_EXCEEDED"),
            ("test_rate_limited", 429, "RATE_LIMITED"),
            ("test_overloaded", 503, "OVERLOADED"),
        ] {
            let refused = world.order(&key, &order_of(order_id, product)).await;
            refused.refused(status, code);
            if status == 429 || status == 503 {
                assert!(refused.header("retry-after").is_some(), "{code}");
            }
        }
        assert_eq!(world.state(), state, "nothing was executed");
        let order = order_of("test_unknown-1", product);
        world
            .order(&key, &order)
            .await
            .refused(503, "OUTCOME_UNKNOWN");
        let found = world.order(&key, &order).await.data(200);
        assert!(starts(&found["serials"][0]), "it was executed");
        let live = order_of("test_out_of_stock", product);
        let live = world.order(&world.key("demo-both"), &live).await;
        live.data(201);
    });
}

#[test]
fn terms_and_limits_hold_in_test_mode_too() {
    with_world(async |world| {
        let key = world.test_key("demo-both");
        let mut odd = order_of("WOO-1", world.product("Antivirus"));
        odd["max_unit_price"] = json!("0.01");
        world.order(&key, &odd).await.refused(422, "PRICE_CHANGED");
        let service = order_of("WOO-1", world.product("Setup"));
        world
            .order(&key, &service)
            .await
            .refused(422, "PRODUCT_NOT_ELIGIBLE");
        let suspended = world.test_key("demo-suspended");
        let order = order_of("WOO-1", world.product("Antivirus"));
        world
            .order(&suspended, &order)
            .await
            .refused(403, "RELATIONSHIP_INACTIVE");
        let call = world
            .call("GET", "/reseller/v1/products?search=closed")
            .key(&key);
        let shown = call.send().await.data(200);
        assert_eq!(
            (&shown[0]["stock"], &shown[0]["orderable"]),
            (&json!(1000), &json!(true))
        );
    });
}

#[test]
fn balance_and_statement_of_test_mode_are_read_by_both_sides() {
    with_world(async |world| {
        let key = world.test_key("demo-both");
        let order = order_of("WOO-1", world.product("Antivirus"));
        let sold = world.order(&key, &order).await.data(201);
        let session = world.as_reseller("demo-both", "ann@example.com").await;
        let own = |path: &str| world.in_portal(&session, "GET", path);
        let theirs = |path: &str| world.dev_of("demo-both", "GET", path);
        let day = |days: i64| {
            let day = SystemClock.now() + TimeDelta::days(days);
            day.format("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        let year = format!("from={}&to={}", day(-300), day(1));
        for live in [theirs("balance"), own("balance")] {
            let live = live.send().await.data(200);
            assert_ne!(live["balance"], sold["balance_after"]);
        }
        for test in [theirs("balance?test=true"), own("balance?test=true")] {
            let test = test.send().await.data(200);
            assert_eq!(test["balance"], sold["balance_after"]);
        }
        let statements = [
            theirs(&format!("balance/statement?test=true&{year}")),
            own(&format!("statement?test=true&{year}")),
        ];
        for statement in statements {
            let statement = statement.send().await.data(200);
            assert_eq!(statement["closing_balance"], sold["balance_after"]);
        }
        let file = own(&format!("statement?test=true&format=csv&{year}"));
        assert!(file.send().await.text().contains("WOO-1"));
        world.sql(&format!(
            "DELETE FROM balances WHERE test AND relationship_id = '{}'",
            world.reseller("demo-affiliate").id.uuid()
        ));
        let none = world.dev_of("demo-affiliate", "GET", "balance?test=true");
        none.send().await.refused(404, "NOT_FOUND");
        let unclear = theirs("balance?test=maybe").send().await;
        unclear.refused(422, "VALIDATION_ERROR");
    });
}

#[test]
fn reset_gives_a_full_balance_and_leaves_no_record_behind() {
    with_world(async |world| {
        let (key, live) = (world.test_key("demo-both"), world.live());
        let order = order_of("WOO-1", world.product("Antivirus"));
        let sold = world.order(&key, &order).await.data(201);
        world.event(&key, "fulfillment:created").await;
        let person = world.person("reseller@person.example").await;
        let (db, reseller) = (&world.server.app().database, world.reseller("demo-both").id);
        persistence::persons::bind(db, person, reseller)
            .await
            .unwrap();
        let session = world.open_session(person).await;
        let path = format!("/portal/v1/programs/{reseller}/test/reset");
        let reset = async || {
            let call = world.as_member(&session, "POST", &path);
            call.send().await
        };
        let balance = reset().await.data(200);
        assert_eq!(balance["available"], "10000.00");
        assert_eq!(world.balance(&key).await["balance"], "10000.00");
        let read = async |path: &str| {
            let path = format!("/reseller/v1/{path}");
            world.call("GET", &path).key(&key).send().await
        };
        for list in ["fulfillments", "fulfillments?external_order_id=WOO-1"] {
            assert_eq!(read(list).await.data(200), json!([]), "{list}");
        }
        let old = format!("fulfillments/{}", sold["id"].as_str().unwrap());
        read(&old).await.refused(404, "NOT_FOUND");
        let ledger = read("balance/ledger").await.data(200);
        assert_eq!(
            ledger.as_array().unwrap().len(),
            1,
            "what it was opened with"
        );
        let events = read("events?types=fulfillment:created").await.json();
        assert_eq!(events["data"], json!([]));

        let again = reset().await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200)["available"], "10000.00");
        let sold = world.order(&key, &order).await.data(201);
        assert_eq!(sold["reused"], false, "its order id is free");
        assert_eq!(world.live(), live);
        let deeds = "SELECT COUNT(*) FROM audit_log WHERE action = 'test.reset'";
        assert_eq!(world.scalar(deeds), "1");

        let path = format!(
            "/portal/v1/programs/{}/test/reset",
            world.reseller("demo-auto").id
        );
        let foreign = world.as_member(&session, "POST", &path);
        foreign.send().await.refused(404, "NOT_FOUND");
    });
}
