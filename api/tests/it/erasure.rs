//! Customers are forgotten when their time is over; what they bought, what it cost and what it is bound to is not.

use api::{checkout::expire_due, erasure::step};
use chrono::TimeDelta;
use engine::clock::{Clock as _, SystemClock, Timestamp};
use serde_json::{Value, json};

use crate::{
    checkout::{is_page, location},
    support::{World, order_of, with_world},
};

const CODE: &str = "demo-both";
const YES: &str = "email=ann%40example.com&coin=BANK";

fn after(days: i64) -> Timestamp {
    SystemClock.now() + TimeDelta::days(days)
}

impl World {
    /// Erases all that was last touched before a time, and says whether there was any.
    async fn erase(&self, before: Timestamp) -> bool {
        let mut some = false;
        while step(self.server.app(), before).await.unwrap() > 0 {
            some = true;
        }
        some
    }

    /// How many serials are found by the customer's address.
    async fn found(&self) -> usize {
        let call = self.call("POST", "/dev/v1/serials/trace");
        let call = call.key(&self.merchant_key());
        let traced = call.json(&json!({"email": "ann@example.com"})).send().await;
        traced.data(200)["found"].as_array().unwrap().len()
    }

    /// Rows that still know a customer, of every kind.
    fn knowing(&self) -> String {
        self.scalar(
            "SELECT concat_ws(' ',
               (SELECT COUNT(*) FROM invoices WHERE num_nonnulls(customer, customer_sealed,
                  customer_digest, address_digest) > 0),
               (SELECT COUNT(*) FROM checkout_sessions WHERE customer_sealed IS NOT NULL),
               (SELECT COUNT(customer) FROM sales),
               (SELECT COUNT(*) FROM inventory_items WHERE num_nonnulls(email_sealed, email_digest) > 0),
               (SELECT COUNT(email_sealed) FROM ledger_entries),
               (SELECT COUNT(*) FROM customer_orders))",
        )
    }

    /// What must be there whoever is forgotten.
    fn kept(&self) -> String {
        self.scalar(
            "SELECT concat_ws(' ', (SELECT SUM(amount) FROM ledger_entries),
               (SELECT COUNT(*) FROM serial_claims), (SELECT SUM(amount) FROM invoices),
               (SELECT SUM(commission) FROM sales), (SELECT COUNT(*) FROM sold_serials),
               (SELECT COUNT(delivered_at) FROM inventory_items))",
        )
    }

    /// The page of an invoice over one unit.
    async fn asked(&self, cookie: &str) -> String {
        let page = format!("/checkout/p/{}", self.product("Antivirus").id);
        let form = "quantity=1&email=ann%40example.com";
        let visit = location(&self.submit_with(&page, form, cookie).await);
        location(&self.submit(&visit, YES).await)
    }

    async fn give_item(&self) {
        self.buy_stock(CODE, "Antivirus", 1).await.data(201);
        let item = self.owned_items().await[0]["id"].clone();
        let path = format!("inventory/{}/deliver", item.as_str().unwrap());
        let give = self.dev_of(CODE, "POST", &path);
        let give = give.json(&json!({"email": "ann@example.com"}));
        give.send().await.data(200);
    }
}

#[test]
fn customers_are_forgotten_after_their_time_and_nothing_else_is() {
    with_world(async |world| {
        world.selling();
        let cookie = format!("consign_ref={}", world.token(CODE).await);
        let page = world.asked(&cookie).await;
        world.pay(&world.newest().await).await;
        world.give_item().await;
        let order = order_of("ERASED-1", world.product("Antivirus"));
        let sold = world.order(&world.key(CODE), &order).await.data(201);
        assert_eq!(world.found().await, 2);
        assert_eq!(world.knowing(), "1 1 1 1 1 1");
        let kept = world.kept();

        assert!(!world.erase(after(-1)).await);
        assert_eq!(world.knowing(), "1 1 1 1 1 1");
        assert!(world.erase(after(1)).await);
        assert_eq!(world.knowing(), "0 0 0 0 0 0");
        assert_eq!(world.kept(), kept);
        assert_eq!(world.found().await, 0);
        assert!(!world.erase(after(1)).await);

        // The order is bound to what it was, and answers as it did.
        let again = world.order(&world.key(CODE), &order).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200)["serials"], sold["serials"]);
        let other = json!({"customer_email": "bob@example.com"});
        let mut changed = order.clone();
        changed["customer_email"] = other["customer_email"].clone();
        let refused = world.order(&world.key(CODE), &changed).await;
        refused.refused(422, "ORDER_MISMATCH");
        let sale = world.dev_of(CODE, "GET", "sales").send().await.data(200);
        assert_eq!(sale[0]["customer_email"], Value::Null);
        assert_eq!(world.newest().await["customer_email"], Value::Null);
        let shown = is_page(&world.submit(&format!("{page}/reveal"), "").await, 200);
        assert!(shown.contains("<pre>"), "{shown}");
    });
}

#[test]
fn invoice_that_waits_keeps_its_customer_and_money_that_comes_after_all_is_delivered() {
    with_world(async |world| {
        let page = world.asked("").await;
        let open = world.newest().await;
        world.erase(after(1)).await;
        assert!(world.knowing().starts_with("1 1 "), "{}", world.knowing());
        expire_due(
            world.server.app(),
            SystemClock.now() + TimeDelta::minutes(61),
        )
        .await
        .unwrap();
        assert!(world.erase(after(1)).await);
        assert!(world.knowing().starts_with("0 0 "), "{}", world.knowing());
        let mails = world.scalar("SELECT COUNT(*) FROM mails");
        let paid = world.pay(&open).await;
        assert_eq!(
            (&paid["status"], &paid["customer_email"]),
            (&json!("COMPLETED"), &Value::Null)
        );
        assert_eq!(world.scalar("SELECT COUNT(*) FROM mails"), mails);
        let shown = is_page(&world.submit(&format!("{page}/reveal"), "").await, 200);
        assert!(shown.contains("<pre>"), "{shown}");
    });
}
