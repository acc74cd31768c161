//! Top-ups that are taken back: what is there goes, the rest is owed, later top-ups settle it first, and so does money of
//! purchases that ends in the balance.

use api::{stock_requests::give_back::give_back_waiting, top_ups::take_waiting};
use chrono::TimeDelta;
use engine::clock::{Clock as _, SystemClock};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

const CODE: &str = "demo-both";

impl World {
    /// An invoice that the merchant opened and saw paid.
    async fn topped_up(&self, amount: &str) -> Value {
        let opened = self.invoice(CODE, amount).await.data(201);
        let path = format!("top-ups/{}/mark-paid", opened["id"].as_str().unwrap());
        let paid = self.dev_of(CODE, "POST", &path).json(&json!({}));
        paid.send().await.data(200)
    }

    async fn give_back(&self, invoice: &Value, body: &Value) -> Reply {
        self.on_invoice(invoice, "refund", body).await
    }

    async fn dispute(&self, invoice: &Value, outcome: &str) -> Reply {
        let body = json!({"outcome": outcome});
        self.on_invoice(invoice, "dispute", &body).await
    }

    async fn on_invoice(&self, invoice: &Value, verb: &str, body: &Value) -> Reply {
        let path = format!(
            "/dev/v1/invoices/{}/{verb}",
            invoice["id"].as_str().unwrap()
        );
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.json(body).send().await
    }

    /// Leaves so much in the balance.
    pub(crate) async fn spend_down_to(&self, left: &str) {
        let balance = self.balance(&self.key(CODE)).await;
        let rest = cents(&balance["available"]) - cents(&json!(left));
        let body = json!({"amount": format!("{}.{:02}", rest / 100, rest % 100), "type": "WITHDRAWAL",
            "description": "Paid out", "reference": format!("OUT-{left}-{rest}")});
        let debit = self.dev_of(CODE, "POST", "balance/debit").json(&body);
        debit.send().await.data(201);
    }

    async fn status(&self) -> Value {
        let id = self.reseller(CODE).id;
        let call = self.call("GET", &format!("/dev/v1/resellers/{id}"));
        let found = call.key(&self.merchant_key()).send().await.data(200);
        found["status"].clone()
    }

    /// Balance, available and debt.
    async fn stands(&self) -> [Value; 3] {
        let id = self.reseller(CODE).id;
        let call = self.call("GET", &format!("/dev/v1/resellers/{id}/balance"));
        let found = call.key(&self.merchant_key()).send().await.data(200);
        ["balance", "available", "debt"].map(|name| found[name].clone())
    }

    async fn step_to(&self, verb: &str) -> Reply {
        let call = self.dev_of(CODE, "POST", verb);
        call.json(&json!({"reason": "Ours"})).send().await
    }

    async fn entries(&self, kind: &str) -> Vec<Value> {
        let path = format!("balance/ledger?kind={kind}");
        let found = self.dev_of(CODE, "GET", &path).send().await.data(200);
        let found = found.as_array().unwrap().iter();
        found.map(|entry| entry["amount"].clone()).collect()
    }

    /// What is owed against what was taken and was not there: empty if they agree.
    fn debts_that_do_not_add_up(&self) -> String {
        self.scalar(
            "SELECT COALESCE(string_agg(to_jsonb(d)::text, ' '), '') FROM debts AS d
             WHERE d.amount <> (
               SELECT COALESCE(SUM(CASE t.kind WHEN 6 THEN t.amount - t.taken ELSE -t.taken END), 0)
               FROM takings AS t WHERE t.relationship_id = d.relationship_id AND t.taken IS NOT NULL)
             OR EXISTS (
               SELECT FROM takings AS t WHERE t.taken IS NOT NULL AND NOT EXISTS (
                 SELECT FROM ledger_entries AS l WHERE l.balance_id = t.balance_id
                   AND l.kind = t.kind AND l.reference = t.reference AND l.amount = -t.taken))",
        )
    }
}

fn cents(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[test]
fn top_up_that_was_spent_is_owed_and_later_ones_settle_it_first() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, "ann@example.com").await;
        let paid = world.topped_up("50.00").await;
        world.spend_down_to("15.00").await;
        let back = world
            .give_back(&paid, &json!({"refund_ref": "BACK-1"}))
            .await;
        let back = back.data(200);
        assert_eq!(
            (&back["status"], &back["refunded"]),
            (&json!("REFUNDED"), &json!("50.00"))
        );
        assert_eq!(world.stands().await, ["0.00", "0.00", "35.00"]);
        assert_eq!(world.entries("TOP_UP_REVERSAL").await, ["-15.00"]);
        assert_eq!(world.status().await, "SUSPENDED");
        let order = order_of("WOO-1", world.product("Antivirus"));
        let refused = world.order(&world.key(CODE), &order).await;
        let refused = refused.refused(403, "RELATIONSHIP_INACTIVE");
        assert!(
            refused["message"].as_str().unwrap().contains("taken back"),
            "{refused}"
        );
        let letters = world.letters().await;
        assert!(
            letters
                .iter()
                .any(|letter| letter.subject.contains("35.00"))
        );

        // Suspended for what is owed, a reseller may still pay it.
        let id = world.reseller(CODE).id;
        let ask = world.page("POST", &format!("/programs/{id}/top-ups"));
        let ask = ask.header("cookie", &session);
        let ask = ask.json(&json!({"amount": "20.00", "coin": "bank"}));
        let opened = ask.send().await.data(201);
        let path = format!("top-ups/{}/mark-paid", opened["id"].as_str().unwrap());
        world
            .dev_of(CODE, "POST", &path)
            .json(&json!({}))
            .send()
            .await
            .data(200);
        assert_eq!(world.stands().await, ["0.00", "0.00", "15.00"]);
        assert_eq!(world.status().await, "SUSPENDED");
        world.topped_up("40.00").await;
        assert_eq!(world.stands().await, ["25.00", "25.00", "0.00"]);
        assert_eq!(world.entries("DEBT_SETTLEMENT").await, ["-15.00", "-20.00"]);
        assert_eq!(world.status().await, "ACTIVE");
        world.order(&world.key(CODE), &order).await.data(201);
        assert_eq!(world.debts_that_do_not_add_up(), "");
        let deeds = world.scalar(
            "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log
             WHERE actor_type = 'JOB' AND action LIKE 'reseller.%'",
        );
        assert_eq!(deeds, "reseller.suspend reseller.reactivate");
    });
}

#[test]
fn parts_are_given_back_once_per_reference_and_never_more_than_was_credited() {
    with_world(async |world| {
        let open = world.invoice(CODE, "10.00").await.data(201);
        let early = world.give_back(&open, &json!({"refund_ref": "R-1"})).await;
        early.refused(409, "INVALID_STATE");
        let paid = world.topped_up("50.00").await;
        let part = json!({"amount": "20.00", "refund_ref": "R-1", "reason": "Twice"});
        let back = world.give_back(&paid, &part).await.data(200);
        assert_eq!(
            (&back["status"], &back["refunded"]),
            (&json!("PARTIALLY_REFUNDED"), &json!("20.00"))
        );
        let state = world.state();
        let again = world.give_back(&paid, &part).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        for (body, status, code) in [
            (
                json!({"amount": "21.00", "refund_ref": "R-1"}),
                409,
                "ALREADY_EXISTS",
            ),
            (
                json!({"amount": "30.01", "refund_ref": "R-2"}),
                422,
                "AMOUNT_OUT_OF_RANGE",
            ),
            (
                json!({"amount": "0", "refund_ref": "R-2"}),
                422,
                "VALIDATION_ERROR",
            ),
            (json!({"refund_ref": "consign:1"}), 422, "VALIDATION_ERROR"),
            (json!({"amount": "1.00"}), 422, "VALIDATION_ERROR"),
        ] {
            world.give_back(&paid, &body).await.refused(status, code);
        }
        assert_eq!(world.state(), state);
        assert_eq!(world.stands().await, ["10030.00", "10030.00", "0.00"]);
        assert_eq!(world.status().await, "ACTIVE", "what is there is no debt");
        let rest = json!({"refund_ref": "R-2"});
        let back = world.give_back(&paid, &rest).await.data(200);
        assert_eq!(back["status"], "REFUNDED");
        let more = world.give_back(&paid, &json!({"refund_ref": "R-3"})).await;
        more.refused(409, "INVALID_STATE");
    });
}

#[test]
fn dispute_stands_until_it_is_won_or_lost() {
    with_world(async |world| {
        let paid = world.topped_up("50.00").await;
        world.dispute(&paid, "WON").await.data(200);
        world
            .dispute(&paid, "LOST")
            .await
            .refused(409, "INVALID_STATE");
        world
            .dispute(&paid, "maybe")
            .await
            .refused(422, "VALIDATION_ERROR");
        let open = world.dispute(&paid, "opened").await.data(200);
        assert_eq!(open["status"], "DISPUTED");
        let again = world.dispute(&paid, "OPENED").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let refund = world.give_back(&paid, &json!({"refund_ref": "R-1"})).await;
        refund.refused(409, "INVALID_STATE");
        let won = world.dispute(&paid, "WON").await.data(200);
        assert_eq!(won["status"], "COMPLETED");
        world.dispute(&paid, "OPENED").await.data(200);
        let lost = world.dispute(&paid, "LOST").await.data(200);
        assert_eq!(
            (&lost["status"], &lost["refunded"]),
            (&json!("REFUNDED"), &json!("50.00"))
        );
        let again = world.dispute(&paid, "LOST").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(world.entries("TOP_UP_REVERSAL").await, ["-50.00"]);
        assert_eq!(world.stands().await, ["10000.00", "10000.00", "0.00"]);
    });
}

#[test]
fn refunds_that_race_take_what_was_credited_once() {
    with_world(async |world| {
        let paid = world.topped_up("50.00").await;
        world.spend_down_to("30.00").await;
        let refunds = (0..8).map(|each| {
            let body = json!({"refund_ref": format!("R-{}", each % 4)});
            let paid = &paid;
            async move { world.give_back(paid, &body).await.status.as_u16() }
        });
        let statuses = join_all(refunds).await;
        assert!(
            statuses
                .iter()
                .all(|status| [200, 409, 503].contains(status)),
            "{statuses:?}"
        );
        let later = SystemClock.now() + TimeDelta::minutes(2);
        take_waiting(world.server.app(), later).await.unwrap();
        assert_eq!(world.entries("TOP_UP_REVERSAL").await, ["-30.00"]);
        assert_eq!(world.stands().await, ["0.00", "0.00", "20.00"]);
        assert_eq!(world.debts_that_do_not_add_up(), "");
    });
}

#[test]
fn reversal_and_settlement_that_were_cut_off_are_taken_in_time() {
    with_world(async |world| {
        let paid = world.topped_up("50.00").await;
        world.spend_down_to("10.00").await;
        let app = world.server.app();
        let later = SystemClock.now() + TimeDelta::minutes(2);
        // The commit of the entry fails for as long as its table cannot take it.
        let none =
            "ALTER TABLE ledger_entries ADD CONSTRAINT none CHECK (kind NOT IN (6, 9)) NOT VALID";
        world.sql(none);
        let cut = world.give_back(&paid, &json!({"refund_ref": "R-1"})).await;
        cut.refused(503, "OUTCOME_UNKNOWN");
        assert_eq!(world.stands().await, ["10.00", "10.00", "0.00"]);
        world.sql("ALTER TABLE ledger_entries DROP CONSTRAINT none");
        assert_eq!(take_waiting(app, SystemClock.now()).await.unwrap(), 0);
        assert_eq!(take_waiting(app, later).await.unwrap(), 1);
        assert_eq!(world.stands().await, ["0.00", "0.00", "40.00"]);
        assert_eq!(world.status().await, "SUSPENDED");

        world.sql(none);
        let opened = world.invoice(CODE, "60.00").await.data(201);
        let path = format!("top-ups/{}/mark-paid", opened["id"].as_str().unwrap());
        let cut = world
            .dev_of(CODE, "POST", &path)
            .json(&json!({}))
            .send()
            .await;
        cut.refused(503, "OUTCOME_UNKNOWN");
        world.sql("ALTER TABLE ledger_entries DROP CONSTRAINT none");
        assert_eq!(take_waiting(app, later).await.unwrap(), 1);
        assert_eq!(take_waiting(app, later).await.unwrap(), 0);
        assert_eq!(world.stands().await, ["20.00", "20.00", "0.00"]);
        assert_eq!(world.status().await, "ACTIVE");
        assert_eq!(world.debts_that_do_not_add_up(), "");
    });
}

#[test]
fn money_of_a_purchase_that_ends_in_the_balance_settles_the_debt_first() {
    with_world(async |world| {
        world.auto_allocate(false).await;
        let product = world.product("Antivirus").id.to_string();
        let mut bought = Vec::new();
        for reference in ["WIRE-1", "WIRE-2"] {
            let body = json!({"product_id": product, "quantity": 2, "coin": "bank"});
            let asked = world.ask_stock(CODE, &body).await.data(201);
            let word = json!({"reference": reference});
            let paid = world.transfer(&asked, "mark-paid", &word).await.data(200);
            assert_eq!(
                (&paid["status"], &paid["total"]),
                (&json!("PAID"), &json!("47.98"))
            );
            bought.push(paid);
        }
        let topped = world.topped_up("60.00").await;
        world.spend_down_to("0.00").await;
        world
            .give_back(&topped, &json!({"refund_ref": "R-1"}))
            .await
            .data(200);
        assert_eq!(world.stands().await, ["0.00", "0.00", "60.00"]);

        let cancel = world.transfer(&bought[0], "cancel", &json!({})).await;
        cancel.data(200);
        assert_eq!(world.stands().await, ["0.00", "0.00", "12.02"]);
        assert_eq!(world.status().await, "SUSPENDED");
        // Cut off between the credit and what it settles: found by the jobs, and taken once.
        let app = world.server.app();
        let later = app.engine.clock().now() + TimeDelta::minutes(2);
        let none = "ALTER TABLE ledger_entries ADD CONSTRAINT none CHECK (kind <> 9) NOT VALID";
        world.sql(none);
        let cut = world.transfer(&bought[1], "cancel", &json!({})).await;
        cut.refused(503, "OUTCOME_UNKNOWN");
        assert_eq!(world.stands().await, ["47.98", "47.98", "12.02"]);
        world.sql("ALTER TABLE ledger_entries DROP CONSTRAINT none");
        assert_eq!(give_back_waiting(app, later).await.unwrap(), 0);
        assert_eq!(take_waiting(app, later).await.unwrap(), 1);
        assert_eq!(take_waiting(app, later).await.unwrap(), 0);
        assert_eq!(world.stands().await, ["35.96", "35.96", "0.00"]);
        assert_eq!(world.status().await, "ACTIVE");
        assert_eq!(world.entries("STOCK_REFUND").await, ["47.98", "47.98"]);
        assert_eq!(world.entries("DEBT_SETTLEMENT").await, ["-12.02", "-47.98"]);
        assert_eq!(world.debts_that_do_not_add_up(), "");
        let settled = world.dev_of(CODE, "GET", "balance/ledger?kind=DEBT_SETTLEMENT");
        let settled = settled.send().await.data(200);
        assert_eq!(settled[0]["reference_type"], "stock_refund");
        let description = settled[0]["description"].as_str().unwrap();
        let id = description.strip_prefix("Purchase ").unwrap();
        assert!(bought.iter().any(|paid| paid["id"] == id), "{description}");
    });
}

#[test]
fn merchants_own_word_about_a_debtor_stands() {
    with_world(async |world| {
        let paid = world.topped_up("50.00").await;
        world.spend_down_to("0.00").await;
        world
            .give_back(&paid, &json!({"refund_ref": "R-1"}))
            .await
            .data(200);
        world.step_to("reactivate").await.data(200);
        let order = order_of("WOO-1", world.product("Antivirus"));
        let refused = world.order(&world.key(CODE), &order).await;
        refused.refused(402, "INSUFFICIENT_BALANCE");
        world.topped_up("20.00").await;
        assert_eq!(world.stands().await, ["0.00", "0.00", "30.00"]);
        world.step_to("suspend").await.data(200);
        world.topped_up("30.00").await;
        assert_eq!(world.stands().await, ["0.00", "0.00", "0.00"]);
        assert_eq!(world.status().await, "SUSPENDED");
    });
}
