//! What a reseller sets about its balance: when it is low, and automatic top-ups.

use api::top_ups::{expire_due, look_at_all};
use chrono::TimeDelta;
use engine::clock::{Clock as _, SystemClock};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Reply, World, btcpay::with_double, with_world};

/// Has 12.00.
const CODE: &str = "demo-broke";
const EMAIL: &str = "ann@example.com";

impl World {
    async fn set(&self, session: &str, body: &Value) -> Reply {
        self.set_of(CODE, session, body).await
    }

    async fn set_of(&self, code: &str, session: &str, body: &Value) -> Reply {
        let reseller = self.reseller(code).id;
        let path = format!("/programs/{reseller}/balance/settings");
        let call = self.page("PUT", &path).header("cookie", session);
        call.json(body).send().await
    }

    /// A look at all balances, so many hours from now.
    async fn look(&self, hours: i64) {
        let time = SystemClock.now() + TimeDelta::hours(hours);
        look_at_all(self.server.app(), time).await.unwrap();
    }

    async fn expire(&self, hours: i64) -> u32 {
        let time = SystemClock.now() + TimeDelta::hours(hours);
        expire_due(self.server.app(), time).await.unwrap()
    }

    fn automatic_invoices(&self) -> String {
        self.scalar("SELECT COUNT(*) FROM invoices WHERE origin = 'AUTO'")
    }

    fn mails(&self, kind: &str) -> String {
        self.scalar(&format!("SELECT COUNT(*) FROM mails WHERE kind = '{kind}'"))
    }

    async fn move_money(&self, verb: &str, amount: &str, reference: &str) {
        let body = json!({"amount": amount, "type": "CORRECTION", "description": "Test",
            "reference": reference});
        let path = format!("balance/{verb}");
        let call = self.dev_of(CODE, "POST", &path).json(&body);
        call.send().await.data(201);
    }
}

fn automatic(threshold: &str, amount: &str) -> Value {
    json!({"auto_top_up": {"enabled": true, "threshold": threshold, "amount": amount,
        "coin": "bank"}})
}

#[test]
fn burst_through_the_threshold_opens_one_invoice() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let set = world
            .set(&session, &automatic("20.00", "50.00"))
            .await
            .data(200);
        let expected = json!({"enabled": true, "threshold": "20.00", "amount": "50.00",
            "coin": "BANK", "open_invoice_id": null, "paused_reason": null});
        assert_eq!(set["auto_top_up"], expected);
        join_all((0..4).map(|_| world.look(0))).await;
        assert_eq!(world.automatic_invoices(), "1");
        let balance = world.balance(&world.key(CODE)).await;
        let invoice = balance["open_top_ups"][0].clone();
        assert_eq!(
            (&invoice["origin"], &invoice["amount"]),
            (&json!("AUTO"), &json!("50.00"))
        );
        assert_eq!(balance["auto_top_up"]["open_invoice_id"], invoice["id"]);
        assert_eq!(world.mails("top-up"), "1");

        let path = format!("top-ups/{}/mark-paid", invoice["id"].as_str().unwrap());
        world.dev_of(CODE, "POST", &path).send().await.data(200);
        world.look(0).await;
        assert_eq!(world.automatic_invoices(), "1");
        world.move_money("debit", "50.00", "OUT-1").await;
        world.look(0).await;
        assert_eq!(world.automatic_invoices(), "2");
    });
}

#[test]
fn provider_is_asked_only_for_what_is_due_and_may_be_opened() {
    with_double(async |world, double| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let mut settings = automatic("20.00", "50.00");
        settings["auto_top_up"]["coin"] = json!("btc");
        world.set(&session, &settings).await.data(200);
        world.sql("UPDATE programs SET min_top_up = 6000");
        world.look(0).await;
        assert_eq!(double.count(), 0, "so little may not be asked for");
        world.sql("UPDATE programs SET min_top_up = NULL");
        for _ in 0..3 {
            world.look(0).await;
            assert_eq!(world.automatic_invoices(), "1");
            assert_eq!(double.count(), 1, "it waits for money");
        }
    });
}

#[test]
fn none_is_opened_while_money_is_on_its_way() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        world.invoice(CODE, "30.00").await.data(201);
        world.sql("UPDATE invoices SET status = 'CONFIRMING'");
        world
            .set(&session, &automatic("20.00", "50.00"))
            .await
            .data(200);
        world.look(0).await;
        assert_eq!(world.automatic_invoices(), "0");
        world.sql("UPDATE invoices SET status = 'OPEN'");
        world.look(0).await;
        assert_eq!(world.automatic_invoices(), "1");
    });
}

#[test]
fn unpaid_ones_wait_for_a_debit_and_three_in_a_row_pause_it() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let settings = automatic("20.00", "50.00");
        world.set(&session, &settings).await.data(200);
        let mut hours = 0;
        for row in ["1", "2", "3"] {
            world.look(hours).await;
            assert_eq!(world.automatic_invoices(), row);
            assert_eq!(world.expire(hours + 25).await, 1);
            // Neither the time alone nor a debit alone brings the next one.
            world.look(hours + 32).await;
            world.move_money("debit", "0.01", row).await;
            world.look(hours + 26).await;
            assert_eq!(world.automatic_invoices(), row);
            hours += 32;
        }
        world.look(hours).await;
        assert_eq!(world.automatic_invoices(), "3");
        assert_eq!(world.mails("top-up-paused"), "1");
        let paused = world.balance(&world.key(CODE)).await;
        assert_eq!(paused["auto_top_up"]["paused_reason"], "UNPAID");

        let again = world.set(&session, &settings).await.data(200);
        assert_eq!(again["auto_top_up"]["paused_reason"], Value::Null);
        world.look(hours).await;
        assert_eq!(world.automatic_invoices(), "4");
    });
}

#[test]
fn low_balance_is_told_once_per_crossing() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let set = json!({"low_balance_threshold": "20.00", "alert_hours_left": 24});
        let balance = world.set(&session, &set).await.data(200);
        assert_eq!(balance["is_low"], true);
        let settings = json!({"low_balance_threshold": "20.00", "alert_hours_left": 24});
        assert_eq!(balance["settings"], settings);
        join_all((0..4).map(|_| world.look(0))).await;
        assert_eq!(world.mails("balance-low"), "1");
        world.move_money("credit", "8.00", "IN-1").await;
        world.look(0).await;
        assert_eq!(world.balance(&world.key(CODE)).await["is_low"], false);
        assert_eq!(world.mails("balance-low"), "1");
        world.move_money("debit", "0.01", "OUT-1").await;
        world.look(0).await;
        world.look(0).await;
        assert_eq!(world.mails("balance-low"), "2");

        let (mut told, mut after) = (Vec::new(), json!(0));
        while told.len() < 2 {
            let path = format!("/reseller/v1/events?types=balance:low&wait=10&after={after}");
            let reply = world.call("GET", &path).key(&world.key(CODE)).send().await;
            told.extend(reply.data(200).as_array().unwrap().clone());
            after = reply.json()["pagination"]["next_after"].clone();
        }
        let amounts: Vec<_> = told.iter().map(|event| &event["data"]["balance"]).collect();
        assert_eq!(amounts, [&json!("12.00"), &json!("19.99")]);
        assert_eq!(told[0]["data"]["low_balance_threshold"], "20.00");
    });
}

#[test]
fn settings_that_are_not_right_change_nothing() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        world
            .set(&session, &json!({"alert_hours_left": 24}))
            .await
            .data(200);
        let stored = || {
            world.scalar(
                "SELECT md5(string_agg((to_jsonb(s) - 'low_told')::text, ''))
                   || (SELECT COUNT(*) FROM audit_log WHERE action = 'balance.settings')
                 FROM balance_settings AS s",
            )
        };
        let state = stored();
        for (threshold, amount) in [("20.00", "9.99"), ("20.00", "10000.01")] {
            let refused = world.set(&session, &automatic(threshold, amount)).await;
            refused.refused(422, "AMOUNT_OUT_OF_RANGE");
        }
        let mut elsewhere = automatic("20.00", "50.00");
        elsewhere["auto_top_up"]["coin"] = json!("DOGE");
        let mut unknown = automatic("20.00", "50.00");
        unknown["auto_top_up"]["surprise"] = json!(1);
        for wrong in [
            elsewhere,
            unknown,
            automatic("-1", "50.00"),
            automatic("20.00", "0"),
            automatic("20.001", "50.00"),
            json!({"auto_top_up": {"enabled": true}}),
            json!({"alert_hours_left": 0}),
            json!({"alert_hours_left": 721}),
            json!({"low_balance_threshold": "-1"}),
            json!({"low_balance_threshold": "1.001"}),
            json!({"surprise": 1}),
        ] {
            let refused = world.set(&session, &wrong).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let affiliate = world.as_reseller("demo-affiliate", "bea@example.com").await;
        let refused = world.set_of("demo-affiliate", &affiliate, &json!({})).await;
        refused.refused(403, "MODE_NOT_ALLOWED");
        let suspended = world.as_reseller("demo-suspended", "cid@example.com").await;
        let refused = world.set_of("demo-suspended", &suspended, &json!({})).await;
        refused.refused(403, "RELATIONSHIP_INACTIVE");
        assert_eq!(stored(), state);
        let off = world.set(&session, &json!({})).await.data(200);
        let nothing = json!({"low_balance_threshold": null, "alert_hours_left": null});
        assert_eq!(off["settings"], nothing);
        assert_eq!(off["is_low"], false);
    });
}
