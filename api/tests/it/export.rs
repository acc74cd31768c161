//! Everything of a relationship as one file, whatever its status, and the products it may sell.

use serde_json::{Value, json};

use crate::support::{World, order_of, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@example.com";

impl World {
    async fn export(&self, session: &str) -> crate::support::Reply {
        let reseller = self.reseller(CODE).id;
        let call = self.page("GET", &format!("/programs/{reseller}/export"));
        call.header("cookie", session).send().await
    }

    /// A campaign named "Blog" and the listing of the reseller.
    async fn placed_everywhere(&self) -> String {
        let own = self.as_reseller(CODE, EMAIL).await;
        let campaign = self.in_portal(&own, "POST", "embed-campaigns");
        let campaign = campaign.json(&json!({"name": "Blog"})).send().await;
        campaign.data(201);
        self.listing_of(CODE)
    }
}

fn lines(text: &str) -> Vec<(String, Value)> {
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        (
            line["type"].as_str().unwrap().to_owned(),
            line["data"].take(),
        )
    });
    lines.collect()
}

/// Each kind of line, and the rows that it is of.
fn rows_of(own: &str) -> Vec<(&'static str, String)> {
    vec![
        ("api_key", format!("api_keys WHERE {own}")),
        ("connection", format!("connections WHERE {own}")),
        (
            "product",
            format!(
                "(SELECT DISTINCT product_id FROM product_access WHERE {own} AND revoked_at IS NULL) AS p"
            ),
        ),
        ("link", format!("links WHERE {own} AND kind = 'LINK'")),
        ("embed_campaign", format!("embed_campaigns WHERE {own}")),
        ("listing", format!("listings WHERE {own}")),
        ("top_up", format!("invoices WHERE {own}")),
        (
            "ledger_entry",
            format!(
                "ledger_entries AS l JOIN balances AS b USING (balance_id) WHERE {own} AND NOT b.test"
            ),
        ),
        (
            "replacement",
            format!("replacements WHERE {own} AND NOT test"),
        ),
        ("stock_request", format!("stock_requests WHERE {own}")),
        ("inventory_item", format!("inventory_items WHERE {own}")),
        ("sale", format!("sales WHERE {own}")),
        ("earnings_entry", format!("earning_entries WHERE {own}")),
        ("payout", format!("payouts WHERE {own}")),
    ]
}

#[test]
fn everything_leaves_with_the_reseller_also_after_the_end() {
    with_world(async |world| {
        let listing = world.placed_everywhere().await;
        let order = order_of("WOO-1", world.product("Antivirus"));
        let sold = world.order(&world.key(CODE), &order).await.data(201);
        world.buy_stock(CODE, "Antivirus", 2).await.data(201);
        world.selling();
        let token = world.token(CODE).await;
        world.report(&token, "INV-1", json!({})).await.data(201);
        world.invoice(CODE, "20.00").await.data(201);
        world.connection_of(CODE);
        let end = world.dev_of(CODE, "POST", "terminate");
        end.json(&json!({"reason": "Over"})).send().await.data(200);

        let plain = world.session(EMAIL).await;
        world.export(&plain).await.refused(403, "STEP_UP_REQUIRED");
        let untouched = "SELECT COUNT(*) FROM inventory_items WHERE handed_over_at IS NULL";
        assert_eq!(world.scalar(untouched), "2");
        let session = world.stepped_up(EMAIL).await;
        let file = world.export(&session).await;
        assert_eq!(file.status, 200);
        let lines = lines(&file.text());
        let of = |kind: &str| -> Vec<&Value> {
            let found = lines.iter().filter(|(found, _)| found == kind);
            found.map(|(_, data)| data).collect()
        };
        assert_eq!(of("relationship")[0]["status"], "TERMINATED");
        assert_eq!(of("connection")[0]["status"], "REVOKED");
        assert_eq!(of("fulfillment")[0]["serials"], sold["serials"]);
        assert_eq!(of("fulfillment")[0]["customer_email"], "ann@example.com");
        let count = |query: &str| world.scalar(&format!("SELECT COUNT(*) FROM {query}"));
        let own = format!("relationship_id = '{}'", world.reseller(CODE).id.uuid());
        for (kind, rows) in rows_of(&own) {
            assert_eq!(of(kind).len().to_string(), count(&rows), "{kind}");
        }
        assert_eq!(of("listing")[0]["id"], listing);
        assert_eq!(of("embed_campaign")[0]["name"], "Blog");
        assert!(of("link")[0]["url"].as_str().unwrap().contains("/r/"));
        assert_eq!(lines.last().unwrap().0, "end", "a whole one says so");
        // What left is handed over, and who took it is known.
        assert_eq!(world.scalar(untouched), "0");
        let serial = of("inventory_item")[0]["serial"].as_str().unwrap();
        assert!(!serial.contains('…'), "{serial}");
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'relationship.export'";
        assert_eq!(world.scalar(noted), "1");
        let prefixes = file.text().matches("crk_live_").count();
        assert!(prefixes <= of("api_key").len(), "no key has its secret");
    });
}

#[test]
fn serial_that_was_taken_back_unread_is_not_in_the_file() {
    with_world(async |world| {
        world.as_reseller(CODE, EMAIL).await;
        let bought = world.buy_stock(CODE, "Antivirus", 2).await.data(201);
        let why = json!({"reason": "Mistake"});
        world.transfer(&bought, "revoke", &why).await.data(200);
        let session = world.stepped_up(EMAIL).await;
        let file = lines(&world.export(&session).await.text());
        let mut items = 0;
        for (_, item) in file.iter().filter(|(kind, _)| kind == "inventory_item") {
            let serial = item["serial"].as_str().unwrap_or_default();
            assert!(serial.is_empty() || serial.contains('…'), "{serial}");
            items += 1;
        }
        assert_eq!(items, 2);
    });
}

#[test]
fn person_sees_the_products_of_the_program_with_their_prices() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let reseller = world.reseller(CODE).id;
        let page = async |query: &str| {
            let call = world.page("GET", &format!("/programs/{reseller}/products{query}"));
            call.header("cookie", &session).send().await
        };
        let own = page("?limit=100").await.data(200);
        let shops = world.call("GET", "/reseller/v1/products?limit=100");
        let shops = shops.key(&world.key(CODE)).send().await.data(200);
        assert_eq!(own, shops);
        let found = page("?search=antivirus&page=1").await.data(200);
        assert_eq!(found.as_array().unwrap().len(), 1);
        let foreign = world.reseller("demo-stock").id;
        let call = world.page("GET", &format!("/programs/{foreign}/products"));
        let foreign = call.header("cookie", &session).send().await;
        foreign.refused(404, "NOT_FOUND");
    });
}
