//! Top-ups: opened, paid, credited once per payment whatever is cut off, and what is refused.

use api::top_ups::{complete_waiting, expire_due};
use chrono::TimeDelta;
use engine::{
    clock::{Clock as _, SystemClock, Timestamp},
    persons::Role,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Call, Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@example.com";

impl World {
    /// The cookie of the reseller with this code.
    pub(crate) async fn as_reseller(&self, code: &str, email: &str) -> String {
        let person = self.person(email).await;
        let reseller = self.reseller(code).id;
        self.sql(&format!(
            "UPDATE relationships SET person_id = '{}' WHERE relationship_id = '{}'",
            person.uuid(),
            reseller.uuid()
        ));
        self.session(email).await
    }

    fn of_reseller(&self, session: &str, method: &'static str, path: &str) -> Call {
        let reseller = self.reseller(CODE).id;
        let path = format!("/programs/{reseller}/{path}");
        self.page(method, &path).header("cookie", session)
    }

    async fn ask(&self, session: &str, amount: &str) -> Reply {
        let body = json!({"amount": amount, "coin": "bank"});
        let call = self.of_reseller(session, "POST", "top-ups");
        call.json(&body).send().await
    }

    pub(crate) fn dev_of(&self, code: &str, method: &'static str, path: &str) -> Call {
        let reseller = self.reseller(code).id;
        let path = format!("/dev/v1/resellers/{reseller}/{path}");
        self.call(method, &path).key(&self.merchant_key())
    }

    /// An invoice by the merchant.
    pub(crate) async fn invoice(&self, code: &str, amount: &str) -> Reply {
        let call = self.dev_of(code, "POST", "top-ups");
        call.json(&json!({"amount": amount})).send().await
    }

    async fn mark_paid(&self, invoice: &Value, body: &Value) -> Reply {
        let path = format!("top-ups/{}/mark-paid", invoice["id"].as_str().unwrap());
        self.dev_of(CODE, "POST", &path).json(body).send().await
    }

    async fn cancel(&self, invoice: &Value) -> Reply {
        let path = format!("top-ups/{}/cancel", invoice["id"].as_str().unwrap());
        self.dev_of(CODE, "POST", &path).send().await
    }

    /// The invoice as the shop reads it.
    async fn read(&self, invoice: &Value) -> Value {
        let path = format!("/reseller/v1/top-ups/{}", invoice["id"].as_str().unwrap());
        let call = self.call("GET", &path).key(&self.key(CODE));
        call.send().await.data(200)
    }

    /// Everything about top-ups that a refusal must leave alone.
    fn top_ups(&self) -> String {
        self.scalar(
            "SELECT (SELECT md5(COALESCE(string_agg(to_jsonb(i)::text, '' ORDER BY i.invoice_id), ''))
                     FROM invoices AS i)
               || (SELECT COUNT(*) FROM payments) || ' ' || (SELECT COUNT(*) FROM ledger_entries)
               || ' ' || (SELECT COUNT(*) FROM audit_log WHERE action LIKE 'top_up.%')
               || ' ' || (SELECT COUNT(*) FROM mails)",
        )
    }

    fn credits(&self) -> String {
        self.scalar(
            "SELECT COUNT(*) || ' of ' || COALESCE(SUM(amount), 0) FROM ledger_entries
             WHERE kind = 2",
        )
    }
}

/// When everything that waits now counts as cut off.
fn later() -> Timestamp {
    SystemClock.now() + TimeDelta::minutes(2)
}

#[test]
fn top_up_is_opened_by_the_reseller_paid_and_spendable() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let program = world.reseller(CODE).id;
        let program = world.page("GET", &format!("/programs/{program}"));
        let program = program.header("cookie", &session).send().await.data(200);
        assert_eq!(program["payment_coins"][0]["coin"], "BANK");

        let opened = world.ask(&session, "50.00").await.data(201);
        assert_eq!(opened["status"], "OPEN");
        assert_eq!(
            (&opened["origin"], &opened["coin"]),
            (&json!("MANUAL"), &json!("BANK"))
        );
        assert!(opened["pay"]["instructions"].is_string(), "{opened}");
        let before = world.balance(&world.key(CODE)).await;
        assert_eq!(before["open_top_ups"], json!([opened]));

        let paid = world.mark_paid(&opened, &json!({})).await.data(200);
        assert_eq!(
            (&paid["status"], &paid["credited"]),
            (&json!("COMPLETED"), &json!("50.00"))
        );
        assert_eq!(
            (&paid["received"], &paid["overpaid"]),
            (&json!("50.00"), &json!("0.00"))
        );
        let after = world.balance(&world.key(CODE)).await;
        assert_eq!(
            (&after["balance"], &after["open_top_ups"]),
            (&json!("10050.00"), &json!([]))
        );

        let entries = world.of_reseller(&session, "GET", "ledger?kind=TOP_UP");
        let entries = entries.send().await.data(200);
        assert_eq!(entries[0]["id"], paid["ledger_entry_id"]);
        assert_eq!(entries[0]["reference_type"], "payment");
        let named = format!("Top-up {}", opened["id"].as_str().unwrap());
        assert_eq!(entries[0]["description"], named.as_str());
        for reader in [
            world.of_reseller(&session, "GET", "top-ups"),
            world.dev_of(CODE, "GET", "top-ups?status=completed"),
            world
                .call("GET", "/reseller/v1/top-ups")
                .key(&world.key(CODE)),
        ] {
            assert_eq!(reader.send().await.data(200), json!([paid]));
        }
        let none = world.dev_of(CODE, "GET", "top-ups?status=open,expired");
        assert_eq!(none.send().await.data(200), json!([]));
    });
}

#[test]
fn statement_with_top_ups_sums_to_the_cent() {
    with_world(async |world| {
        for (amount, arrived) in [("10.01", "10.01"), ("20.00", "19.99"), ("30.00", "33.33")] {
            let invoice = world.invoice(CODE, amount).await.data(201);
            let paid = world.mark_paid(&invoice, &json!({"amount": arrived})).await;
            assert_eq!(paid.data(200)["credited"], arrived);
        }
        let day = |days| {
            let day = SystemClock.now() + TimeDelta::days(days);
            day.format("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        let path = format!("balance/statement?from={}&to={}", day(-1), day(1));
        let statement = world.dev_of(CODE, "GET", &path).send().await.data(200);
        let totals = json!({"CREDIT": "10000.00", "TOP_UP": "63.33"});
        assert_eq!(statement["totals"], totals);
        assert_eq!(statement["closing_balance"], "10063.33");
        assert_eq!(statement["opening_balance"], "0.00");
    });
}

#[test]
fn invoice_is_paid_once_whoever_says_so_and_however_often() {
    with_world(async |world| {
        let invoice = world.invoice(CODE, "50.00").await.data(201);
        let word = json!({"amount": "49.00", "reference": "WIRE-1"});
        let words = (0..8).map(|_| world.mark_paid(&invoice, &word));
        let replies = join_all(words).await;
        let fresh = |reply: &&Reply| reply.header("idempotent-replayed").is_none();
        assert_eq!(replies.iter().filter(fresh).count(), 1);
        for reply in &replies {
            let paid = reply.data(200);
            assert_eq!(paid["received"], "49.00");
        }
        assert_eq!(world.credits(), "1 of 4900");
        assert_eq!(world.read(&invoice).await["status"], "COMPLETED");

        let (state, other) = (
            world.top_ups(),
            world.invoice(CODE, "50.00").await.data(201),
        );
        assert_ne!(world.top_ups(), state);
        let state = world.top_ups();
        for contradiction in [
            json!({"amount": "50.00"}),
            json!({"reference": "WIRE-2"}),
            json!({"amount": "50.00", "reference": "WIRE-1"}),
        ] {
            let refused = world.mark_paid(&invoice, &contradiction).await;
            let error = refused.refused(409, "INVALID_STATE");
            assert_eq!(error["details"][0]["message"], "COMPLETED");
        }
        let taken = world
            .mark_paid(&other, &json!({"reference": "WIRE-1"}))
            .await;
        taken.refused(409, "ALREADY_EXISTS");
        for same in [
            json!({}),
            json!({"reference": "WIRE-1"}),
            json!({"amount": "49"}),
        ] {
            let again = world.mark_paid(&invoice, &same).await;
            assert_eq!(again.header("idempotent-replayed"), Some("true"));
            again.data(200);
        }
        assert_eq!(world.top_ups(), state);
    });
}

#[test]
fn payment_that_is_not_right_changes_nothing() {
    with_world(async |world| {
        let invoice = world.invoice(CODE, "50.00").await.data(201);
        let state = world.top_ups();
        for wrong in [
            json!({"amount": "0"}),
            json!({"amount": "-1"}),
            json!({"amount": "1.001"}),
            json!({"amount": "9999999999.99"}),
            json!({"reference": ""}),
            json!({"reference": "x".repeat(129)}),
            json!({"reference": "a\nb"}),
            json!({"price": "1"}),
        ] {
            let refused = world.mark_paid(&invoice, &wrong).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let unknown = json!({"id": "inv_00000000000000000000000000"});
        let missing = world.mark_paid(&unknown, &json!({})).await;
        missing.refused(404, "NOT_FOUND");
        // It belongs to another reseller of the merchant.
        let path = format!("top-ups/{}/mark-paid", invoice["id"].as_str().unwrap());
        let foreign = world.dev_of("demo-stock", "POST", &path).send().await;
        foreign.refused(404, "NOT_FOUND");
        assert_eq!(world.top_ups(), state);
    });
}

#[test]
fn top_up_that_may_not_be_opened_changes_nothing() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let state = world.top_ups();
        for (amount, code) in [
            ("9.99", "AMOUNT_OUT_OF_RANGE"),
            ("10000.01", "AMOUNT_OUT_OF_RANGE"),
            ("0", "AMOUNT_OUT_OF_RANGE"),
            ("-1", "VALIDATION_ERROR"),
            ("10.001", "VALIDATION_ERROR"),
        ] {
            let error = world.ask(&session, amount).await.refused(422, code);
            if code == "AMOUNT_OUT_OF_RANGE" {
                let bounds = json!([{"field": "min", "message": "10.00"},
                    {"field": "max", "message": "10000.00"}]);
                assert_eq!(error["details"], bounds);
            }
        }
        for body in [
            json!({"amount": "50.00"}),
            json!({"amount": "50.00", "coin": "DOGE"}),
            json!({"amount": "50.00", "coin": "no coin"}),
            json!({"amount": "50.00", "coin": "BANK", "status": "PAID"}),
            json!({"coin": "BANK"}),
        ] {
            let call = world.of_reseller(&session, "POST", "top-ups").json(&body);
            call.send().await.refused(422, "VALIDATION_ERROR");
        }
        let affiliate = world.invoice("demo-affiliate", "50.00").await;
        affiliate.refused(403, "MODE_NOT_ALLOWED");
        assert_eq!(world.top_ups(), state);
        let suspend = world.dev_of(CODE, "POST", "suspend").send().await;
        suspend.data(200);
        let state = world.top_ups();
        let refused = world.ask(&session, "50.00").await;
        refused.refused(403, "RELATIONSHIP_INACTIVE");
        assert_eq!(world.top_ups(), state);
        // The merchant may: a suspended reseller has debts to pay too.
        world.invoice(CODE, "50.00").await.data(201);
        world.sql("DELETE FROM payment_methods");
        let state = world.top_ups();
        let none = world.invoice(CODE, "50.00").await;
        none.refused(422, "VALIDATION_ERROR");
        assert_eq!(world.top_ups(), state);
    });
}

#[test]
fn open_top_ups_are_bounded() {
    with_world(async |world| {
        for _ in 0..20 {
            world.invoice(CODE, "50.00").await.data(201);
        }
        let state = world.top_ups();
        let refused = world.invoice(CODE, "50.00").await;
        refused.refused(409, "INVALID_STATE");
        assert_eq!(world.top_ups(), state);
    });
}

#[test]
fn late_money_is_credited_whatever_became_of_the_invoice() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let cancelled = world.ask(&session, "50.00").await.data(201);
        let path = format!("top-ups/{}/cancel", cancelled["id"].as_str().unwrap());
        let end = world.of_reseller(&session, "POST", &path).send().await;
        assert_eq!(end.data(200)["status"], "CANCELLED");
        let again = world.cancel(&cancelled).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        again.data(200);

        let expired = world.invoice(CODE, "60.00").await.data(201);
        let app = world.server.app();
        let (now, day) = (SystemClock.now(), TimeDelta::hours(25));
        assert_eq!(expire_due(app, now).await.unwrap(), 0);
        assert_eq!(expire_due(app, now + day).await.unwrap(), 1);
        assert_eq!(expire_due(app, now + day).await.unwrap(), 0);
        assert_eq!(world.read(&expired).await["status"], "EXPIRED");
        let state = world.top_ups();
        let refused = world.cancel(&expired).await;
        let error = refused.refused(409, "INVALID_STATE");
        assert_eq!(error["details"][0]["message"], "EXPIRED");
        assert_eq!(world.top_ups(), state);

        for invoice in [&cancelled, &expired] {
            let paid = world.mark_paid(invoice, &json!({})).await.data(200);
            assert_eq!(paid["status"], "COMPLETED");
        }
        assert_eq!(world.credits(), "2 of 11000");
        let over = world.cancel(&cancelled).await;
        over.refused(409, "INVALID_STATE");
    });
}

/// A payment that is cut off at a step, and completed by whoever comes next.
async fn cut_off(world: &World, cut: &str, mend: &str, tries: usize) {
    let invoice = world.invoice(CODE, "50.00").await.data(201);
    world.sql(cut);
    let unknown = world.mark_paid(&invoice, &json!({})).await;
    unknown.refused(503, "OUTCOME_UNKNOWN");
    assert_eq!(world.read(&invoice).await["status"], "PAID");
    let app = world.server.app();
    let now = SystemClock.now();
    assert_eq!(complete_waiting(app, now).await.unwrap(), 0);
    // As long as it cannot be completed it waits on, and nothing is credited twice.
    for _ in 0..tries {
        assert_eq!(complete_waiting(app, later()).await.unwrap(), 1);
        assert_eq!(world.read(&invoice).await["status"], "PAID");
    }
    world.sql(mend);
    let word = json!({});
    let (completed, first, second) = tokio::join!(
        complete_waiting(app, later()),
        world.mark_paid(&invoice, &word),
        world.mark_paid(&invoice, &word)
    );
    assert!(completed.unwrap() <= 1);
    for reply in [first, second] {
        assert_eq!(reply.data(200)["status"], "COMPLETED");
    }
    assert_eq!(complete_waiting(app, later()).await.unwrap(), 0);
    assert_eq!(world.read(&invoice).await["credited"], "50.00");
}

#[test]
fn payment_that_was_cut_off_before_its_credit_is_credited_once() {
    with_world(async |world| {
        let cut = "ALTER TABLE ledger_entries ADD CONSTRAINT none CHECK (kind <> 2) NOT VALID";
        let mend = "ALTER TABLE ledger_entries DROP CONSTRAINT none";
        // A ledger that refuses an entry again and again is put aside as broken.
        cut_off(world, cut, mend, 0).await;
        assert_eq!(world.credits(), "1 of 5000");
    });
}

#[test]
fn payment_that_was_cut_off_after_its_credit_is_not_credited_again() {
    with_world(async |world| {
        let cut = "ALTER TABLE payments ADD CONSTRAINT none CHECK (credited_at IS NULL) NOT VALID";
        let mend = "ALTER TABLE payments DROP CONSTRAINT none";
        cut_off(world, cut, mend, 2).await;
        assert_eq!(world.credits(), "1 of 5000");
    });
}

#[test]
fn payment_that_could_not_be_stored_is_not_credited() {
    with_world(async |world| {
        let invoice = world.invoice(CODE, "50.00").await.data(201);
        let state = world.top_ups();
        world.sql("ALTER TABLE payments ADD CONSTRAINT none CHECK (false) NOT VALID");
        let failed = world.mark_paid(&invoice, &json!({})).await;
        failed.refused(500, "INTERNAL_ERROR");
        world.sql("ALTER TABLE payments DROP CONSTRAINT none");
        assert_eq!(
            complete_waiting(world.server.app(), later()).await.unwrap(),
            0
        );
        assert_eq!(world.top_ups(), state);
        let paid = world.mark_paid(&invoice, &json!({})).await.data(200);
        assert_eq!(paid["status"], "COMPLETED");
    });
}

#[test]
fn repeated_call_with_its_key_gets_its_answer() {
    with_world(async |world| {
        let open = async |amount: &str| {
            let call = world.dev_of(CODE, "POST", "top-ups");
            let call = call.header("idempotency-key", "one");
            call.json(&json!({"amount": amount})).send().await
        };
        let invoice = open("50.00").await.data(201);
        let again = open("50.00").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(201), invoice);
        open("51.00").await.refused(422, "IDEMPOTENCY_MISMATCH");
        let count = world.scalar("SELECT COUNT(*) FROM invoices");
        assert_eq!(count, "1");
    });
}

#[test]
fn both_sides_hear_of_a_top_up_and_the_reseller_by_mail() {
    with_world(async |world| {
        let invoice = world.invoice(CODE, "50.00").await.data(201);
        world.mark_paid(&invoice, &json!({})).await.data(200);
        let path = "/reseller/v1/events?types=top_up:created,top_up:updated&limit=3&wait=10";
        let mut told = Vec::new();
        let mut after = json!(0);
        while told.len() < 3 {
            let path = format!("{path}&after={after}");
            let reply = world.call("GET", &path).key(&world.key(CODE)).send().await;
            told.extend(reply.data(200).as_array().unwrap().clone());
            after = reply.json()["pagination"]["next_after"].clone();
        }
        let said: Vec<_> = told
            .iter()
            .map(|event| (event["event"].as_str().unwrap(), &event["data"]["status"]))
            .collect();
        let (paid, completed) = (json!("PAID"), json!("COMPLETED"));
        assert_eq!(
            said,
            [
                ("top_up:created", &Value::Null),
                ("top_up:updated", &paid),
                ("top_up:updated", &completed)
            ]
        );
        assert_eq!(told[0]["data"]["amount"], "50.00");
        assert!(
            told.iter()
                .all(|event| event["data"]["top_up_id"] == invoice["id"])
        );
        let letters = world.letters().await;
        let mut subjects: Vec<_> = letters.iter().map(|letter| &letter.subject[..]).collect();
        subjects.sort_unstable();
        assert_eq!(
            subjects,
            [
                "50.00 USD were added to your balance at Lumen Software",
                "Top up your balance at Lumen Software"
            ]
        );
        let audit = world.scalar(
            "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log WHERE action LIKE 'top_up%'",
        );
        assert_eq!(audit, "top_up.open top_up.settle");
    });
}

#[test]
fn owner_says_in_which_coins_money_is_taken() {
    with_world(async |world| {
        world.member("owner@merchant.example", Role::Owner).await;
        let path = "/dev/v1/payment-methods";
        let session = world.session("owner@merchant.example").await;
        let read = world
            .as_member(&session, "GET", path)
            .send()
            .await
            .data(200);
        assert_eq!(read[0]["coin"], "BANK");
        let methods = json!({"methods": [
            {"coin": "usdt-trc20", "provider": "manual", "instructions": "Send it to T123"},
            {"coin": "BANK", "provider": "MANUAL", "instructions": "Old", "enabled": false},
        ]});
        let early = world.as_member(&session, "PUT", path).json(&methods);
        early.send().await.refused(403, "STEP_UP_REQUIRED");
        let session = world.stepped_up("owner@merchant.example").await;
        for wrong in [
            json!({"methods": [{"coin": "A B", "provider": "manual", "instructions": "x"}]}),
            json!({"methods": [{"coin": "BTC", "provider": "btcpay", "instructions": "x"}]}),
            json!({"methods": [{"coin": "BTC", "provider": "manual", "instructions": " "}]}),
            json!({"methods": [{"coin": "BTC", "provider": "manual"}]}),
            json!({"methods": [
                {"coin": "btc", "provider": "manual", "instructions": "x"},
                {"coin": "BTC", "provider": "manual", "instructions": "x"},
            ]}),
            json!({"methods": vec![
                json!({"coin": "BTC", "provider": "manual", "instructions": "x"}); 21]}),
            json!({}),
        ] {
            let call = world.as_member(&session, "PUT", path).json(&wrong);
            call.send().await.refused(422, "VALIDATION_ERROR");
        }
        let unchanged = world.as_member(&session, "GET", path).send().await;
        assert_eq!(unchanged.data(200), read);
        let open = world.invoice(CODE, "50.00").await.data(201);
        let call = world.as_member(&session, "PUT", path).json(&methods);
        let replaced = call.send().await.data(200);
        assert_eq!(replaced[0]["coin"], "USDT-TRC20");
        assert_eq!(
            (&replaced[0]["enabled"], &replaced[1]["enabled"]),
            (&json!(true), &json!(false))
        );
        // What was opened before is paid as it was told.
        assert_eq!(world.read(&open).await["pay"], open["pay"]);
        assert_eq!(
            world.invoice(CODE, "50.00").await.data(201)["coin"],
            "USDT-TRC20"
        );
        let bank = world.dev_of(CODE, "POST", "top-ups");
        let bank = bank.json(&json!({"amount": "50.00", "coin": "BANK"}));
        bank.send().await.refused(422, "VALIDATION_ERROR");
    });
}
