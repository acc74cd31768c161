//! Payments through a BTCPay Server, for which a double stands in.

use std::fmt::Write as _;

use engine::persons::Role;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{
    LogWatch, Reply, World,
    btcpay::{Double, OWNER, SECRET, TOKEN, payment, with_double},
    with_world,
};

const CODE: &str = "demo-both";

impl World {
    /// An invoice that the double shows, and what it calls it.
    async fn shown(&self) -> (Value, String) {
        let opened = self.dev_of(CODE, "POST", "top-ups");
        let opened = opened
            .json(&json!({"amount": "50.00", "coin": "btc"}))
            .send();
        let opened = opened.await.data(201);
        let url = opened["pay"]["url"].as_str().unwrap();
        let reference = url.rsplit('/').next().unwrap().to_owned();
        (opened, reference)
    }

    /// A notice about an invoice, signed with this secret.
    pub(crate) async fn notice(&self, reference: &str, secret: &str) -> Reply {
        let body = json!({"type": "InvoiceSettled", "invoiceId": reference, "storeId": "shop-1"});
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.to_string().as_bytes());
        let bytes = mac.finalize().into_bytes();
        let digits = bytes.iter().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").unwrap();
            digits
        });
        let call = self.call("POST", &format!("/hooks/btcpay/{}", self.cast.merchant));
        let call = call.header("btcpay-sig", &format!("sha256={digits}"));
        call.json(&body).send().await
    }

    /// Waits until this top-up came to have this status.
    async fn until_top_up(&self, invoice: &Value, status: &str) -> Value {
        let mut after = 0;
        loop {
            let path =
                format!("/dev/v1/events?after={after}&limit=500&wait=20&types=top_up:updated");
            let reply = self
                .call("GET", &path)
                .key(&self.merchant_key())
                .send()
                .await;
            let page = reply.json();
            let events = page["data"].as_array().unwrap();
            let told = events.iter().any(|event| {
                event["data"]["top_up_id"] == invoice["id"] && event["data"]["status"] == status
            });
            if told {
                let path = format!("/dev/v1/invoices/{}", invoice["id"].as_str().unwrap());
                let read = self.call("GET", &path).key(&self.merchant_key());
                return read.send().await.data(200);
            }
            after = page["pagination"]["next_after"].as_u64().unwrap();
        }
    }

    fn credited_by_top_ups(&self) -> String {
        self.scalar(
            "SELECT COUNT(*) || ' of ' || COALESCE(SUM(amount), 0) FROM ledger_entries
             WHERE kind = 2",
        )
    }
}

#[test]
fn server_shows_the_invoice_and_what_it_says_when_asked_is_credited_once() {
    with_double(async |world, double| {
        let (opened, reference) = world.shown().await;
        assert_eq!(opened["provider"], "btcpay");
        let asked = double.was_asked(&reference);
        assert_eq!(asked, (json!("50.00"), json!(24 * 60)));

        double.pays(&reference, &json!([payment("a-0", "0.0004", "Processing")]));
        assert_eq!(world.notice(&reference, SECRET).await.status, 200);
        let seen = world.until_top_up(&opened, "CONFIRMING").await;
        assert_eq!(seen["received"], "0.00");
        double.pays(
            &reference,
            &json!([
                payment("a-0", "0.0004", "Settled"),
                payment("b-1", "0.0004", "Invalid"),
                payment("c-0", "0.00039999", "Settled"),
            ]),
        );
        world.notice(&reference, SECRET).await;
        let done = world.until_top_up(&opened, "COMPLETED").await;
        assert_eq!(
            (&done["received"], &done["credited"]),
            (&json!("50.00"), &json!("50.00"))
        );
        assert_eq!(world.credited_by_top_ups(), "2 of 5000");

        // Told again, and asked again: nothing is new.
        let asked = double.asked();
        api::payments::ask_due(world.server.app(), later())
            .await
            .unwrap();
        assert!(double.asked() > asked);
        assert_eq!(world.credited_by_top_ups(), "2 of 5000");
    });
}

#[test]
fn top_up_is_worth_what_came_and_says_what_did_not_until_it_does() {
    with_double(async |world, double| {
        let (opened, reference) = world.shown().await;
        assert_eq!(opened["missing"], "50.00");
        double.pays(&reference, &json!([payment("a-0", "0.0004", "Settled")]));
        world.notice(&reference, SECRET).await;
        let part = world.until_top_up(&opened, "COMPLETED").await;
        assert_eq!(
            [&part["received"], &part["credited"], &part["missing"]],
            ["25.00"; 3]
        );
        // Nobody says that there is more: it is asked for as long as the rest may be on its way.
        double.pays(
            &reference,
            &json!([
                payment("a-0", "0.0004", "Settled"),
                payment("b-0", "0.00048", "Settled")
            ]),
        );
        let (app, minutes) = (world.server.app(), chrono::TimeDelta::minutes);
        let soon = later() - chrono::TimeDelta::hours(7) + minutes(6);
        assert_eq!(api::payments::ask_due(app, soon).await.unwrap(), 1);
        assert_eq!(world.credited_by_top_ups(), "2 of 5500");
        let call = world.call(
            "GET",
            &format!("/dev/v1/invoices/{}", opened["id"].as_str().unwrap()),
        );
        let whole = call.key(&world.merchant_key()).send().await.data(200);
        assert_eq!(
            [&whole["missing"], &whole["overpaid"], &whole["credited"]],
            ["0.00", "5.00", "55.00"]
        );
        // Once that is known it is asked for as whatever is over is.
        for (after, asked) in [(12, 1), (18, 0)] {
            let at = later() - chrono::TimeDelta::hours(7) + minutes(after);
            assert_eq!(api::payments::ask_due(app, at).await.unwrap(), asked);
        }
    });
}

#[test]
fn server_that_does_not_answer_is_asked_once_and_its_invoices_wait_together() {
    with_double(async |world, double| {
        for _ in 0..3 {
            world.shown().await;
        }
        double.is_away(true);
        let app = world.server.app();
        assert_eq!(api::payments::ask_due(app, later()).await.unwrap(), 3);
        assert_eq!(double.change(|remote| remote.turned_away), 1);
        double.is_away(false);
        let asked = double.asked();
        let minute = chrono::TimeDelta::minutes(2);
        assert_eq!(
            api::payments::ask_due(app, later() + minute).await.unwrap(),
            3
        );
        assert_eq!(double.asked() - asked, 3);
    });
}

/// When every invoice is asked for again.
fn later() -> engine::clock::Timestamp {
    use engine::clock::{Clock as _, SystemClock};
    SystemClock.now() + chrono::TimeDelta::hours(7)
}

#[test]
fn notice_credits_nothing_whatever_it_says_and_whoever_sends_it() {
    with_double(async |world, double| {
        let (opened, reference) = world.shown().await;

        let before = double.asked();
        for secret in ["", TOKEN, "another"] {
            assert_eq!(world.notice(&reference, secret).await.status, 401);
        }
        let unsigned = world.call("POST", &format!("/hooks/btcpay/{}", world.cast.merchant));
        assert_eq!(unsigned.json(&json!({})).send().await.status, 401);
        let other = world.another_merchant().await;
        let foreign = world.call("POST", &format!("/hooks/btcpay/{}", other.merchant));
        assert_eq!(foreign.json(&json!({})).send().await.status, 401);
        assert_eq!(double.asked(), before);

        // Signed, about nothing that is known, and about something that is not paid.
        assert_eq!(world.notice("Elsewhere", SECRET).await.status, 200);
        assert_eq!(world.notice(&reference, SECRET).await.status, 200);
        api::payments::ask_due(world.server.app(), later())
            .await
            .unwrap();
        assert!(double.asked() > before);
        let path = format!("/dev/v1/invoices/{}", opened["id"].as_str().unwrap());
        let read = world
            .call("GET", &path)
            .key(&world.merchant_key())
            .send()
            .await;
        assert_eq!(read.data(200)["received"], "0.00");
        assert_eq!(world.credited_by_top_ups(), "0 of 0");
    });
}

#[test]
fn what_is_marked_there_is_the_merchants_word() {
    with_double(async |world, double| {
        let (opened, reference) = world.shown().await;
        double.change(|remote| {
            let invoice = remote.invoices.get_mut(&reference).unwrap();
            invoice["status"] = json!("Settled");
            invoice["additionalStatus"] = json!("Marked");
        });
        world.notice(&reference, SECRET).await;
        world.until_top_up(&opened, "COMPLETED").await;
        // The money that was meant comes, and is the same money.
        double.pays(&reference, &json!([payment("a-0", "0.0008", "Settled")]));
        api::payments::ask_due(world.server.app(), later())
            .await
            .unwrap();
        assert_eq!(world.credited_by_top_ups(), "1 of 5000");
    });
}

#[test]
fn payment_that_turns_out_invalid_leaves_the_balance_once_and_the_rest_is_owed() {
    with_double(async |world, double| {
        let (opened, reference) = world.shown().await;
        let both = |second: &str| {
            json!([
                payment("a-0", "0.0004", "Settled"),
                payment("b-0", "0.0004", second)
            ])
        };
        double.pays(&reference, &both("Settled"));
        world.notice(&reference, SECRET).await;
        world.until_top_up(&opened, "COMPLETED").await;
        world.spend_down_to("10.00").await;
        double.pays(&reference, &both("Invalid"));
        // However often it is said.
        let (app, hours) = (world.server.app(), chrono::TimeDelta::hours);
        for more in [0, 7] {
            let at = later() + hours(more);
            assert!(api::payments::ask_due(app, at).await.unwrap() > 0);
            let back = world.until_top_up(&opened, "PARTIALLY_REFUNDED").await;
            assert_eq!(back["refunded"], "25.00");
        }
        let taken = "SELECT COUNT(*) || ' of ' || SUM(amount) FROM ledger_entries WHERE kind = 6";
        assert_eq!(world.scalar(taken), "1 of -1000");
        assert_eq!(world.scalar("SELECT amount FROM debts"), "1500");
        let suspended = "SELECT status FROM relationships WHERE code = 'demo-both'";
        assert_eq!(world.scalar(suspended), "SUSPENDED");

        // Its merchant says there that nothing came.
        double.change(|remote| {
            let invoice = remote.invoices.get_mut(&reference).unwrap();
            invoice["status"] = json!("Invalid");
            invoice["additionalStatus"] = json!("Marked");
        });
        api::payments::ask_due(app, later() + hours(14))
            .await
            .unwrap();
        let gone = world.until_top_up(&opened, "REFUNDED").await;
        assert_eq!(gone["refunded"], "50.00");
        let mail = world.letters().await;
        assert!(mail.iter().any(|one| one.subject.contains("are owed to")));
    });
}

#[test]
fn server_is_asked_before_it_is_taken_and_its_secrets_stay_here() {
    with_world(async |world| {
        for secret in [TOKEN, SECRET] {
            LogWatch::of_process().look_for(secret);
        }
        let double = Double::start().await;
        world.member(OWNER, Role::Owner).await;
        let session = world.stepped_up(OWNER).await;
        let with = |field: &str, value: Value| {
            let mut method = double.method();
            method[field] = value;
            json!([method])
        };
        for (field, value) in [
            ("token", json!("wrong")),
            ("token", json!(null)),
            ("store_id", json!("another")),
            ("url", json!("http://10.0.0.1/")),
            ("url", json!("http://169.254.169.254/latest")),
            ("url", json!(null)),
            ("network", json!("silent")),
        ] {
            let refused = world.replace(&session, with(field, value)).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        double.is_away(true);
        let refused = world.replace(&session, with("coin", json!("BTC"))).await;
        refused.refused(502, "PROVIDER_UNAVAILABLE");
        double.is_away(false);

        let shown = world
            .replace(&session, with("coin", json!("BTC")))
            .await
            .data(200);
        assert_eq!(
            (&shown[0]["token"], &shown[0]["webhook_secret"]),
            (&json!("********"), &json!("********"))
        );
        // As it is shown it can be said again, but not with another address.
        let again = with("token", shown[0]["token"].clone());
        world.replace(&session, again).await.data(200);
        let stores = world.scalar("SELECT COUNT(*) FROM payment_stores");
        let other = Double::start().await;
        let mut moved = other.method();
        moved["token"] = json!("********");
        let moved = world.replace(&session, json!([moved])).await;
        moved.refused(422, "VALIDATION_ERROR");
        assert_eq!(other.asked(), 0);
        assert_eq!(stores, "2");

        double.is_away(true);
        let call = world.dev_of(CODE, "POST", "top-ups");
        let call = call.json(&json!({"amount": "50.00", "coin": "BTC"}));
        call.send().await.refused(502, "PROVIDER_UNAVAILABLE");
        let (found, _) = LogWatch::of_process().found();
        let leaks = found
            .iter()
            .filter(|line| line.contains(TOKEN) || line.contains(SECRET));
        assert_eq!(leaks.count(), 0);
    });
}

#[test]
fn server_is_asked_for_no_top_up_that_may_not_be_opened() {
    with_double(async |world, double| {
        let ask = async |amount: &str| {
            let call = world.dev_of(CODE, "POST", "top-ups");
            let body = json!({"amount": amount, "coin": "btc"});
            call.json(&body).send().await
        };
        let little = ask("0.01").await;
        little.refused(422, "AMOUNT_OUT_OF_RANGE");
        assert_eq!(double.count(), 0);
        let (first, _) = world.shown().await;
        for _ in 1..20 {
            ask("50.00").await.data(201);
        }
        ask("50.00").await.refused(409, "INVALID_STATE");
        assert_eq!(double.count(), 20);
        let path = format!("top-ups/{}/cancel", first["id"].as_str().unwrap());
        let cancel = world.dev_of(CODE, "POST", &path).json(&json!({}));
        cancel.send().await.data(200);
        ask("50.00").await.data(201);
        assert_eq!(double.count(), 21);
    });
}

#[test]
fn page_elsewhere_is_shown_to_nobody() {
    with_double(async |world, double| {
        for elsewhere in ["https://evil.example", "javascript:alert(1)//", ""] {
            double.change(|remote| elsewhere.clone_into(&mut remote.pages));
            let call = world.dev_of(CODE, "POST", "top-ups");
            let body = json!({"amount": "50.00", "coin": "btc"});
            let refused = call.json(&body).send().await;
            refused.refused(502, "PROVIDER_UNAVAILABLE");
        }
        assert_eq!(world.scalar("SELECT COUNT(*) FROM hosted_invoices"), "0");
    });
}

#[test]
fn dust_is_worth_no_more_than_it_is() {
    with_double(async |world, double| {
        let (_opened, reference) = world.shown().await;
        // Each is worth 0.018 at this rate, and one has an id that no server gives.
        let long = "x".repeat(5000);
        let mut payments: Vec<_> = (0..9)
            .map(|at| payment(&format!("d-{at}"), "0.000000288", "Settled"))
            .collect();
        payments.push(payment(&long, "0.0008", "Settled"));
        double.pays(&reference, &json!(payments));
        let asked = api::payments::ask_due(world.server.app(), later()).await;
        assert_eq!(asked.unwrap(), 1);
        assert_eq!(
            world.scalar("SELECT COUNT(*) || ' of ' || SUM(amount) FROM payments"),
            "9 of 9"
        );
    });
}

#[test]
fn notices_that_are_too_many_are_not_looked_at() {
    with_double(async |world, _double| {
        let (_opened, reference) = world.shown().await;
        // A store whose invoices nobody asks for any more is of no use to whoever has its secret.
        assert_eq!(world.notice(&reference, SECRET).await.status, 200);
        world.sql("UPDATE hosted_invoices SET ask_at = NULL");
        assert_eq!(world.notice(&reference, SECRET).await.status, 401);
        // As many at once as it takes; the test's own patience bounds it.
        loop {
            let calls = (0..150).map(|_| world.notice(&reference, "another"));
            let replies = futures_util::future::join_all(calls).await;
            if replies.iter().any(|reply| reply.status == 429) {
                break;
            }
        }
    });
}
