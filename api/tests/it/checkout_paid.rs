//! Customers pay where somebody else sees the money: at a payment server, or on a chain. Too little buys nothing,
//! unless the merchant takes it.

use api::{checkout::expire_due, payments::ask_due};
use serde_json::{Value, json};

use crate::{
    checkout::{after, is_page, location},
    support::{
        World,
        btcpay::{SECRET, payment, with_double},
        with_world,
    },
};

const CODE: &str = "demo-both";
const ANN: &str = "ann%40example.com";

impl World {
    /// The page of an invoice over two units in this coin.
    async fn invoiced_in(&self, coin: &str, cookie: &str) -> String {
        let visit = self.visit(&self.antivirus(), "quantity=2", cookie).await;
        let form = format!("email={ANN}&coin={coin}");
        location(&self.submit(&visit, &form).await)
    }

    /// An invoice that the server shows: its page, itself, and what it is called there.
    async fn hosted(&self, cookie: &str) -> (String, Value, String) {
        let page = self.invoiced_in("btc", cookie).await;
        let invoice = self.newest().await;
        let reference = reference_of(&invoice);
        (page, invoice, reference)
    }

    /// Has the server asked, and waits until this invoice came to have this status.
    pub(crate) async fn until_invoice(
        &self,
        (invoice, reference): (&Value, &str),
        status: &str,
    ) -> Value {
        assert_eq!(self.notice(reference, SECRET).await.status, 200);
        let mut after = 0;
        loop {
            let path =
                format!("/dev/v1/events?after={after}&limit=500&wait=20&types=invoice:updated");
            let call = self.call("GET", &path).key(&self.merchant_key());
            let page = call.send().await.json();
            let mut events = page["data"].as_array().unwrap().iter();
            let told = events.any(|event| {
                event["data"]["invoice_id"] == invoice["id"] && event["data"]["status"] == status
            });
            if told {
                let path = format!("/dev/v1/invoices/{}", invoice["id"].as_str().unwrap());
                let read = self.call("GET", &path).key(&self.merchant_key());
                return read.send().await.data(200);
            }
            after = page["pagination"]["next_after"].as_u64().unwrap();
        }
    }

    fn delivered_serials(&self) -> String {
        self.scalar("SELECT COUNT(*) FROM sold_serials")
    }
}

/// What a hosted invoice is called at its server.
pub(crate) fn reference_of(invoice: &Value) -> String {
    let url = invoice["pay"]["url"].as_str().unwrap();
    url.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn customer_pays_at_a_server_in_parts_and_gets_the_serials_once() {
    with_double(async |world, double| {
        let cookie = world.brought_by_link().await;
        let (page, open, reference) = world.hosted(&cookie).await;
        assert_eq!(double.was_asked(&reference), (json!("59.98"), json!(60)));
        let shown = is_page(&world.see(&page).await, 200);
        let url = open["pay"]["url"].as_str().unwrap();
        let link = format!("href=\"{url}\"");
        assert!(
            shown.contains(&link) && shown.contains("Pay in BTC"),
            "{shown}"
        );
        let letter = world.letter("Your invoice").await;
        assert!(letter.contains(&page) && letter.contains(url));

        double.pays(&reference, &json!([payment("a-0", "0.0004", "Processing")]));
        let of = (&open, reference.as_str());
        let seen = world.until_invoice(of, "CONFIRMING").await;
        assert_eq!(seen["received"], "0.00");
        double.pays(&reference, &json!([payment("a-0", "0.0004", "Settled")]));
        let part = world.until_invoice(of, "UNDERPAID").await;
        assert_eq!(
            (&part["received"], &part["paid_at"]),
            (&json!("25.00"), &Value::Null)
        );
        assert_eq!(world.delivered_serials(), "0");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sales"), "0");
        let shown = is_page(&world.see(&page).await, 200);
        assert!(
            shown.contains("Send the rest") && shown.contains("34.98 USD"),
            "{shown}"
        );
        let missing = world.letter("is missing").await;
        assert!(missing.contains(&page) && missing.contains("34.98 USD are still missing"));
        let both = [
            payment("a-0", "0.0004", "Settled"),
            payment("c-0", "0.0001", "Settled"),
            payment("b-0", "0.00045968", "Settled"),
        ];
        double.pays(&reference, &json!(both[..2]));
        assert!(ask_due(world.server.app(), after(6)).await.unwrap() > 0);
        double.pays(&reference, &json!(both));
        let done = world.until_invoice(of, "COMPLETED").await;
        assert_eq!(
            (&done["received"], &done["overpaid"]),
            (&json!("59.98"), &json!("0.00"))
        );
        // Of parts that are too little still, nobody is mailed again.
        let told = "SELECT COUNT(*) FROM mails WHERE kind = 'part'";
        assert_eq!(world.scalar(told), "1");
        // Told again, and asked again: nothing is new.
        ask_due(world.server.app(), after(7 * 60)).await.unwrap();
        assert_eq!(world.scalar("SELECT COUNT(*) FROM payments"), "3");
        assert_eq!(world.delivered_serials(), "2");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sales"), "1");
        let ledger = "SELECT COUNT(*) FROM ledger_entries WHERE kind = 2";
        assert_eq!(world.scalar(ledger), "0", "no balance is credited");
        let shown = is_page(&world.submit(&format!("{page}/reveal"), "").await, 200);
        assert_eq!(shown.matches("<pre>").count(), 2);
    });
}

#[test]
fn merchant_takes_too_little_for_the_price_or_gives_it_back() {
    with_double(async |world, double| {
        let (_, taken, first) = world.hosted("").await;
        let unpaid = world.act_on(&taken, "accept", json!({})).await;
        unpaid.refused(409, "INVALID_STATE");
        double.pays(&first, &json!([payment("a-0", "0.0004", "Settled")]));
        world.until_invoice((&taken, &first), "UNDERPAID").await;
        let accepted = world.act_on(&taken, "accept", json!({})).await.data(200);
        assert_eq!(
            (&accepted["status"], &accepted["received"]),
            (&json!("COMPLETED"), &json!("25.00"))
        );
        let again = world.act_on(&taken, "accept", json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(world.delivered_serials(), "2");

        let (page, returned, second) = world.hosted("").await;
        double.pays(&second, &json!([payment("b-0", "0.0004", "Settled")]));
        world.until_invoice((&returned, &second), "UNDERPAID").await;
        let app = world.server.app();
        assert_eq!(expire_due(app, after(25 * 60)).await.unwrap(), 1);
        let back = world.act_on(&returned, "refund", json!({"refund_ref": "P1"}));
        let back = back.await.data(200);
        assert_eq!(
            (&back["status"], &back["refunded"]),
            (&json!("EXPIRED"), &json!("25.00"))
        );
        let none = world.act_on(&returned, "accept", json!({})).await;
        none.refused(409, "INVALID_STATE");
        assert!(is_page(&world.see(&page).await, 200).contains("Given back"));
        assert_eq!(world.delivered_serials(), "2");

        let bill = world.dev_of(CODE, "POST", "top-ups");
        let bill = bill.json(&json!({"amount": "50.00", "coin": "BTC"}));
        let bill = bill.send().await.data(201);
        let top_up = world.act_on(&bill, "accept", json!({})).await;
        top_up.refused(409, "INVALID_STATE");
    });
}

#[test]
fn rest_that_comes_after_the_end_buys_all_the_same() {
    with_double(async |world, double| {
        let (_, open, reference) = world.hosted("").await;
        double.pays(&reference, &json!([payment("a-0", "0.0004", "Settled")]));
        let of = (&open, reference.as_str());
        world.until_invoice(of, "UNDERPAID").await;
        let app = world.server.app();
        assert_eq!(expire_due(app, after(25 * 60)).await.unwrap(), 1);
        let kept = "SELECT COUNT(*) FROM reservations WHERE ended_at IS NULL";
        assert_eq!(world.scalar(kept), "0");
        let both = [
            payment("a-0", "0.0004", "Settled"),
            payment("b-0", "0.0006", "Settled"),
        ];
        double.pays(&reference, &json!(both));
        let late = world.until_invoice(of, "COMPLETED").await;
        assert_eq!(
            (&late["received"], &late["overpaid"]),
            (&json!("62.50"), &json!("2.52"))
        );
        assert_eq!(world.delivered_serials(), "2");
    });
}

#[test]
fn payment_that_turns_out_invalid_ends_the_purchase() {
    with_double(async |world, double| {
        let cookie = world.brought_by_link().await;
        let (page, open, reference) = world.hosted(&cookie).await;
        double.pays(
            &reference,
            &json!([payment("a-0", "0.00095968", "Settled")]),
        );
        let of = (&open, reference.as_str());
        world.until_invoice(of, "COMPLETED").await;
        double.pays(
            &reference,
            &json!([payment("a-0", "0.00095968", "Invalid")]),
        );
        for hours in [7, 14] {
            let app = world.server.app();
            assert!(ask_due(app, after(hours * 60)).await.unwrap() > 0);
        }
        let gone = world.newest().await;
        assert_eq!(
            (&gone["status"], &gone["refunded"]),
            (&json!("REFUNDED"), &json!("59.98"))
        );
        assert_eq!(world.scalar("SELECT COUNT(*) FROM invoice_refunds"), "1");
        assert_eq!(world.scalar("SELECT status FROM sales"), "REFUNDED");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        is_page(&world.submit(&format!("{page}/reveal"), "").await, 409);
        assert!(world.letter("was taken back").await.contains(&page));
    });
}

#[test]
fn part_of_a_price_that_turns_out_invalid_ends_what_is_not_delivered() {
    with_double(async |world, double| {
        let cookie = world.brought_by_link().await;
        let (page, open, reference) = world.hosted(&cookie).await;
        let both = |second: &str| {
            json!([
                payment("a-0", "0.0004", "Settled"),
                payment("b-0", "0.00055968", second)
            ])
        };
        let of = (&open, reference.as_str());
        double.pays(&reference, &both("Processing"));
        world.until_invoice(of, "UNDERPAID").await;
        // Its units are free, and bought by others, by the time that the rest comes.
        assert_eq!(
            expire_due(world.server.app(), after(25 * 60))
                .await
                .unwrap(),
            1
        );
        world.claim_of("Antivirus", 200).await;
        double.pays(&reference, &both("Settled"));
        world.until_invoice(of, "AWAITING_STOCK").await;
        // A part of it is given back by the merchant, and counts no more.
        let part = json!({"refund_ref": "R1", "amount": "5.00"});
        let part = world.act_on(&open, "refund", part).await.data(200);
        assert_eq!(part["status"], "AWAITING_STOCK");
        double.pays(&reference, &both("Invalid"));
        let over = world.until_invoice(of, "REFUNDED").await;
        assert_eq!(
            (&over["refunded"], &over["completed_at"]),
            (&json!("39.98"), &Value::Null)
        );
        // Said again, nothing more goes back. Nothing is delivered for what is left.
        let app = world.server.app();
        assert!(ask_due(app, after(7 * 60)).await.unwrap() > 0);
        assert_eq!(world.newest().await["refunded"], "39.98");
        world.is_over(&page).await;
        assert_eq!(world.delivered_serials(), "0");
        let sale = "SELECT status || ' ' || (refunded = amount) || ' ' || (reversed = commission)
                    FROM sales";
        assert_eq!(world.scalar(sale), "REFUNDED true true");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        assert!(world.letter("was taken back").await.contains(&page));
        // What is left is the customer's.
        let rest = world.act_on(&open, "refund", json!({"refund_ref": "R2"}));
        let rest = rest.await.data(200);
        assert_eq!(
            (&rest["status"], &rest["refunded"]),
            (&json!("REFUNDED"), &json!("59.98"))
        );
    });
}

#[test]
fn price_that_went_back_in_parts_is_not_delivered_though_more_had_arrived() {
    with_double(async |world, double| {
        let (page, open, reference) = world.hosted("").await;
        expire_due(world.server.app(), after(61)).await.unwrap();
        world.claim_of("Antivirus", 200).await;
        let arrived = json!([payment("a-0", "0.001", "Settled")]);
        double.pays(&reference, &arrived);
        let of = (&open, reference.as_str());
        let waits = world.until_invoice(of, "AWAITING_STOCK").await;
        assert_eq!(
            (&waits["received"], &waits["overpaid"]),
            (&json!("62.50"), &json!("2.52"))
        );
        for (body, status) in [
            (
                json!({"refund_ref": "H1", "amount": "30.00"}),
                "AWAITING_STOCK",
            ),
            (json!({"refund_ref": "H2", "amount": "29.98"}), "REFUNDED"),
        ] {
            let back = world.act_on(&open, "refund", body).await.data(200);
            assert_eq!(back["status"], status);
        }
        world.is_over(&page).await;
    });
}

#[test]
fn whoever_is_refused_has_no_server_asked_for_anything() {
    with_double(async |world, double| {
        for _ in 0..3 {
            world.invoiced_in("btc", "").await;
        }
        let visit = world.visit(&world.antivirus(), "quantity=2", "").await;
        let form = format!("email={ANN}&coin=BTC");
        is_page(&world.submit(&visit, &form).await, 409);
        let gone = world.product("Closed beta").id.to_string();
        let visit = world.visit(&gone, "quantity=20", "").await;
        let form = "email=bob%40example.com&coin=BTC";
        assert!(is_page(&world.submit(&visit, form).await, 409).contains("Sold out"));
        assert_eq!(double.count(), 3);
    });
}

#[test]
fn what_a_part_is_paid_of_waits_as_what_nothing_is_paid_of() {
    with_double(async |world, double| {
        let (_, first, seen) = world.hosted("").await;
        double.pays(&seen, &json!([payment("a-0", "0.0004", "Processing")]));
        world.until_invoice((&first, &seen), "CONFIRMING").await;
        let (_, second, part) = world.hosted("").await;
        double.pays(&part, &json!([payment("b-0", "0.00000016", "Settled")]));
        world.until_invoice((&second, &part), "UNDERPAID").await;
        let (_, third, rest) = world.hosted("").await;
        let refused = async || {
            let visit = world.visit(&world.antivirus(), "quantity=2", "").await;
            let form = format!("email={ANN}&coin=BTC");
            is_page(&world.submit(&visit, &form).await, 409);
        };
        refused().await;
        // What is seen has no end of its own, what a part is paid of has one.
        world.sql("UPDATE invoices SET expires_at = created_at WHERE status = 'CONFIRMING'");
        refused().await;
        world.sql("UPDATE invoices SET expires_at = created_at WHERE status = 'UNDERPAID'");
        world.invoiced_in("BTC", "").await;
        refused().await;
        double.pays(&rest, &json!([payment("c-0", "0.00095968", "Settled")]));
        world.until_invoice((&third, &rest), "COMPLETED").await;
        world.invoiced_in("BTC", "").await;
    });
}

#[test]
fn page_says_where_to_send_tokens_and_how_many() {
    with_world(async |world| {
        world.takes_tokens("USDT", "silent");
        let visit = world.visit(&world.antivirus(), "quantity=2", "").await;
        let offered = is_page(&world.see(&visit).await, 200);
        assert!(offered.contains("value=\"BANK\"") && offered.contains("value=\"USDT\""));
        let page = world.invoiced_in("USDT", "").await;
        let invoice = world.newest().await;
        let address = invoice["pay"]["address"].as_str().unwrap();
        let shown = is_page(&world.see(&page).await, 200);
        assert!(shown.contains(&format!("<pre>{address}</pre>")) && shown.contains("59.98 USDT"));
        assert_eq!(shown.matches("silent").count(), 2);
        let drawn = shown.matches("<svg class=\"qr\"").count();
        assert!(drawn == 1 && shown.contains("minutes left"), "{shown}");
        assert_eq!(world.see(&page).await.header("refresh"), Some("30"));
        let wallet = format!("@31337/transfer?address={address}&amp;uint256=59980000");
        assert!(
            shown.contains("href=\"ethereum:0x") && shown.contains(&wallet),
            "{shown}"
        );
        assert!(world.letter("Your invoice").await.contains(address));
        // The merchant's word is the same money as what the chain would tell.
        assert_eq!(world.pay(&invoice).await["status"], "COMPLETED");
        assert_eq!(world.see(&page).await.header("refresh"), None);
        assert_eq!(world.delivered_serials(), "2");
    });
}
