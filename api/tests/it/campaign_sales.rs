//! Customers buy what a widget shows: the sale is the campaign's, at the merchant's price, as long as the campaign
//! sells it.

use serde_json::{Value, json};

use crate::{
    checkout::{is_widget_page, location},
    support::{World, with_world},
};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
const YES: &str = "email=ann%40example.com&coin=BANK";

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

impl World {
    /// A campaign for one product, and where the button of its widget leads.
    async fn placed(&self, session: &str) -> (Value, String) {
        let product = self.product("Antivirus").id.to_string();
        let body = json!({"name": "Blog", "product_ids": [product]});
        let made = self.make_campaign(session, &body).await.data(201);
        let path = self.button_of(session, &made).await;
        (made, path)
    }

    /// Where the first button of a campaign's widget leads.
    pub(crate) async fn button_of(&self, session: &str, campaign: &Value) -> String {
        let placed = self.snippet(session, campaign, "link").await;
        let widget = self.widget(placed["snippet"].as_str().unwrap()).await;
        let (_, button) = widget.split_once("https://consign.example").unwrap();
        let (path, _) = button.split_once('"').unwrap();
        assert!(path.starts_with("/checkout/c/cmp_"), "{path}");
        path.replace("&amp;", "&")
    }

    async fn brought(&self, list: &str, at: usize) -> (Value, Value, Value) {
        let listed = self.dev_of(CODE, "GET", list).send().await.data(200);
        let of = |name: &str| listed[at][name].clone();
        (of("sales"), of("revenue"), of("commission"))
    }
}

#[test]
fn customer_buys_from_a_widget_and_the_sale_is_the_campaigns() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let (made, path) = world.placed(&session).await;
        let page = world.see(&path).await;
        let cookie = page.cookie();
        assert!(cookie.starts_with("consign_ref=ca1."), "{cookie}");
        let page = is_widget_page(&page, 200);
        assert!(page.contains("29.99 USD"), "{page}");
        let (to, _) = path.split_once('?').unwrap();
        assert!(page.contains(&format!("action=\"{to}\"")), "{page}");
        for name in ["t", "product_id"] {
            let hidden = format!("<input type=\"hidden\" name=\"{name}\" value=");
            assert!(page.contains(&hidden), "{page}");
        }
        // A link that the customer followed before, or follows meanwhile, is owed nothing of it.
        let link = format!("consign_ref={}", world.token("demo-affiliate").await);
        let begun = world.send_form(&path, "quantity=2", &link).await;
        let visit = location(&begun);
        location(&world.submit_with(&visit, YES, &link).await);
        let open = world.newest().await;
        assert_eq!(
            (&open["amount"], &open["reseller_id"]),
            (&json!("59.98"), &json!(world.reseller(CODE).id.to_string()))
        );
        // What is open stays payable, whatever becomes of the campaign.
        let over = json!({"status": "REVOKED"});
        world
            .change_campaign(&session, &made, &over)
            .await
            .data(200);
        assert_eq!(world.pay(&open).await["status"], "COMPLETED");
        let sales = world.dev_of(CODE, "GET", "sales").send().await.data(200);
        let source = json!({"type": "CAMPAIGN", "id": id(&made), "name": "Blog"});
        assert_eq!(sales[0]["source"], source);
        assert_eq!(sales[0]["commission"]["amount"], "6.00");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
    });
}

#[test]
fn sums_of_links_and_campaigns_are_those_of_their_sales() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let (_, path) = world.placed(&session).await;
        let link = format!("consign_ref={}", world.token(CODE).await);
        let product = world.product("Antivirus").id;
        for (path, form) in [
            (path.clone(), "quantity=2"),
            (path, "quantity=1"),
            (format!("/checkout/p/{product}"), "quantity=3"),
        ] {
            let visit = location(&world.send_form(&path, form, &link).await);
            location(&world.submit(&visit, YES).await);
            world.pay(&world.newest().await).await;
        }
        let campaign = world.brought("embed-campaigns", 0).await;
        assert_eq!(campaign, (json!(2), json!("89.97"), json!("9.00")));
        let link = world.brought("links", 0).await;
        assert_eq!(link, (json!(1), json!("89.97"), json!("9.00")));
        let rows = world.scalar(
            "SELECT string_agg(kind || ' ' || count || ' ' || paid || ' ' || earned, ', ' ORDER BY kind)
             FROM (SELECT l.kind, COUNT(*), SUM(s.amount - s.refunded) AS paid,
                     SUM(s.commission - s.reversed) AS earned
                   FROM sales AS s JOIN links AS l ON l.link_id = s.link_id GROUP BY l.kind) AS s",
        );
        assert_eq!(rows, "CAMPAIGN 2 8997 900, LINK 1 8997 900");
    });
}

#[test]
fn what_a_campaign_does_not_sell_is_not_sold_wherever_the_customer_is() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let (made, path) = world.placed(&session).await;
        let visit = location(&world.send_form(&path, "quantity=1", "").await);
        let before = world.purchases_made();
        let product = world.product("Antivirus").id;
        let other = world.product("Gift card").id;
        for wrong in [
            path.replace("?t=ce1.1", "?t=ce1.2"),
            path.replace("&product_id", "0&product_id"),
            path.replace(&product.to_string(), &other.to_string()),
            path.replace(&product.to_string(), "x"),
            format!("{path}&variant_id=x"),
            format!("/checkout/c/{}", id(&made)),
        ] {
            let page = is_widget_page(&world.see(&wrong).await, 403);
            assert!(
                !page.contains("<form") && !page.contains("Lumen"),
                "{wrong}"
            );
            is_widget_page(&world.send_form(&wrong, "quantity=1", "").await, 403);
        }
        let stopped = "WHERE code = 'demo-both'";
        for (off, on) in [
            (
                "UPDATE embed_campaigns SET status = 'PAUSED'".to_owned(),
                "UPDATE embed_campaigns SET status = 'ACTIVE'".to_owned(),
            ),
            (
                "UPDATE embed_campaigns SET product_ids = ARRAY[gen_random_uuid()]".to_owned(),
                format!(
                    "UPDATE embed_campaigns SET product_ids = ARRAY['{}'::uuid]",
                    product.uuid()
                ),
            ),
            (
                format!("UPDATE relationships SET status = 'SUSPENDED' {stopped}"),
                format!("UPDATE relationships SET status = 'ACTIVE' {stopped}"),
            ),
            (
                format!("UPDATE relationships SET mode = 'STOCK' {stopped}"),
                format!("UPDATE relationships SET mode = 'BOTH' {stopped}"),
            ),
            (
                "UPDATE programs SET enabled = false".to_owned(),
                "UPDATE programs SET enabled = true".to_owned(),
            ),
            (
                format!("UPDATE relationships SET status = 'TERMINATED' {stopped}"),
                format!("UPDATE relationships SET status = 'ACTIVE' {stopped}"),
            ),
        ] {
            world.sql(&off);
            is_widget_page(&world.see(&path).await, 403);
            is_widget_page(&world.send_form(&path, "quantity=1", "").await, 403);
            is_widget_page(&world.see(&visit).await, 403);
            is_widget_page(&world.submit(&visit, YES).await, 403);
            world.sql(&on);
            is_widget_page(&world.see(&visit).await, 200);
        }
        let rotate = format!("/{}/rotate-token", id(&made));
        let rotate = world.own_campaigns(&session, "POST", &rotate);
        rotate.json(&json!({})).send().await.data(200);
        is_widget_page(&world.see(&path).await, 403);
        is_widget_page(&world.send_form(&path, "quantity=1", "").await, 403);
        assert_eq!(world.purchases_made(), before);
        // Whoever came by the token while it counted goes on.
        location(&world.submit(&visit, YES).await);
    });
}

#[test]
fn nothing_that_a_browser_sends_changes_a_campaign_its_price_or_its_reseller() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let (_, path) = world.placed(&session).await;
        let before = world.purchases_made();
        for field in [
            "price",
            "unit_price",
            "reseller_id",
            "relationship_id",
            "campaign_id",
            "consign_ref",
        ] {
            let page = world
                .send_form(&path, &format!("quantity=1&{field}=1"), "")
                .await;
            assert!(is_widget_page(&page, 422).contains(field));
        }
        for form in ["quantity=0", "quantity=21", "quantity=x", "email=nobody"] {
            is_widget_page(&world.send_form(&path, form, "").await, 422);
        }
        assert_eq!(world.purchases_made(), before);
    });
}

#[test]
fn what_a_widget_has_no_room_to_list_is_sold_by_its_campaign() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let body = json!({"name": "All"});
        let made = world.make_campaign(&session, &body).await.data(201);
        let path = world.button_of(&session, &made).await;
        let (page, _) = path.split_once("&product_id").unwrap();
        let last = world.product("Setup").id;
        let of_last = format!("{page}&product_id={last}");
        world.sql(
            "INSERT INTO products (product_id, merchant_id, title, kind, base_price)
             SELECT gen_random_uuid(), p.merchant_id, 'A' || n, 'SERVICE', 100
             FROM products AS p CROSS JOIN generate_series(1, 100) AS n WHERE p.title LIKE 'Antivirus%'",
        );
        let shown = is_widget_page(&world.see(&of_last).await, 200);
        assert!(shown.contains("99.00 USD"), "{shown}");
        let visit = location(&world.send_form(&of_last, "quantity=1", "").await);
        is_widget_page(&world.see(&visit).await, 200);
        location(&world.submit(&visit, YES).await);
        let open = world.newest().await;
        let reseller = world.reseller(CODE).id.to_string();
        assert_eq!(
            (&open["amount"], &open["reseller_id"]),
            (&json!("99.00"), &json!(reseller))
        );
        // Of variants one is sold, and what is not on sale is not, wherever it would stand in a list.
        let editions = world.product("Starfall").id;
        let foreign = made["id"].as_str().unwrap().replace("cmp_", "prd_");
        let off = format!(
            "UPDATE products SET status = 'DISABLED' WHERE product_id = '{}'",
            last.uuid()
        );
        world.sql(&off);
        for wrong in [editions.to_string(), foreign, last.to_string()] {
            let wrong = format!("{page}&product_id={wrong}");
            is_widget_page(&world.see(&wrong).await, 403);
        }
    });
}
