//! From a page to a key: a visit, an invoice, a payment, a delivery, a sale.

use chrono::TimeDelta;
use engine::clock::{Clock as _, SystemClock, Timestamp};
use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

const CODE: &str = "demo-both";
const FORM: &str = "application/x-www-form-urlencoded";
const ANN: &str = "ann%40example.com";

impl World {
    pub(crate) fn antivirus(&self) -> String {
        self.product("Antivirus").id.to_string()
    }

    pub(crate) async fn see(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    pub(crate) async fn submit(&self, path: &str, form: &str) -> Reply {
        self.call("POST", path).body(FORM, form).send().await
    }

    /// Sends the form of a page: what stands in the page's address is part of it, and stands in no query.
    pub(crate) async fn send_form(&self, page: &str, form: &str, cookie: &str) -> Reply {
        let (path, named) = page.split_once('?').unwrap_or((page, ""));
        let form = [named, form].join("&");
        self.submit_with(path, &form, cookie).await
    }

    pub(crate) async fn submit_with(&self, path: &str, form: &str, cookie: &str) -> Reply {
        let call = self.call("POST", path).header("cookie", cookie);
        call.body(FORM, form).send().await
    }

    /// Somebody's link sells what is here: the cookie of whoever it brought.
    pub(crate) async fn brought_by_link(&self) -> String {
        self.selling();
        format!("consign_ref={}", self.token(CODE).await)
    }

    /// The page of a visit that begins.
    pub(crate) async fn visit(&self, product: &str, form: &str, cookie: &str) -> String {
        let path = format!("/checkout/p/{product}");
        let reply = self.submit_with(&path, form, cookie).await;
        location(&reply)
    }

    /// The page of an invoice over so many units, for whoever has this address.
    pub(crate) async fn invoiced(&self, quantity: u32, email: &str, cookie: &str) -> String {
        let form = format!("quantity={quantity}&email={email}");
        let visit = self.visit(&self.antivirus(), &form, cookie).await;
        location(
            &self
                .submit(&visit, &format!("email={email}&coin=BANK"))
                .await,
        )
    }

    /// The newest invoice as its merchant reads it.
    pub(crate) async fn newest(&self) -> Value {
        let call = self.call("GET", "/dev/v1/invoices?purpose=checkout&limit=1");
        let list = call.key(&self.merchant_key()).send().await;
        list.data(200)[0].clone()
    }

    pub(crate) async fn act_on(&self, invoice: &Value, verb: &str, body: Value) -> Reply {
        let path = format!("/dev/v1/invoices/{}/{verb}", id(invoice));
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.json(&body).send().await
    }

    pub(crate) async fn pay(&self, invoice: &Value) -> Value {
        let paid = self.act_on(invoice, "complete", json!({})).await;
        paid.data(200)
    }

    pub(crate) async fn letter(&self, subject: &str) -> String {
        let letters = self.letters().await;
        let mut found = letters
            .into_iter()
            .filter(|one| one.subject.contains(subject));
        found.next().expect("a mail with this subject").text
    }

    /// Everything about checkouts that a refusal must leave alone.
    pub(crate) fn purchases_made(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) FROM invoices) || ' ' || (SELECT COUNT(*) FROM invoice_lines)
               || ' ' || (SELECT COUNT(*) FROM payments) || ' ' || (SELECT COUNT(*) FROM sales)
               || ' ' || (SELECT COUNT(*) FROM sold_serials)
               || ' ' || (SELECT COUNT(*) FROM mails WHERE kind <> 'news')
               || ' ' || (SELECT COUNT(*) FROM serial_claims)
               || ' ' || (SELECT COUNT(*) FROM ledger_entries)",
        )
    }
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

#[track_caller]
pub(crate) fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.header("location").unwrap().to_owned()
}

pub(crate) fn after(minutes: i64) -> Timestamp {
    SystemClock.now() + TimeDelta::minutes(minutes)
}

/// A page without script, which no program of another site may show or index.
#[track_caller]
pub(crate) fn is_page(reply: &Reply, status: u16) -> String {
    is_framed(reply, status, "'none'")
}

/// A page of what a widget leads to that any page by https may frame.
#[track_caller]
pub(crate) fn is_widget_page(reply: &Reply, status: u16) -> String {
    is_framed(reply, status, "https:")
}

/// The same for pages of these origins.
#[track_caller]
pub(crate) fn is_framed(reply: &Reply, status: u16, ancestors: &str) -> String {
    let text = reply.text();
    assert_eq!(reply.status, status, "{text}");
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-robots-tag"), Some("noindex, nofollow"));
    let policy = reply.header("content-security-policy").unwrap();
    let scripts = if ancestors == "'none'" {
        ""
    } else {
        " script-src 'none';"
    };
    let end = format!("; form-action 'self';{scripts} frame-ancestors {ancestors}");
    assert!(
        policy.starts_with("default-src 'self'") && policy.ends_with(&end),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && !text.contains("<script"));
    assert!(text.contains("<html lang=\"en\">") && text.contains("<h1>"));
    text
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story from the first page to the last"
)]
fn customer_buys_pays_and_gets_the_serials() {
    with_world(async |world| {
        world.selling();
        let product = world.antivirus();
        let page = is_page(&world.see(&format!("/checkout/p/{product}")).await, 200);
        assert!(page.contains("29.99 USD") && page.contains("Antivirus Plus"));
        let token = world.token(CODE).await;
        let cookie = format!("other=1; consign_ref={token}");
        let visit = world
            .visit(&product, &format!("quantity=2&email={ANN}"), &cookie)
            .await;
        let page = is_page(&world.see(&visit).await, 200);
        assert!(
            page.contains("59.98 USD") && page.contains("ann@example.com"),
            "{page}"
        );
        let invoice = location(
            &world
                .submit(&visit, &format!("email={ANN}&coin=BANK"))
                .await,
        );
        // The visit leads there from now on, and a second yes does too.
        assert_eq!(location(&world.see(&visit).await), invoice);
        let again = world
            .submit(&visit, &format!("email={ANN}&coin=BANK"))
            .await;
        assert_eq!(location(&again), invoice);
        let open = world.newest().await;
        assert_eq!(
            (&open["status"], &open["amount"]),
            (&json!("OPEN"), &json!("59.98"))
        );
        assert_eq!(
            (&open["purpose"], &open["origin"]),
            (&json!("CHECKOUT"), &json!("CUSTOMER"))
        );
        assert_eq!(open["customer_email"], "a***@example.com");
        assert_eq!(open["reseller_id"], world.reseller(CODE).id.to_string());
        assert_eq!(open["lines"][0]["unit_price"], "29.99");
        let page = is_page(&world.see(&invoice).await, 200);
        assert!(page.contains(id(&open)) && page.contains("Waiting for your payment"));
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sales"), "0");
        assert!(world.letter("Your invoice").await.contains(&invoice));

        let paid = world.pay(&open).await;
        assert_eq!(
            (&paid["status"], &paid["received"]),
            (&json!("COMPLETED"), &json!("59.98"))
        );
        let again = world.act_on(&open, "complete", json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200)["status"], "COMPLETED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "2");
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM payments WHERE relationship_id IS NULL"),
            "1"
        );
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM ledger_entries WHERE kind = 2"),
            "0"
        );

        let letter = world.letter("Your purchase").await;
        let (_, path) = letter.split_once("https://consign.example").unwrap();
        let delivery = path.split_whitespace().next().unwrap();
        assert!(delivery.starts_with("/delivery/"));
        let page = is_page(&world.see(delivery).await, 200);
        assert!(!page.contains("<pre>") && page.contains("Show what I bought"));
        assert_eq!(
            world.scalar("SELECT COUNT(revealed_at) FROM sold_serials"),
            "0"
        );
        let page = is_page(&world.submit(&format!("{delivery}/reveal"), "").await, 200);
        assert_eq!(page.matches("<pre>").count(), 2, "{page}");
        assert_eq!(
            world.scalar("SELECT COUNT(revealed_at) FROM sold_serials"),
            "2"
        );
        let other = is_page(&world.submit(&format!("{invoice}/reveal"), "").await, 200);
        assert_eq!(other, page);
        let logged = "SELECT COUNT(*) FROM audit_log WHERE action = 'invoice.reveal'";
        assert_eq!(world.scalar(logged), "1", "who looks again changes nothing");
    });
}

#[test]
fn sale_is_the_links_at_the_terms_of_the_moment_of_yes() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, "max@partner.example").await;
        let token = world.token(CODE).await;
        let cookie = format!("consign_ref={token}");
        world.invoiced(2, ANN, &cookie).await;
        let open = world.newest().await;
        // Neither a price, nor a percentage, nor the end of the relationship changes what was agreed.
        world.sql("UPDATE programs SET commission_percent = 5000");
        world.sql("UPDATE relationships SET status = 'TERMINATED'");
        world.pay(&open).await;
        let sales = world.dev_of(CODE, "GET", "sales").send().await.data(200);
        let sale = &sales[0];
        assert_eq!(
            (&sale["invoice_id"], &sale["amount"]),
            (&open["id"], &json!("59.98"))
        );
        assert_eq!(sale["source"]["type"], "LINK");
        assert_eq!(
            (
                &sale["commission"]["amount"],
                &sale["commission"]["percent"]
            ),
            (&json!("6.00"), &json!(10))
        );
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        drop(session);

        // One that nobody may attribute any more is nobody's, and its customer buys all the same.
        world.invoiced(1, ANN, &cookie).await;
        let nobodys = world.newest().await;
        assert_eq!(nobodys["reseller_id"], Value::Null);
        assert_eq!(world.pay(&nobodys).await["status"], "COMPLETED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sales"), "1");
        let body = json!({
            "attribution_token": token, "external_invoice_id": id(&open), "quantity": 2,
            "product_id": world.antivirus(), "amount": "20.00",
        });
        let report = world
            .call("POST", "/dev/v1/resellers/sales")
            .key(&world.merchant_key());
        report
            .json(&body)
            .send()
            .await
            .refused(422, "VALIDATION_ERROR");
    });
}

#[test]
fn reseller_that_buys_from_itself_earns_nothing() {
    with_world(async |world| {
        world.selling();
        world
            .sql("UPDATE relationships SET email = 'max@partner.example' WHERE code = 'demo-both'");
        let cookie = format!("consign_ref={}", world.token(CODE).await);
        world.invoiced(1, "max%40partner.example", &cookie).await;
        world.pay(&world.newest().await).await;
        let sale = world.dev_of(CODE, "GET", "sales").send().await.data(200)[0].clone();
        assert_eq!(sale["commission"]["reason"], "SELF_PURCHASE");
        assert_eq!(sale["commission"]["amount"], "0.00");
    });
}

#[test]
fn price_that_changed_is_shown_before_anything_is_bought() {
    with_world(async |world| {
        let product = world.antivirus();
        let visit = world.visit(&product, "quantity=2", "").await;
        let change = world.call("PATCH", &format!("/dev/v1/products/{product}"));
        let change = change
            .key(&world.merchant_key())
            .json(&json!({"base_price": "12.00"}));
        change.send().await.data(200);
        let before = world.purchases_made();
        // What was shown stays shown until the customer says yes.
        assert!(is_page(&world.see(&visit).await, 200).contains("59.98 USD"));
        let form = format!("email={ANN}&coin=BANK");
        let page = is_page(&world.submit(&visit, &form).await, 422);
        assert!(
            page.contains("24.00 USD") && page.contains("price has changed"),
            "{page}"
        );
        assert_eq!(world.purchases_made(), before);
        location(&world.submit(&visit, &form).await);
        assert_eq!(world.newest().await["amount"], "24.00");
    });
}

#[test]
fn sold_out_is_said_before_paying_and_not_on_sale_too() {
    with_world(async |world| {
        let beta = world.product("Closed beta").clone();
        let path = format!("/checkout/p/{}", beta.id);
        let visit = world.visit(&beta.id.to_string(), "quantity=20", "").await;
        let before = world.purchases_made();
        let page = is_page(
            &world
                .submit(&visit, &format!("email={ANN}&coin=BANK"))
                .await,
            409,
        );
        assert!(page.contains("Sold out"), "{page}");
        assert_eq!(world.purchases_made(), before);
        let off = world.call("PATCH", &format!("/dev/v1/products/{}", beta.id));
        let off = off
            .key(&world.merchant_key())
            .json(&json!({"status": "DISABLED"}));
        off.send().await.data(200);
        is_page(&world.see(&path).await, 403);
        is_page(
            &world
                .submit(&visit, &format!("email={ANN}&coin=BANK"))
                .await,
            403,
        );
        is_page(&world.submit(&path, "quantity=1").await, 403);
    });
}

#[test]
fn one_customer_and_one_network_have_a_few_open_invoices_only() {
    with_world(async |world| {
        for _ in 0..3 {
            world.invoiced(1, ANN, "").await;
        }
        let product = world.antivirus();
        let yes = async |email: &str, from: &str| {
            let visit = world.visit(&product, "quantity=1", "").await;
            let call = world.call("POST", &visit).header("x-forwarded-for", from);
            call.body(FORM, format!("email={email}&coin=BANK"))
                .send()
                .await
        };
        is_page(&yes(ANN, "192.0.2.9").await, 409);
        for number in 0..7 {
            location(&yes(&format!("c{number}%40example.com"), "127.0.0.1").await);
        }
        is_page(&yes("c8%40example.com", "127.0.0.1").await, 409);
        location(&yes("c8%40example.com", "192.0.2.9").await);
        // Those whose time is over do not count.
        world.sql("UPDATE invoices SET expires_at = now()");
        location(&yes(ANN, "127.0.0.1").await);
    });
}

#[test]
fn service_is_complete_when_it_is_paid() {
    with_world(async |world| {
        let service = world.product("Setup service").id.to_string();
        let visit = world.visit(&service, "quantity=1", "").await;
        let page = location(
            &world
                .submit(&visit, &format!("email={ANN}&coin=BANK"))
                .await,
        );
        let open = world.newest().await;
        assert_eq!(world.pay(&open).await["status"], "COMPLETED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM serial_claims"), "0");
        assert!(world.letter("Your purchase").await.contains("was told"));
        is_page(&world.submit(&format!("{page}/reveal"), "").await, 409);
    });
}
