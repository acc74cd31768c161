//! Customers buy at the price of a listing; its reseller earns the margin, and nothing that is not offered is sold.

use api::listings::review::review;
use serde_json::{Value, json};

use crate::{
    checkout::{is_widget_page, location},
    checkout_paid::reference_of,
    listings::LISTABLE,
    support::{
        World,
        btcpay::{payment, with_double},
        with_world,
    },
};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
const YES: &str = "email=ann%40example.com&coin=BANK";

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

impl World {
    /// A listing at 39.99 of what costs its reseller 25.49, and the page on which it is bought.
    async fn offered(&self, session: &str) -> (Value, String) {
        self.sql(LISTABLE);
        let made = self.list_at(session, "Antivirus", "39.99").await.data(201);
        let page = self.page_of(session, &made).await;
        (made, page)
    }

    /// Where the button of a listing's widget leads.
    pub(crate) async fn page_of(&self, session: &str, listing: &Value) -> String {
        let snippet = format!("/{}/snippet?flavor=link", id(listing));
        let placed = self.own_listings(session, "GET", &snippet).send().await;
        let placed = placed.data(200);
        let widget = self.widget(placed["snippet"].as_str().unwrap()).await;
        let (_, button) = widget.split_once("https://consign.example").unwrap();
        let (page, _) = button.split_once('"').unwrap();
        assert!(page.starts_with("/checkout/l/lst_"), "{page}");
        page.to_owned()
    }

    /// What a listing sold, as its reseller is shown it: sales, revenue, margin.
    async fn sold_by(&self, session: &str) -> (Value, Value, Value) {
        let listed = self.listed(session).await[0].clone();
        let of = |name: &str| listed[name].clone();
        (of("sales"), of("revenue"), of("margin"))
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story from the widget to the refund"
)]
fn customer_buys_at_the_price_of_a_listing_and_its_reseller_earns_the_margin() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let (made, page) = world.offered(&session).await;
        assert_eq!(
            world.sold_by(&session).await,
            (json!(0), json!("0.00"), json!("0.00"))
        );
        let shown = is_widget_page(&world.see(&page).await, 200);
        assert!(shown.contains("39.99 USD"), "{shown}");
        let (path, token) = page.split_once("?t=").unwrap();
        let named = format!("<input type=\"hidden\" name=\"t\" value=\"{token}\">");
        assert!(
            shown.contains(&format!("action=\"{path}\"")) && shown.contains(&named),
            "{shown}"
        );
        // Whoever sent the customer before: what a listing sells is its reseller's.
        let cookie = format!("consign_ref={}", world.token("demo-affiliate").await);
        let begun = world
            .send_form(&page, "quantity=2&email=ann%40example.com", &cookie)
            .await;
        let visit = location(&begun);
        assert!(is_widget_page(&world.see(&visit).await, 200).contains("79.98 USD"));
        let invoice = location(&world.submit(&visit, YES).await);
        assert_eq!(location(&world.submit(&visit, YES).await), invoice);
        let open = world.newest().await;
        assert_eq!(
            (&open["amount"], &open["lines"][0]["unit_price"]),
            (&json!("79.98"), &json!("39.99"))
        );
        assert_eq!(open["reseller_id"], world.reseller(CODE).id.to_string());

        // The product costs more than the listing now: no more is sold, and what is open is honoured.
        let product = format!("/dev/v1/products/{}", world.product("Antivirus").id);
        let dear = json!({"base_price": "60.00"});
        world.merchant_sets(&product, &dear).await;
        review(world.server.app()).await.unwrap();
        assert_eq!(world.listed(&session).await[0]["status"], "BLOCKED");
        is_widget_page(&world.see(&page).await, 403);
        assert_eq!(world.pay(&open).await["status"], "COMPLETED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "2");

        let sales = world.dev_of(CODE, "GET", "sales").send().await.data(200);
        let sale = &sales[0];
        let source = json!({
            "type": "LISTING", "id": id(&made), "name": "Antivirus Plus, 1 year",
        });
        assert_eq!((&sale["source"], &sale["net"]), (&source, &json!("79.98")));
        let earned = &sale["commission"];
        assert_eq!(
            (&earned["kind"], &earned["percent"], &earned["amount"]),
            (&json!("MARGIN"), &Value::Null, &json!("29.00"))
        );
        assert_eq!(
            world.sold_by(&session).await,
            (json!(1), json!("79.98"), json!("29.00"))
        );
        let overview = world.page("GET", "/overview").header("cookie", &session);
        let overview = overview.send().await.data(200);
        let sums = &overview["currencies"][0];
        assert_eq!(
            (&sums["revenue"], &sums["commission"]),
            (&json!("79.98"), &json!("29.00"))
        );
        let refund = world
            .call(
                "POST",
                &format!("/dev/v1/resellers/sales/{}/refund", id(sale)),
            )
            .key(&world.merchant_key());
        let refund = refund.json(&json!({"amount": "39.99", "refund_ref": "half"}));
        refund.send().await.data(200);
        assert_eq!(
            world.sold_by(&session).await,
            (json!(1), json!("39.99"), json!("14.50"))
        );
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        // It is no link that somebody made, and no other relationship's sale.
        let links = world.dev_of(CODE, "GET", "links").send().await.json();
        assert_eq!(links["data"].as_array().unwrap().len(), 1);
        let others = world.dev_of("demo-affiliate", "GET", "sales").send().await;
        assert_eq!(others.data(200), json!([]));
    });
}

#[test]
fn margin_of_what_was_accepted_comes_out_of_what_arrived() {
    with_double(async |world, double| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let (_, page) = world.offered(&session).await;
        let visit = location(&world.send_form(&page, "quantity=2", "").await);
        location(&world.submit(&visit, &YES.replace("BANK", "btc")).await);
        let open = world.newest().await;
        let reference = reference_of(&open);
        double.pays(&reference, &json!([payment("a-0", "0.001", "Settled")]));
        world.until_invoice((&open, &reference), "UNDERPAID").await;
        let taken = world.act_on(&open, "accept", json!({})).await.data(200);
        assert_eq!(taken["received"], "62.50");
        let of = async || world.dev_of(CODE, "GET", "sales").send().await.data(200)[0].clone();
        let sale = of().await;
        // 17.48 of 79.98 are missing, and the units cost 50.98.
        assert_eq!(
            (&sale["amount"], &sale["discount"], &sale["net"]),
            (&json!("79.98"), &json!("17.48"), &json!("62.50"))
        );
        assert_eq!(sale["commission"]["amount"], "11.52");
        let sold = (json!(1), json!("62.50"), json!("11.52"));
        assert_eq!(world.sold_by(&session).await, sold);
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        let back = json!({"refund_ref": "all"});
        world.act_on(&open, "refund", back).await.data(200);
        let sale = of().await;
        assert_eq!(
            (&sale["refunded"], &sale["commission"]["reversed"]),
            (&json!("62.50"), &json!("11.52"))
        );
        assert_eq!(world.earnings_that_do_not_add_up(), "");
    });
}

#[test]
fn what_is_not_offered_is_not_sold_wherever_the_customer_is() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let (made, page) = world.offered(&session).await;
        let other = world
            .list_at(&session, "Gift card", "12.00")
            .await
            .data(201);
        let visit = location(&world.send_form(&page, "quantity=1", "").await);
        let before = world.purchases_made();
        let (path, token) = page.split_once("?t=").unwrap();
        let foreign = world.page_of(&session, &other).await;
        let (_, strange) = foreign.split_once("?t=").unwrap();
        for wrong in [
            path.to_owned(),
            format!("{path}?t={token}0"),
            format!("{path}?t={strange}"),
            format!("{path}?t={}", token.replace(".1.1", ".1.2")),
            format!("/checkout/l/lst_00000000000000000000000000?t={token}"),
        ] {
            let seen = is_widget_page(&world.see(&wrong).await, 403);
            assert!(seen.contains("Not available"), "{wrong}: {seen}");
            assert!(
                !seen.contains("<form") && !seen.contains("Lumen"),
                "{wrong}"
            );
            is_widget_page(&world.send_form(&wrong, "quantity=1", "").await, 403);
        }
        is_widget_page(&world.see(&format!("/checkout/l/x?t={token}")).await, 404);
        for (off, on) in [
            (
                "UPDATE listings SET status = 'PAUSED', paused = true",
                "UPDATE listings SET status = 'ACTIVE', paused = false",
            ),
            (
                "UPDATE relationships SET status = 'SUSPENDED' WHERE code = 'demo-both'",
                "UPDATE relationships SET status = 'ACTIVE' WHERE code = 'demo-both'",
            ),
            (
                "UPDATE programs SET enabled = false",
                "UPDATE programs SET enabled = true",
            ),
            (
                "UPDATE product_access SET min_resale_price = 4000",
                "UPDATE product_access SET min_resale_price = NULL",
            ),
            (
                "UPDATE product_access SET revoked_at = now()",
                "UPDATE product_access SET revoked_at = NULL",
            ),
        ] {
            world.sql(off);
            is_widget_page(&world.see(&page).await, 403);
            is_widget_page(&world.send_form(&page, "quantity=1", "").await, 403);
            is_widget_page(&world.see(&visit).await, 403);
            is_widget_page(&world.submit(&visit, YES).await, 403);
            world.sql(on);
            is_widget_page(&world.see(&visit).await, 200);
        }
        assert_eq!(world.purchases_made(), before);
        let over = json!({"status": "ARCHIVED"});
        world.change_listing(&session, &made, &over).await.data(200);
        is_widget_page(&world.see(&page).await, 403);
        is_widget_page(&world.submit(&visit, YES).await, 403);
        assert_eq!(world.purchases_made(), before);
    });
}

#[test]
fn nothing_that_a_browser_sends_changes_a_listing_its_price_or_its_reseller() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let (_, page) = world.offered(&session).await;
        let visit = location(&world.send_form(&page, "quantity=1", "").await);
        let before = world.purchases_made();
        for field in [
            "price",
            "unit_price",
            "listing_id",
            "product_id",
            "reseller_id",
            "relationship_id",
            "consign_ref",
        ] {
            for path in [&page, &visit] {
                let form = format!("email=ann%40example.com&{field}=1");
                let shown = is_widget_page(&world.send_form(path, &form, "").await, 422);
                assert!(shown.contains(field), "{shown}");
            }
        }
        for form in ["quantity=0", "quantity=21", "quantity=x", "email=nobody"] {
            is_widget_page(&world.send_form(&page, form, "").await, 422);
        }
        assert_eq!(world.purchases_made(), before);
    });
}

#[test]
fn price_of_a_listing_that_changed_is_shown_before_anything_is_bought() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let (made, page) = world.offered(&session).await;
        let visit = location(&world.send_form(&page, "quantity=2", "").await);
        let dearer = json!({"price": "41.00"});
        world
            .change_listing(&session, &made, &dearer)
            .await
            .data(200);
        let before = world.purchases_made();
        assert!(is_widget_page(&world.see(&visit).await, 200).contains("79.98 USD"));
        let shown = is_widget_page(&world.submit(&visit, YES).await, 422);
        assert!(
            shown.contains("82.00 USD") && shown.contains("price has changed"),
            "{shown}"
        );
        assert_eq!(world.purchases_made(), before);
        // The wholesale price of the moment of the yes counts, not that of the visit.
        world.sql("UPDATE product_access SET wholesale_price = 4000");
        location(&world.submit(&visit, YES).await);
        let open = world.newest().await;
        assert_eq!(open["amount"], "82.00");
        world.pay(&open).await;
        let margin = json!("2.00");
        assert_eq!(
            world.sold_by(&session).await,
            (json!(1), json!("82.00"), margin)
        );
    });
}

#[test]
fn listing_that_is_sold_out_says_so_before_anybody_pays() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let (_, page) = world.offered(&session).await;
        let visit = location(&world.send_form(&page, "quantity=2", "").await);
        let product = world.product("Antivirus").id;
        let claim = world.call("POST", &format!("/dev/v1/products/{product}/serials/claim"));
        let claim = claim.key(&world.merchant_key());
        claim.json(&json!({"amount": 200})).send().await.data(200);
        let before = world.purchases_made();
        assert!(is_widget_page(&world.see(&page).await, 200).contains("sold out"));
        let shown = is_widget_page(&world.submit(&visit, YES).await, 409);
        assert!(shown.contains("Sold out"), "{shown}");
        assert_eq!(world.purchases_made(), before);
    });
}

#[test]
fn reseller_that_buys_its_own_listing_earns_nothing() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let (_, page) = world.offered(&session).await;
        world
            .sql("UPDATE relationships SET email = 'Max@Partner.example' WHERE code = 'demo-both'");
        let visit = location(&world.send_form(&page, "quantity=1", "").await);
        let form = "email=max%2B1%40partner.example&coin=BANK";
        location(&world.submit(&visit, form).await);
        world.pay(&world.newest().await).await;
        let sales = world.dev_of(CODE, "GET", "sales").send().await.data(200);
        let earned = &sales[0]["commission"];
        assert_eq!(
            (&earned["kind"], &earned["amount"], &earned["reason"]),
            (&json!("MARGIN"), &json!("0.00"), &json!("SELF_PURCHASE"))
        );
        assert_eq!(world.earnings_that_do_not_add_up(), "");
    });
}

#[test]
fn widget_of_a_listing_has_no_button_where_its_merchant_takes_no_money() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let (made, _) = world.offered(&session).await;
        world.sql("DELETE FROM payment_methods");
        let snippet = format!("/{}/snippet?flavor=link", id(&made));
        let placed = world.own_listings(&session, "GET", &snippet).send().await;
        let widget = world
            .widget(placed.data(200)["snippet"].as_str().unwrap())
            .await;
        assert!(widget.contains("39.99 USD"), "{widget}");
        assert!(!widget.contains("<a "), "{widget}");
    });
}
