//! Money that goes back to a customer ends what was bought with it: nobody has the money and the serials.

use api::checkout::{carry_waiting, expire_due};
use engine::api_keys::Scope;
use serde_json::{Value, json};

use crate::{
    checkout::{after, is_page},
    support::{Reply, World, order_of, with_world},
};

const CODE: &str = "demo-both";
const ANN: &str = "ann%40example.com";

impl World {
    async fn return_price(&self, invoice: &Value, body: &Value) -> Reply {
        self.act_on(invoice, "refund", body.clone()).await
    }

    async fn import_antivirus(&self, serials: &[&str]) -> Reply {
        let path = format!("/dev/v1/products/{}/serials", self.antivirus());
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.json(&json!({"serials": serials})).send().await
    }

    /// An invoice over two units that was paid when nothing was left, and its page.
    async fn paid_and_short(&self, cookie: &str) -> (String, Value) {
        let page = self.invoiced(2, ANN, cookie).await;
        let open = self.newest().await;
        expire_due(self.server.app(), after(61)).await.unwrap();
        let path = format!("/dev/v1/products/{}/serials/claim", self.antivirus());
        let claim = self.call("POST", &path).key(&self.merchant_key());
        claim.json(&json!({"amount": 200})).send().await.data(200);
        let paid = self.pay(&open).await;
        assert_eq!(paid["status"], "AWAITING_STOCK");
        (page, paid)
    }

    /// The relationship's only sale.
    async fn only_sale(&self) -> Value {
        let sales = self.dev_of(CODE, "GET", "sales").send().await.data(200);
        assert_eq!(sales.as_array().unwrap().len(), 1);
        sales[0].clone()
    }

    fn kept_units(&self) -> String {
        self.scalar("SELECT COUNT(*) FROM reservations WHERE ended_at IS NULL")
    }

    /// Nothing of an invoice that is over reaches its customer, and what comes is everybody's.
    pub(crate) async fn is_over(&self, page: &str) {
        assert_eq!(self.kept_units(), "0");
        self.import_antivirus(&["BACK-1", "BACK-2"]).await.data(201);
        let app = self.server.app();
        assert_eq!(carry_waiting(app, after(10)).await.unwrap(), 0);
        assert_eq!(self.newest().await["status"], "REFUNDED");
        assert_eq!(self.scalar("SELECT COUNT(*) FROM sold_serials"), "0");
        let order = order_of("AFTER-1", self.product("Antivirus"));
        self.order(&self.key(CODE), &order).await.data(201);
        let shown = is_page(&self.see(page).await, 200);
        assert!(shown.contains("this purchase is over") && shown.contains("Given back"));
        is_page(&self.submit(&format!("{page}/reveal"), "").await, 409);
    }
}

#[test]
fn refund_ends_what_waits_for_stock_with_its_sale() {
    with_world(async |world| {
        let cookie = world.brought_by_link().await;
        let (page, paid) = world.paid_and_short(&cookie).await;
        assert_eq!(world.kept_units(), "1");
        let body = json!({"refund_ref": "B1", "reason": "there are no more"});
        let over = world.return_price(&paid, &body).await.data(200);
        assert_eq!(
            (&over["status"], &over["refunded"], &over["completed_at"]),
            (&json!("REFUNDED"), &json!("59.98"), &Value::Null)
        );
        let sale = world.only_sale().await;
        assert_eq!(
            (
                &sale["status"],
                &sale["refunded"],
                &sale["commission"]["reversed"]
            ),
            (&json!("REFUNDED"), &json!("59.98"), &json!("6.00"))
        );
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        let again = world.return_price(&paid, &body).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200), over);
        let other = json!({"refund_ref": "B2"});
        let twice = world.return_price(&paid, &other).await;
        twice.refused(409, "INVALID_STATE");
        assert!(world.letter("Money back").await.contains(&page));
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'invoice.refund'";
        assert_eq!(world.scalar(noted), "1");
        let told = world.call("GET", "/dev/v1/events?types=sale:refunded&wait=20");
        let told = told.key(&world.merchant_key()).send().await.data(200);
        assert_eq!(told[0]["data"]["refunded"], "59.98");
        world.is_over(&page).await;
    });
}

#[test]
fn refund_of_the_sale_ends_the_invoice() {
    with_world(async |world| {
        let cookie = world.brought_by_link().await;
        let (page, paid) = world.paid_and_short(&cookie).await;
        let sale = world.only_sale().await;
        let path = format!(
            "/dev/v1/resellers/sales/{}/refund",
            sale["id"].as_str().unwrap()
        );
        let refund = |body: Value| {
            let call = world.call("POST", &path).key(&world.merchant_key());
            call.json(&body).send()
        };
        // Who may not touch money ends no purchase, whatever else it may do.
        let state = world.purchases_made();
        let scopes = [Scope::ResellersWrite, Scope::ResellerSalesRead];
        let key = world.merchant_key_for(&scopes).await;
        let call = world.call("POST", &path).key(&key);
        let poor = call.json(&json!({"refund_ref": "S0"})).send().await;
        let error = poor.refused(403, "FORBIDDEN");
        assert_eq!(error["details"][0]["field"], "scope");
        assert_eq!(world.purchases_made(), state);
        assert_eq!(world.newest().await["refunded"], "0.00");
        // A part of the price leaves the rest of the purchase as it is.
        let part = refund(json!({"refund_ref": "S1", "amount": "9.98"})).await;
        assert_eq!(part.data(200)["status"], "PARTIALLY_REFUNDED");
        let waits = world.newest().await;
        assert_eq!(
            (&waits["status"], &waits["refunded"]),
            (&json!("AWAITING_STOCK"), &json!("9.98"))
        );
        let whole = json!({"refund_ref": "S2"});
        let gone = refund(whole.clone()).await.data(200);
        assert_eq!(
            (&gone["status"], &gone["refunded"]),
            (&json!("REFUNDED"), &json!("59.98"))
        );
        let again = refund(whole).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let more = refund(json!({"refund_ref": "S3", "amount": "0.01"})).await;
        more.refused(422, "AMOUNT_OUT_OF_RANGE");
        let taken = world
            .return_price(&paid, &json!({"refund_ref": "S1", "amount": "1.00"}))
            .await;
        taken.refused(409, "ALREADY_EXISTS");
        world.is_over(&page).await;
    });
}

#[test]
fn refund_of_what_was_delivered_leaves_its_serials_claimed() {
    with_world(async |world| {
        let page = world.invoiced(2, ANN, "").await;
        let open = world.newest().await;
        let unpaid = world
            .return_price(&open, &json!({"refund_ref": "D0"}))
            .await;
        unpaid.refused(409, "INVALID_STATE");
        world.pay(&open).await;
        let claims = world.scalar("SELECT COUNT(*) FROM serial_claims");
        let excess = json!({"refund_ref": "D1", "amount": "59.99"});
        let excess = world.return_price(&open, &excess).await;
        excess.refused(422, "AMOUNT_OUT_OF_RANGE");
        let part = json!({"refund_ref": "D1", "amount": "10.00"});
        let part = world.return_price(&open, &part).await.data(200);
        assert_eq!(
            (&part["status"], &part["refunded"]),
            (&json!("PARTIALLY_REFUNDED"), &json!("10.00"))
        );
        let reveal = format!("{page}/reveal");
        let shown = is_page(&world.submit(&reveal, "").await, 200);
        assert_eq!(shown.matches("<pre>").count(), 2);
        let rest = world
            .return_price(&open, &json!({"refund_ref": "D2"}))
            .await;
        let rest = rest.data(200);
        assert_eq!(
            (&rest["status"], &rest["refunded"]),
            (&json!("REFUNDED"), &json!("59.98"))
        );
        assert!(rest["completed_at"].is_string());
        is_page(&world.submit(&reveal, "").await, 409);
        assert_eq!(world.scalar("SELECT COUNT(*) FROM serial_claims"), claims);
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "2");
    });
}

#[test]
fn refund_finds_what_left_the_shelf_before_a_crash() {
    with_world(async |world| {
        world.invoiced(2, ANN, "").await;
        let open = world.newest().await;
        world.pay(&open).await;
        // As after a crash between the withdrawal and what is noted of it.
        world.sql("DELETE FROM sold_serials");
        world.sql("UPDATE invoices SET status = 'PAID', completed_at = NULL");
        world.sql("UPDATE reservations SET ended_at = NULL, ending = NULL");
        world.sql("DELETE FROM mails");
        let claims = world.scalar("SELECT COUNT(*) FROM serial_claims");
        let over = world
            .return_price(&open, &json!({"refund_ref": "C1"}))
            .await;
        let over = over.data(200);
        assert_eq!(over["status"], "REFUNDED");
        assert!(over["completed_at"].is_string());
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "2");
        assert_eq!(world.kept_units(), "0");
        let app = world.server.app();
        assert_eq!(carry_waiting(app, after(10)).await.unwrap(), 0);
        assert_eq!(world.scalar("SELECT COUNT(*) FROM serial_claims"), claims);
        // Whoever got the money back is not mailed what was bought.
        let letters = world.letters().await;
        let subjects: Vec<_> = letters.iter().map(|one| one.subject.as_str()).collect();
        assert!(matches!(subjects[..], [one] if one.starts_with("Money back")));
    });
}

#[test]
fn refund_that_meets_an_upload_leaves_either_the_money_or_the_serials() {
    for _ in 0..3 {
        with_world(async |world| {
            let (_, paid) = world.paid_and_short("").await;
            let serials = ["MEET-1", "MEET-2"];
            world.import_antivirus(&serials).await.data(201);
            let app = world.server.app();
            let body = json!({"refund_ref": "M1"});
            let (carried, first, second) = tokio::join!(
                carry_waiting(app, after(10)),
                world.return_price(&paid, &body),
                world.return_price(&paid, &body),
            );
            carried.unwrap();
            first.data(200);
            second.data(200);
            carry_waiting(app, after(20)).await.unwrap();
            let over = world.newest().await;
            assert_eq!(
                (&over["status"], &over["refunded"]),
                (&json!("REFUNDED"), &json!("59.98"))
            );
            assert_eq!(world.kept_units(), "0");
            let lost = world.scalar(
                "SELECT COUNT(*) FROM withdrawals AS w CROSS JOIN UNNEST(w.serial_ids) AS s (id)
                 WHERE w.kind = 7 AND NOT EXISTS (SELECT FROM sold_serials WHERE serial_id = s.id)",
            );
            assert_eq!(lost, "0", "what left the shelf is known to be somebody's");
            let given = world.scalar("SELECT COUNT(*) FROM sold_serials");
            let expected = if over["completed_at"].is_string() {
                "2"
            } else {
                "0"
            };
            assert_eq!(given, expected);
        });
    }
}
