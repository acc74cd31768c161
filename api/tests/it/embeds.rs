//! What begins in a widget goes on in its frame, for the pages that may frame it, and nothing else is framed by anybody.

use serde_json::{Value, json};

use crate::{
    checkout::{is_framed, is_page, is_widget_page, location},
    support::{Reply, World, with_world},
};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
const YES: &str = "email=ann%40example.com&coin=BANK";
const BLOG: &str = "https://blog.example";
const BOTH: &str = "https://blog.example https://forum.example:8443";

impl World {
    /// A campaign for one product in pages of these origins, and where the button of its widget leads.
    async fn placed_in(&self, session: &str, origins: &[&str]) -> (Value, String) {
        let product = self.product("Antivirus").id.to_string();
        let body = json!({"name": "Blog", "product_ids": [product], "allowed_origins": origins});
        let made = self.make_campaign(session, &body).await.data(201);
        let path = self.button_of(session, &made).await;
        (made, path)
    }

    /// What a browser gets that shows a page in a frame, whatever cookies it had.
    async fn in_frame(&self, path: &str) -> Reply {
        let link = format!("consign_ref={}", self.token("demo-affiliate").await);
        let call = self.call("GET", path).header("sec-fetch-dest", "iframe");
        let reply = call.header("cookie", &link).send().await;
        assert_eq!(reply.header("set-cookie"), None, "{path}");
        reply
    }

    /// A visit that began by the form of a widget's page.
    async fn begun(&self, path: &str) -> String {
        location(&self.send_form(path, "quantity=1", "").await)
    }
}

#[test]
fn customer_buys_pays_and_sees_it_in_the_frame_of_the_widget() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let origins = [BLOG, "https://forum.example:8443"];
        let (made, path) = world.placed_in(&session, &origins).await;
        let placed = world.snippet(&session, &made, "link").await;
        let widget = world.widget(placed["snippet"].as_str().unwrap()).await;
        // It goes on where it is.
        assert!(
            widget.contains("class=\"buy\"") && !widget.contains("target="),
            "{widget}"
        );

        let page = is_framed(&world.in_frame(&path).await, 200, BOTH);
        let own = format!(
            "<a href=\"{}\" target=\"_blank\" rel=\"noopener\">Open in a window of its own</a>",
            path.replace('&', "&amp;")
        );
        assert!(page.contains("29.99 USD") && page.contains(&own), "{page}");
        // In a window of its own it has the cookie by which later purchases are the campaign's.
        assert!(world.see(&path).await.cookie().starts_with("consign_ref="));

        let visit = world.begun(&path).await;
        let page = is_framed(&world.in_frame(&visit).await, 200, BOTH);
        let own = format!("<a href=\"{visit}\" target=\"_blank\" rel=\"noopener\">");
        assert!(page.contains(&own), "{page}");
        for (to, form) in [
            ("", "email=nobody"),
            ("", "email=ann%40example.com&price=1"),
            ("/cart", "price=1"),
            ("/add", "price=1"),
        ] {
            let wrong = world.submit(&format!("{visit}{to}"), form).await;
            is_framed(&wrong, 422, BOTH);
        }
        let invoice = location(&world.submit(&visit, YES).await);
        let page = is_framed(&world.in_frame(&invoice).await, 200, BOTH);
        let own = format!("<a href=\"{invoice}\" target=\"_blank\" rel=\"noopener\">");
        assert!(page.contains(&own), "{page}");
        let reveal = format!("{invoice}/reveal");
        is_framed(&world.submit(&reveal, "").await, 409, BOTH);
        let sold = world.newest().await;
        assert_eq!(world.pay(&sold).await["status"], "COMPLETED");
        is_framed(&world.in_frame(&invoice).await, 200, BOTH);
        is_framed(&world.submit(&reveal, "").await, 200, BOTH);

        // The page of a mail is nobody's.
        let letter = world.letter("Your purchase").await;
        let (_, address) = letter.split_once("https://consign.example").unwrap();
        let delivery = address.split_whitespace().next().unwrap();
        assert!(delivery.starts_with("/delivery/"), "{delivery}");
        is_page(&world.in_frame(delivery).await, 200);
        is_page(&world.submit(&format!("{delivery}/reveal"), "").await, 200);
        let sales = world.dev_of(CODE, "GET", "sales").send().await.data(200);
        assert_eq!(sales[0]["source"]["type"], "CAMPAIGN");
    });
}

#[test]
fn what_began_elsewhere_is_framed_by_nobody_whatever_a_browser_says() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let (_, path) = world.placed_in(&session, &[]).await;
        // Whoever came by a campaign, and bought at the shop later.
        let clicked = world.see(&path).await.cookie();
        let product = world.antivirus();
        is_page(
            &world.in_frame(&format!("/checkout/p/{product}")).await,
            200,
        );
        for cookie in ["", clicked.split(';').next().unwrap()] {
            let visit = world.visit(&product, "quantity=1", cookie).await;
            let page = is_page(&world.in_frame(&visit).await, 200);
            assert!(!page.contains("window of its own"), "{page}");
            is_page(&world.submit(&visit, "email=nobody").await, 422);
            is_page(
                &world.submit(&format!("{visit}/cart"), "price=1").await,
                422,
            );
            let invoice = location(&world.submit(&visit, YES).await);
            let page = is_page(&world.in_frame(&invoice).await, 200);
            assert!(!page.contains("window of its own"), "{page}");
            is_page(&world.submit(&format!("{invoice}/reveal"), "").await, 409);
        }
        let (visit, invoice) = (format!("/checkout/{}", "x".repeat(43)), "/invoice/x");
        for unknown in [&visit, "/checkout/x", invoice] {
            is_page(&world.in_frame(unknown).await, 404);
        }
    });
}

#[test]
fn campaign_that_stops_meanwhile_says_so_in_its_frame_and_an_invoice_stays_payable_there() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let (made, path) = world.placed_in(&session, &[BLOG]).await;
        let (visit, bought) = (world.begun(&path).await, world.begun(&path).await);
        let invoice = location(&world.submit(&bought, YES).await);
        let before = world.purchases_made();
        let change = async |body: Value| {
            world
                .change_campaign(&session, &made, &body)
                .await
                .data(200);
        };
        for status in ["PAUSED", "ACTIVE", "REVOKED"] {
            change(json!({"status": status})).await;
            if status == "ACTIVE" {
                is_framed(&world.in_frame(&path).await, 200, BLOG);
                is_framed(&world.in_frame(&visit).await, 200, BLOG);
                // Who may frame it is what the row says now.
                change(json!({"allowed_origins": ["https://forum.example:8443"]})).await;
                is_framed(
                    &world.in_frame(&visit).await,
                    200,
                    "https://forum.example:8443",
                );
                is_framed(
                    &world.in_frame(&invoice).await,
                    200,
                    "https://forum.example:8443",
                );
                change(json!({"allowed_origins": [BLOG]})).await;
                continue;
            }
            // As the widget itself, which says it wherever it is.
            let page = is_widget_page(&world.in_frame(&path).await, 403);
            assert!(!page.contains("<form") && !page.contains("<a "), "{page}");
            is_widget_page(&world.send_form(&path, "quantity=1", "").await, 403);
            is_framed(&world.in_frame(&visit).await, 403, BLOG);
            is_framed(&world.submit(&visit, YES).await, 403, BLOG);
            is_framed(&world.in_frame(&invoice).await, 200, BLOG);
        }
        assert_eq!(world.purchases_made(), before);
        let sold = world.newest().await;
        assert_eq!(world.pay(&sold).await["status"], "COMPLETED");
        let reveal = world.submit(&format!("{invoice}/reveal"), "").await;
        is_framed(&reveal, 200, BLOG);
    });
}

#[test]
fn merchant_without_payments_here_is_bought_from_in_a_window_of_its_own() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let (made, path) = world.placed_in(&session, &[BLOG]).await;
        world.sql("DELETE FROM payment_methods");
        let placed = world.snippet(&session, &made, "link").await;
        let widget = world.widget(placed["snippet"].as_str().unwrap()).await;
        assert!(
            widget.contains("target=\"_blank\" rel=\"noopener\">Buy</a>"),
            "{widget}"
        );
        assert_eq!(world.see(&path).await.status, 302);
        // A widget of before that leads on in the frame leads no shop into it.
        let page = is_framed(&world.in_frame(&path).await, 200, BLOG);
        assert!(page.contains("Open in a window of its own"), "{page}");
    });
}
