//! Money that a merchant takes back or gives back: debits, refunds, and what everybody reads of them.

use api::fulfillments::complete_refunds;
use chrono::TimeDelta;
use engine::clock::{Clock as _, SystemClock};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Call, Reply, World, order_of, with_world};

impl World {
    fn dev(&self, method: &'static str, path: &str) -> Call {
        let reseller = self.reseller("demo-both").id;
        let path = format!("/dev/v1/resellers/{reseller}/{path}");
        self.call(method, &path).key(&self.merchant_key())
    }

    async fn debit(&self, amount: &str, reference: &str) -> Reply {
        let body = json!({"amount": amount, "type": "WITHDRAWAL", "description": "Paid out",
            "reference": reference});
        self.dev("POST", "balance/debit").json(&body).send().await
    }

    async fn refund(&self, fulfillment: &Value, body: &Value) -> Reply {
        let path = format!(
            "fulfillments/{}/refund",
            fulfillment["id"].as_str().unwrap()
        );
        self.dev("POST", &path).json(body).send().await
    }

    async fn sold(&self, order_id: &str) -> Value {
        let order = order_of(order_id, self.product("Antivirus"));
        self.order(&self.key("demo-both"), &order).await.data(201)
    }

    async fn available(&self) -> i64 {
        cents(&self.balance(&self.key("demo-both")).await["available"])
    }
}

fn cents(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

fn text(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[test]
fn reference_of_consigns_own_is_not_valid() {
    with_world(async |world| {
        let order = order_of("WOO-OWN", world.product("Antivirus"));
        let sold = world.order(&world.key("demo-both"), &order).await.data(201);
        let path = format!("fulfillments/{}/refund", sold["id"].as_str().unwrap());
        let state = world.state();
        let body = json!({"refund_ref": "consign:rpl_1"});
        let refused = world.dev("POST", &path).json(&body);
        refused.send().await.refused(422, "VALIDATION_ERROR");
        assert_eq!(world.state(), state);
    });
}

#[test]
fn debit_is_executed_once_per_reference() {
    with_world(async |world| {
        let before = world.available().await;
        let debited = world.debit("100.00", "OUT-1").await.data(201);
        assert_eq!(debited["amount"], "-100.00");
        assert_eq!(debited["entry"]["kind"], "DEBIT");
        assert_eq!(cents(&debited["new_balance"]), before - 10_000);
        let again = world.debit("100.00", "OUT-1").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200)["entry"], debited["entry"]);
        let state = world.state();
        world
            .debit("99.00", "OUT-1")
            .await
            .refused(409, "ALREADY_EXISTS");
        for (amount, reference) in [
            ("0", "OUT-2"),
            ("-1", "OUT-2"),
            ("1.001", "OUT-2"),
            ("1", ""),
        ] {
            let refused = world.debit(amount, reference).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        assert_eq!(world.state(), state);
        assert_eq!(world.available().await, before - 10_000);
    });
}

#[test]
fn debit_of_more_than_there_is_changes_nothing_and_tells_the_amounts() {
    with_world(async |world| {
        let (all, state) = (world.available().await, world.state());
        let refused = world.debit(&text(all + 1), "OUT-1").await;
        let error = refused.refused(402, "INSUFFICIENT_BALANCE");
        let details = json!([{"field": "required", "message": text(all + 1)},
            {"field": "available", "message": text(all)}]);
        assert_eq!(error["details"], details);
        assert_eq!(world.state(), state);
        world.debit(&text(all), "OUT-1").await.data(201);
        // The money is gone, and the reference is still told as what it was.
        world.debit(&text(all), "OUT-1").await.data(200);
        let order = order_of("WOO-1", world.product("Antivirus"));
        let order = world.order(&world.key("demo-both"), &order).await;
        order.refused(402, "INSUFFICIENT_BALANCE");
    });
}

#[test]
fn debits_that_race_take_what_there_is_and_no_more() {
    with_world(async |world| {
        let all = world.available().await;
        let part = text(all / 3);
        let references: Vec<_> = (0..8).map(|each| format!("OUT-{each}")).collect();
        let debits = references
            .iter()
            .map(|reference| world.debit(&part, reference));
        let replies = join_all(debits).await;
        let done = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(done, 3);
        assert_eq!(world.available().await, all - 3 * (all / 3));
    });
}

#[test]
fn refunds_never_exceed_what_was_paid_and_replays_tell_them() {
    with_world(async |world| {
        let sold = world.sold("WOO-1").await;
        let (total, before) = (cents(&sold["total"]), world.available().await);
        let part = json!({"amount": text(total - 1), "refund_ref": "R-1", "reason": "Late"});
        let refunded = world.refund(&sold, &part).await.data(200);
        assert_eq!(refunded["status"], "PARTIALLY_REFUNDED");
        assert_eq!(refunded["refunded_total"], text(total - 1));
        assert_eq!(refunded["serials"], json!([]));
        assert_eq!(refunded["customer_email"], Value::Null);
        assert_eq!(world.available().await, before + total - 1);

        let order = order_of("WOO-1", world.product("Antivirus"));
        let replayed = world.order(&world.key("demo-both"), &order).await.data(200);
        assert_eq!(replayed["status"], "PARTIALLY_REFUNDED");
        for field in ["serials", "total", "balance_after", "created_at", "id"] {
            assert_eq!(replayed[field], sold[field], "{field}");
        }
        let again = world.refund(&sold, &part).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        again.data(200);

        let state = world.state();
        let more = json!({"amount": "0.02", "refund_ref": "R-2"});
        let refused = world.refund(&sold, &more).await;
        let error = refused.refused(422, "AMOUNT_OUT_OF_RANGE");
        assert_eq!(
            error["details"],
            json!([{"field": "rest", "message": "0.01"}])
        );
        let other = json!({"amount": "0.01", "refund_ref": "R-1"});
        world
            .refund(&sold, &other)
            .await
            .refused(409, "ALREADY_EXISTS");
        for wrong in [
            json!({"refund_ref": ""}),
            json!({"refund_ref": "R-3", "amount": "0"}),
            json!({"amount": "0.01"}),
            json!({"refund_ref": "R-3", "price": "1"}),
        ] {
            let refused = world.refund(&sold, &wrong).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let unknown = json!({"id": "ful_00000000000000000000000000"});
        let rest = json!({"refund_ref": "R-4"});
        world
            .refund(&unknown, &rest)
            .await
            .refused(404, "NOT_FOUND");
        assert_eq!(world.state(), state);

        let refunded = world.refund(&sold, &rest).await.data(200);
        assert_eq!(refunded["status"], "REFUNDED");
        assert_eq!(world.available().await, before + total);
        let none = json!({"refund_ref": "R-5"});
        let refused = world.refund(&sold, &none).await;
        refused.refused(422, "AMOUNT_OUT_OF_RANGE");
        let path = "/reseller/v1/fulfillments?status=refunded";
        let listed = world.call("GET", path).key(&world.key("demo-both"));
        let listed = listed.send().await.data(200);
        assert_eq!(listed[0]["id"], sold["id"]);
        let path = "/reseller/v1/fulfillments?status=delivered,partially_refunded";
        let listed = world.call("GET", path).key(&world.key("demo-both"));
        assert_eq!(listed.send().await.data(200), json!([]));
    });
}

#[test]
fn items_are_refunded_by_name_each_once() {
    with_world(async |world| {
        let mut order = order_of("WOO-1", world.product("Antivirus"));
        order["quantity"] = json!(2);
        let key = world.key("demo-both");
        let sold = world.order(&key, &order).await.data(201);
        let (items, before) = (&sold["lines"][0]["items"], world.available().await);
        let price = cents(&sold["unit_price"]);
        let one = json!({"item_ids": [items[0]["id"]], "refund_ref": "R-1"});
        let refunded = world.refund(&sold, &one).await.data(200);
        assert_eq!(refunded["status"], "PARTIALLY_REFUNDED");
        assert_eq!(refunded["refunded_total"], text(price));
        assert_eq!(world.available().await, before + price);
        let again = world.refund(&sold, &one).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let replayed = world.order(&key, &order).await.data(200);
        let statuses = replayed["lines"][0]["items"].as_array().unwrap().iter();
        let statuses: Vec<_> = statuses.map(|item| item["status"].clone()).collect();
        assert_eq!(statuses, ["REFUNDED", "DELIVERED"]);

        let state = world.state();
        let other = json!({"item_ids": [items[1]["id"]], "refund_ref": "R-1"});
        let other = world.refund(&sold, &other).await;
        other.refused(409, "ALREADY_EXISTS");
        let both = json!({"item_ids": [items[1]["id"], items[0]["id"]], "refund_ref": "R-2"});
        let both = world.refund(&sold, &both).await;
        both.refused(422, "AMOUNT_OUT_OF_RANGE");
        let foreign = world.sold("WOO-2").await["lines"][0]["items"][0]["id"].clone();
        let sold_too = world.state();
        assert_ne!(state, sold_too);
        for wrong in [
            json!({"item_ids": [], "refund_ref": "R-2"}),
            json!({"item_ids": [foreign], "refund_ref": "R-2"}),
            json!({"item_ids": ["fit_1"], "refund_ref": "R-2"}),
            json!({"item_ids": [items[1]["id"], items[1]["id"]], "refund_ref": "R-2"}),
            json!({"item_ids": [items[1]["id"]], "amount": "0.01", "refund_ref": "R-2"}),
        ] {
            let refused = world.refund(&sold, &wrong).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        assert_eq!(world.state(), sold_too);
        // A refunded item is not replaced any more.
        let path = format!(
            "/reseller/v1/fulfillments/{}/items/{}/replacements",
            sold["id"].as_str().unwrap(),
            items[0]["id"].as_str().unwrap()
        );
        let asked = world
            .call("POST", &path)
            .key(&key)
            .json(&json!({"reason": "USED"}));
        asked.send().await.refused(422, "REPLACEMENT_REFUSED");
        let rest = world
            .refund(&sold, &json!({"refund_ref": "R-3"}))
            .await
            .data(200);
        assert_eq!(rest["status"], "REFUNDED");
    });
}

#[test]
fn refunds_that_race_give_the_cost_back_once() {
    with_world(async |world| {
        let sold = world.sold("WOO-1").await;
        let before = world.available().await;
        let refunds = (0..8).map(async |each| {
            let whole = json!({"refund_ref": format!("R-{}", each % 4)});
            world.refund(&sold, &whole).await.status.as_u16()
        });
        let mut statuses = join_all(refunds).await;
        statuses.sort_unstable();
        statuses.dedup();
        assert_eq!(statuses, [200, 422]);
        assert_eq!(world.available().await, before + cents(&sold["total"]));
    });
}

#[test]
fn refund_that_was_cut_off_is_completed_by_sending_it_again() {
    with_world(async |world| {
        let sold = world.sold("WOO-1").await;
        let before = world.available().await;
        let rest = json!({"refund_ref": "R-1"});
        // The commit of the entry fails for as long as its table cannot take it.
        world.sql("ALTER TABLE ledger_entries ADD CONSTRAINT none CHECK (kind <> 4) NOT VALID");
        let unknown = world.refund(&sold, &rest).await;
        unknown.refused(503, "OUTCOME_UNKNOWN");
        world.sql("ALTER TABLE ledger_entries DROP CONSTRAINT none");
        world.refund(&sold, &rest).await.data(200);
        assert_eq!(world.available().await, before + cents(&sold["total"]));
    });
}

#[test]
fn refund_that_was_cut_off_is_completed_in_time() {
    with_world(async |world| {
        let sold = world.sold("WOO-1").await;
        let before = world.available().await;
        world.sql("ALTER TABLE ledger_entries ADD CONSTRAINT none CHECK (kind <> 4) NOT VALID");
        let rest = json!({"refund_ref": "R-1"});
        let unknown = world.refund(&sold, &rest).await;
        unknown.refused(503, "OUTCOME_UNKNOWN");
        let (app, now) = (world.server.app(), SystemClock.now());
        let later = now + TimeDelta::minutes(2);
        assert_eq!(complete_refunds(app, now).await.unwrap(), 0);
        assert_eq!(complete_refunds(app, later).await.unwrap(), 1);
        assert_eq!(world.available().await, before);
        world.sql("ALTER TABLE ledger_entries DROP CONSTRAINT none");
        assert_eq!(complete_refunds(app, later).await.unwrap(), 1);
        assert_eq!(complete_refunds(app, later).await.unwrap(), 0);
        assert_eq!(world.available().await, before + cents(&sold["total"]));
    });
}

#[test]
fn refund_that_no_balance_could_hold_is_refused() {
    with_world(async |world| {
        let sold = world.sold("WOO-1").await;
        let room = 999_999_999_999 - world.available().await;
        let body = json!({"amount": text(room), "type": "CORRECTION", "description": "All",
            "reference": "IN-1"});
        let credited = world.dev("POST", "balance/credit").json(&body).send().await;
        credited.data(201);
        let state = world.state();
        let refused = world.refund(&sold, &json!({"refund_ref": "R-1"})).await;
        refused.refused(422, "VALIDATION_ERROR");
        assert_eq!(world.state(), state);
        // What is taken and given over and over is more than a balance can be, and still a statement.
        world.debit(&text(999_999_999_999), "OUT-1").await.data(201);
        let again = json!({"amount": text(999_999_999_999), "type": "CORRECTION",
            "description": "All", "reference": "IN-2"});
        let credited = world
            .dev("POST", "balance/credit")
            .json(&again)
            .send()
            .await;
        credited.data(201);
        let now = SystemClock.now() + TimeDelta::days(1);
        let from = (now - TimeDelta::days(2)).format("%Y-%m-%dT%H:%M:%SZ");
        let path = format!(
            "balance/statement?from={from}&to={}",
            now.format("%Y-%m-%dT%H:%M:%SZ")
        );
        let statement = world.dev("GET", &path).send().await.data(200);
        assert!(cents(&statement["totals"]["CREDIT"]) > 999_999_999_999);
    });
}

#[test]
fn debit_and_refund_are_told_as_events() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let sold = world.sold("WOO-1").await;
        let debited = world.debit("1.00", "OUT-1").await.data(201);
        let part = json!({"amount": "0.50", "refund_ref": "R-1", "reason": "Late"});
        world.refund(&sold, &part).await.data(200);
        let refunded = world.event(&key, "fulfillment:refunded").await;
        assert_eq!(refunded["data"]["fulfillment_id"], sold["id"]);
        assert_eq!(refunded["data"]["reference"], "R-1");
        assert_eq!(refunded["data"]["amount"], "0.50");
        let event = world.event(&key, "balance:debited").await;
        assert_eq!(event["data"]["ledger_entry_id"], debited["entry"]["id"]);
        assert_eq!(event["data"]["amount"], "-1.00");
    });
}

#[test]
fn person_and_merchant_read_the_statement_of_the_shop() {
    with_world(async |world| {
        let person = world.person("ann@example.com").await;
        let reseller = world.reseller("demo-both").id;
        world.sql(&format!(
            "UPDATE relationships SET person_id = '{}' WHERE relationship_id = '{}'",
            person.uuid(),
            reseller.uuid()
        ));
        let cookie = world.session("ann@example.com").await;
        let sold = world.sold("WOO-1").await;
        world.debit("1.00", "OUT-1").await.data(201);
        world
            .refund(&sold, &json!({"amount": "0.50", "refund_ref": "R-1"}))
            .await
            .data(200);

        let day = |days| {
            let day = SystemClock.now() + TimeDelta::days(days);
            day.format("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        let query = format!("?from={}&to={}", day(-1), day(1));
        let page = async |path: &str| {
            let path = format!("/programs/{reseller}/{path}");
            world
                .page("GET", &path)
                .header("cookie", &cookie)
                .send()
                .await
        };
        let own = page(&format!("statement{query}")).await.data(200);
        let path = format!("balance/statement{query}");
        assert_eq!(world.dev("GET", &path).send().await.data(200), own);
        let totals = own["totals"].as_object().unwrap();
        let sum: i64 = totals.values().map(signed).sum();
        assert_eq!(
            sum,
            cents(&own["closing_balance"]) - cents(&own["opening_balance"])
        );
        assert_eq!(own["entries"], 4);

        let entries = page("ledger").await.data(200);
        assert_eq!(
            world.dev("GET", "balance/ledger").send().await.data(200),
            entries
        );
        assert_eq!(entries[0]["balance_after"], own["closing_balance"]);
        let file = page(&format!("statement{query}&format=csv")).await.text();
        assert_eq!(file.lines().count(), 5);
        assert_eq!(page("ledger?format=csv").await.text(), file);
        let balance = page("balance").await.data(200);
        assert_eq!(balance["available"], own["closing_balance"]);
        let merchants = world.dev("GET", "balance").send().await.data(200);
        for field in ["balance", "held", "available", "ledger_version", "currency"] {
            assert_eq!(merchants[field], balance[field], "{field}");
        }

        let other = world.reseller("demo-stock").id;
        for path in ["balance", "ledger", &format!("statement{query}")] {
            let foreign = world.page("GET", &format!("/programs/{other}/{path}"));
            let foreign = foreign.header("cookie", &cookie).send().await;
            foreign.refused(404, "NOT_FOUND");
        }
    });
}

fn signed(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}
