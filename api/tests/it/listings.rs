//! Listings are made within their bounds, blocked when a cause comes and back when it is gone; a widget offers
//! what may be offered at that moment.

use api::listings::review::review;
use engine::ids::ListingId;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Call, Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";
/// Antivirus costs 29.99; a discount of 15 % makes 25.49.
pub(crate) const LISTABLE: &str = "UPDATE products SET auto_fulfilled = true;
    UPDATE relationships SET wholesale_discount_percent = 1500;
    UPDATE product_access SET wholesale_price = NULL, max_resale_price = 6000";

impl World {
    /// A listing of this reseller, as its row: one that no review changes.
    pub(crate) fn listing_of(&self, code: &str) -> String {
        let id = self.scalar(&format!(
            "INSERT INTO listings (listing_id, merchant_id, relationship_id, product_id, price, status,
               paused, reviewed_at, created_at, updated_at)
             SELECT gen_random_uuid(), merchant_id, relationship_id, '{}', 100, 'ARCHIVED', false, now(),
               now(), now()
             FROM relationships WHERE relationship_id = '{}' RETURNING listing_id",
            self.product("Gift card").id.uuid(),
            self.reseller(code).id.uuid(),
        ));
        let id = id.split_whitespace().next().unwrap();
        ListingId::from_uuid(id.parse().unwrap()).to_string()
    }

    pub(crate) fn own_listings(&self, session: &str, method: &'static str, path: &str) -> Call {
        let reseller = self.reseller(CODE).id;
        let path = format!("/programs/{reseller}/listings{path}");
        self.page(method, &path).header("cookie", session)
    }

    pub(crate) async fn list_at(&self, session: &str, product: &str, price: &str) -> Reply {
        let product = self.product(product).id.to_string();
        let body = json!({"product_id": product, "price": price});
        self.own_listings(session, "POST", "")
            .json(&body)
            .send()
            .await
    }

    pub(crate) async fn change_listing(
        &self,
        session: &str,
        listing: &Value,
        body: &Value,
    ) -> Reply {
        let call = self.own_listings(session, "PATCH", &format!("/{}", id(listing)));
        call.json(body).send().await
    }

    pub(crate) async fn listed(&self, session: &str) -> Value {
        let listed = self.own_listings(session, "GET", "").send().await.json();
        listed["data"].clone()
    }

    pub(crate) async fn merchant_sets(&self, path: &str, body: &Value) {
        let call = self.call("PATCH", path).key(&self.merchant_key());
        call.json(body).send().await.data(200);
    }

    /// The page that a frame shows with this address.
    pub(crate) async fn widget(&self, url: &str) -> String {
        let path = url.strip_prefix("https://consign.example").unwrap_or(url);
        let call = self.call("GET", path).header("user-agent", BROWSER);
        let reply = call.send().await;
        assert_eq!(reply.status, 200, "{url}");
        reply.text()
    }

    fn stored(&self, listing: &Value) -> String {
        let id = ListingId::parse(id(listing)).unwrap().uuid();
        self.scalar(&format!(
            "SELECT status || ' ' || COALESCE(blocked_reason, '') FROM listings WHERE listing_id = '{id}'"
        ))
    }
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

#[test]
fn listing_is_quoted_made_and_shown_with_its_margin() {
    with_world(async |world| {
        world.sql(LISTABLE);
        let session = world.as_reseller(CODE, EMAIL).await;
        let product = world.product("Antivirus").id;
        let path = format!("/quote?product_id={product}&price=39.99");
        let quote = world
            .own_listings(&session, "GET", &path)
            .send()
            .await
            .data(200);
        let bounds = [
            "wholesale_price",
            "min_price",
            "max_price",
            "expected_margin",
        ];
        assert_eq!(
            bounds.map(|name| quote[name].as_str().unwrap()),
            ["25.49", "25.49", "60.00", "14.50"]
        );
        assert_eq!(quote["margin_percent"], json!(36.26));
        let made = world
            .list_at(&session, "Antivirus", "39.99")
            .await
            .data(201);
        assert_eq!(
            (&made["status"], &made["in_stock"]),
            (&json!("ACTIVE"), &json!(true))
        );
        assert_eq!(
            (&made["expected_margin"], &made["blocked_reason"]),
            (&json!("14.50"), &Value::Null)
        );
        let again = world.list_at(&session, "Antivirus", "41.00").await;
        again.refused(409, "ALREADY_EXISTS");
        let seen = world.dev_of(CODE, "GET", "listings").send().await.json();
        assert_eq!(seen["data"], json!([made]));

        let archive = format!("listings/{}/archive", id(&made));
        let empty = world
            .dev_of(CODE, "POST", &archive)
            .json(&json!({"reason": " "}));
        empty.send().await.refused(422, "VALIDATION_ERROR");
        let archive = world
            .dev_of(CODE, "POST", &archive)
            .json(&json!({"reason": "Brand rules."}));
        let over = archive.send().await.data(200);
        assert_eq!(
            (&over["status"], &over["status_reason"]),
            (&json!("ARCHIVED"), &json!("Brand rules."))
        );
        let back = world
            .change_listing(&session, &made, &json!({"status": "ACTIVE"}))
            .await;
        back.refused(409, "INVALID_STATE");
        // What is over stands in nobody's way.
        world
            .list_at(&session, "Antivirus", "41.00")
            .await
            .data(201);
        let deeds = world.scalar("SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log");
        assert!(
            deeds.contains("listing.create listing.archive listing.create"),
            "{deeds}"
        );
    });
}

#[test]
fn price_outside_its_bounds_and_products_that_may_not_be_listed_are_refused() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let refused = async |product: &str, price: &str, code: &str| {
            let reply = world.list_at(&session, product, price).await;
            assert_eq!(reply.json()["error"]["code"], code, "{product} {price}");
            let path = format!(
                "/quote?product_id={}&price={price}",
                world.product(product).id
            );
            let quote = world.own_listings(&session, "GET", &path).send().await;
            assert_eq!(quote.json()["error"]["code"], code, "{product} {price}");
            reply
        };
        refused("Antivirus", "39.99", "PRODUCT_NOT_ELIGIBLE").await;
        world.sql(LISTABLE);
        for price in ["25.48", "60.01"] {
            let reply = refused("Antivirus", price, "PRICE_OUT_OF_RANGE").await;
            let details = json!([{"field": "min_price", "message": "25.49"}, {"field": "max_price", "message": "60.00"}]);
            assert_eq!(reply.json()["error"]["details"], details);
        }
        world.sql("UPDATE product_access SET min_resale_price = 3000");
        refused("Antivirus", "29.99", "PRICE_OUT_OF_RANGE").await;
        for price in ["39.999", "-1", "x"] {
            refused("Antivirus", price, "VALIDATION_ERROR").await;
        }
        // One of three editions has to be named.
        refused("Starfall", "39.99", "PRODUCT_NOT_ALLOWED").await;
        world.sql("UPDATE product_access SET auto_fulfilled = false");
        refused("Antivirus", "39.99", "PRODUCT_NOT_ELIGIBLE").await;
        world.sql("UPDATE product_access SET auto_fulfilled = true, revoked_at = now()");
        refused("Antivirus", "39.99", "PRODUCT_NOT_ALLOWED").await;
        world.sql(
            "UPDATE product_access SET revoked_at = NULL; UPDATE products SET status = 'DISABLED'",
        );
        refused("Antivirus", "39.99", "PRODUCT_NOT_ALLOWED").await;
        world.sql("UPDATE products SET status = 'ACTIVE'");
        world.sql("UPDATE relationships SET mode = 'STOCK'");
        refused("Antivirus", "39.99", "MODE_NOT_ALLOWED").await;
        world.sql("UPDATE relationships SET mode = 'BOTH', status = 'SUSPENDED'");
        refused("Antivirus", "39.99", "RELATIONSHIP_INACTIVE").await;
        world.sql("UPDATE programs SET enabled = false");
        refused("Antivirus", "39.99", "PROGRAM_DISABLED").await;
        let foreign = world.another_merchant().await.products[0].id.to_string();
        world.sql("UPDATE programs SET enabled = true; UPDATE relationships SET status = 'ACTIVE'");
        for unknown in [&foreign[..], "prd_00000000000000000000000000", "x"] {
            let body = json!({"product_id": unknown, "price": "39.99"});
            let reply = world
                .own_listings(&session, "POST", "")
                .json(&body)
                .send()
                .await;
            reply.refused(403, "PRODUCT_NOT_ALLOWED");
        }
        let sent = json!({"product_id": foreign, "price": "1", "wholesale_price": "0"});
        let reply = world
            .own_listings(&session, "POST", "")
            .json(&sent)
            .send()
            .await;
        reply.refused(422, "VALIDATION_ERROR");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM listings"), "0");
    });
}

/// Where a merchant changes what, why that blocks a listing of 39.99, and how it is undone.
fn causes(world: &World) -> Vec<(String, Value, &'static str, Value)> {
    let id = world.product("Antivirus").id;
    let product = format!("/dev/v1/products/{id}");
    let reseller = format!("/dev/v1/resellers/{}", world.reseller(CODE).id);
    let program = "/dev/v1/reseller-program".to_owned();
    let access = json!({"product_access": [{"product_id": id.to_string()}]});
    let low = json!([{"product_id": id.to_string(), "max_resale_price": "39.98"}]);
    vec![
        (
            product.clone(),
            json!({"base_price": "50.00"}),
            "BELOW_FLOOR",
            json!({"base_price": "29.99"}),
        ),
        (
            product.clone(),
            json!({"auto_fulfilled": false}),
            "NOT_ELIGIBLE",
            json!({"auto_fulfilled": true}),
        ),
        (
            product,
            json!({"status": "DISABLED"}),
            "NOT_ELIGIBLE",
            json!({"status": "ACTIVE"}),
        ),
        (
            reseller.clone(),
            json!({"mode": "AFFILIATE"}),
            "RELATIONSHIP",
            json!({"mode": "BOTH"}),
        ),
        (
            reseller.clone(),
            json!({"product_ids": []}),
            "ACCESS_REVOKED",
            access.clone(),
        ),
        (
            reseller,
            json!({"product_access": low}),
            "ABOVE_MAXIMUM",
            access,
        ),
        (
            program,
            json!({"is_enabled": false}),
            "PROGRAM",
            json!({"is_enabled": true}),
        ),
    ]
}

#[test]
fn listing_that_may_not_be_offered_is_blocked_told_and_brought_back() {
    with_world(async |world| {
        world.sql(LISTABLE);
        let session = world.as_reseller(CODE, EMAIL).await;
        let made = world
            .list_at(&session, "Antivirus", "39.99")
            .await
            .data(201);
        let app = world.server.app();
        let snippet = format!("/{}/snippet?flavor=link", id(&made));
        let placed = world
            .own_listings(&session, "GET", &snippet)
            .send()
            .await
            .data(200);
        let url = placed["preview_url"].as_str().unwrap();
        let state = async || {
            let listed = world.listed(&session).await;
            let shown = format!(
                "{} {}",
                listed[0]["status"].as_str().unwrap(),
                listed[0]["blocked_reason"].as_str().unwrap_or_default()
            );
            let offered = world.widget(url).await.contains("class=\"price\"");
            (shown, offered)
        };
        assert_eq!(state().await, ("ACTIVE ".to_owned(), true));
        for (path, cause, reason, cure) in causes(world) {
            let path = &path;
            world.merchant_sets(path, &cause).await;
            // Nobody is offered it, and its reseller is shown why, before any job was there.
            let blocked = format!("BLOCKED {reason}");
            assert_eq!(state().await, (blocked.clone(), false), "{cause}");
            review(app).await.unwrap();
            assert_eq!(world.stored(&made), blocked);
            review(app).await.unwrap();
            world.merchant_sets(path, &cure).await;
            assert_eq!(state().await, ("ACTIVE ".to_owned(), true), "{cure}");
            review(app).await.unwrap();
            assert_eq!(world.stored(&made), "ACTIVE");
        }
        let mails = world.scalar("SELECT COUNT(*) FROM mails WHERE kind = 'listing-blocked'");
        assert_eq!(mails, "7");
        let letters = world.letters().await;
        let letter = letters
            .iter()
            .find(|letter| letter.subject.contains("is blocked"))
            .unwrap();
        assert_eq!(letter.to, EMAIL);
        assert!(
            letter
                .text
                .contains("Antivirus Plus, 1 year at Lumen Software"),
            "{}",
            letter.text
        );
    });
}

#[test]
fn blocked_listing_comes_back_as_it_was_or_with_another_price() {
    with_world(async |world| {
        world.sql(LISTABLE);
        let session = world.as_reseller(CODE, EMAIL).await;
        let made = world
            .list_at(&session, "Antivirus", "39.99")
            .await
            .data(201);
        let change = async |body: Value| world.change_listing(&session, &made, &body).await;
        assert_eq!(
            change(json!({"status": "PAUSED"})).await.data(200)["status"],
            "PAUSED"
        );
        let again = change(json!({"status": "PAUSED"})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let product = format!("/dev/v1/products/{}", world.product("Antivirus").id);
        world
            .merchant_sets(&product, &json!({"base_price": "60.00"}))
            .await;
        review(world.server.app()).await.unwrap();
        assert_eq!(world.stored(&made), "BLOCKED BELOW_FLOOR");
        change(json!({"status": "ACTIVE"}))
            .await
            .refused(422, "PRICE_OUT_OF_RANGE");
        change(json!({"price": "50.99"}))
            .await
            .refused(422, "PRICE_OUT_OF_RANGE");
        let paused = change(json!({"price": "51.00"})).await.data(200);
        assert_eq!(
            (&paused["status"], &paused["price"]),
            (&json!("PAUSED"), &json!("51.00"))
        );
        let active = change(json!({"status": "ACTIVE", "price": "52.00"}))
            .await
            .data(200);
        assert_eq!(
            (&active["status"], &active["expected_margin"]),
            (&json!("ACTIVE"), &json!("1.00"))
        );
        world
            .merchant_sets(&product, &json!({"base_price": "70.00"}))
            .await;
        let archived = change(json!({"status": "ARCHIVED"})).await.data(200);
        assert_eq!(
            (&archived["status"], &archived["blocked_reason"]),
            (&json!("ARCHIVED"), &Value::Null)
        );
        let snippet = format!("/{}/snippet", id(&made));
        let snippet = world.own_listings(&session, "GET", &snippet).send().await;
        snippet.refused(409, "INVALID_STATE");
    });
}

#[test]
fn token_of_something_else_offers_no_listing() {
    with_world(async |world| {
        world.sql(LISTABLE);
        let session = world.as_reseller(CODE, EMAIL).await;
        let made = world
            .list_at(&session, "Antivirus", "39.99")
            .await
            .data(201);
        let other = world
            .list_at(&session, "Gift card", "12.00")
            .await
            .data(201);
        let url_of = async |listing: &Value| {
            let path = format!("/{}/snippet?flavor=link", id(listing));
            let placed = world
                .own_listings(&session, "GET", &path)
                .send()
                .await
                .data(200);
            placed["snippet"].as_str().unwrap().to_owned()
        };
        let (url, foreign) = (url_of(&made).await, url_of(&other).await);
        let page = world.widget(&url).await;
        let (address, token) = url.split_once("?t=").unwrap();
        assert!(page.contains("39.99 USD"), "{page}");
        let buy = format!("https://consign.example/checkout/l/{}?t={token}", id(&made));
        assert!(page.contains(&buy), "{page}");
        let (_, strange) = foreign.split_once("?t=").unwrap();
        for wrong in [
            address.to_owned(),
            format!("{address}?t={token}0"),
            format!("{address}?t={strange}"),
            format!("{address}?t={}", token.replace("lst_", "cmp_")),
        ] {
            let page = world.widget(&wrong).await;
            assert!(
                page.contains("not available") && !page.contains("Lumen"),
                "{wrong}: {page}"
            );
        }
        let campaign = format!("/embed/{}?t={token}", id(&made));
        assert_eq!(world.call("GET", &campaign).send().await.status, 404);
        let loader = world.call(
            "GET",
            &format!("{address}.js").replace("https://consign.example", ""),
        );
        assert!(
            loader
                .send()
                .await
                .text()
                .contains(&format!("{address}?t="))
        );
        let html = world
            .own_listings(&session, "GET", &format!("/{}/snippet", id(&made)))
            .send()
            .await;
        assert!(
            html.data(200)["snippet"]
                .as_str()
                .unwrap()
                .contains(&format!("{address}.js"))
        );
        world.sql("UPDATE relationships SET status = 'TERMINATED' WHERE code = 'demo-both'");
        assert!(world.widget(&url).await.contains("not available"));
    });
}

#[test]
fn listings_that_race_are_one_and_a_variant_is_another() {
    with_world(async |world| {
        world.sql(LISTABLE);
        let session = world.as_reseller(CODE, EMAIL).await;
        let racing = (0..6).map(|_| world.list_at(&session, "Antivirus", "39.99"));
        let replies = join_all(racing).await;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!((made, replies.len()), (1, 6));
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            reply.refused(409, "ALREADY_EXISTS");
        }
        let starfall = world.product("Starfall");
        for variant in &starfall.variants[..2] {
            let body = json!({
                "product_id": starfall.id.to_string(), "variant_id": variant.id.to_string(),
                "price": "55.00",
            });
            let list = || world.own_listings(&session, "POST", "").json(&body).send();
            let made = list().await.data(201);
            assert_eq!(made["variant_title"], variant.title);
            list().await.refused(409, "ALREADY_EXISTS");
        }
        assert_eq!(world.scalar("SELECT COUNT(*) FROM listings"), "3");
        let facts = world
            .scalar("SELECT COUNT(*) FROM event_outbox WHERE fact->>'fact' = 'listing_blocked'");
        assert_eq!(facts, "0");
    });
}
