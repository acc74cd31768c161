//! Pages and who comes to them: what a browser sends is no price, a token opens one page, a text is no markup.

use api::checkout::forget_visits;
use serde_json::{Value, json};

use crate::{
    checkout::{after, is_page, location},
    support::{Reply, World, with_world},
};

const CODE: &str = "demo-both";
const ANN: &str = "ann%40example.com";

impl World {
    async fn start_visit(&self, body: Value) -> Reply {
        let call = self.call("POST", "/dev/v1/checkout/sessions");
        call.key(&self.merchant_key()).json(&body).send().await
    }
}

#[test]
fn nothing_that_a_browser_sends_is_a_price_or_a_reseller() {
    with_world(async |world| {
        let product = world.antivirus();
        let begin = format!("/checkout/p/{product}");
        let visit = world.visit(&product, "quantity=1", "").await;
        let before = world.purchases_made();
        for field in [
            "price",
            "unit_price",
            "total",
            "reseller_id",
            "relationship_id",
            "consign_ref",
        ] {
            for path in [&begin, &visit] {
                let form = format!("email={ANN}&{field}=1");
                let page = is_page(&world.submit(path, &form).await, 422);
                assert!(page.contains(field), "{page}");
            }
        }
        for form in [
            "quantity=0",
            "quantity=21",
            "quantity=x",
            "email=nobody",
            "product_id=prd_1",
        ] {
            is_page(&world.submit(&begin, form).await, 422);
        }
        for form in [
            "coin=BANK",
            "email=nobody&coin=BANK",
            "email=ann%40example.com&coin=GOLD",
        ] {
            is_page(&world.submit(&visit, form).await, 422);
        }
        let json = world
            .call("POST", &begin)
            .json(&json!({"quantity": 1}))
            .send()
            .await;
        json.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        assert_eq!(world.purchases_made(), before);
        let forged = format!(
            "consign_ref=ca1.1.{}.1.{}",
            world.reseller(CODE).id.link(),
            "0".repeat(32)
        );
        world.invoiced(1, ANN, &forged).await;
        assert_eq!(world.newest().await["reseller_id"], Value::Null);
    });
}

#[test]
fn token_that_was_changed_opens_nothing() {
    with_world(async |world| {
        let invoice = world.invoiced(1, ANN, "").await;
        let changed = |path: &str| {
            let last = if path.ends_with('0') { '1' } else { '0' };
            format!("{}{last}", &path[..path.len() - 1])
        };
        let visit = world.visit(&world.antivirus(), "quantity=1", "").await;
        for path in [
            changed(&invoice),
            changed(&visit),
            invoice.replace("/invoice/", "/delivery/"),
            invoice.replace("/invoice/", "/checkout/"),
            visit.replace("/checkout/", "/invoice/"),
            "/invoice/x".to_owned(),
            "/delivery/x".to_owned(),
            "/checkout/x".to_owned(),
            "/checkout/p/x".to_owned(),
        ] {
            is_page(&world.see(&path).await, 404);
        }
        is_page(
            &world
                .submit(&format!("{}/reveal", changed(&invoice)), "")
                .await,
            404,
        );
        let stored = world.scalar("SELECT string_agg(to_jsonb(i)::text, '') FROM invoices AS i");
        let (_, token) = invoice.rsplit_once('/').unwrap();
        assert!(!stored.contains(token) && !stored.contains("ann@example.com"));
    });
}

#[test]
fn visit_is_over_after_an_hour_and_forgotten_after_a_day() {
    with_world(async |world| {
        let visit = world.visit(&world.antivirus(), "quantity=1", "").await;
        world.sql("UPDATE checkout_sessions SET expires_at = now()");
        is_page(&world.see(&visit).await, 410);
        is_page(
            &world
                .submit(&visit, &format!("email={ANN}&coin=BANK"))
                .await,
            410,
        );
        let app = world.server.app();
        assert_eq!(forget_visits(app, after(60)).await.unwrap(), 0);
        assert_eq!(forget_visits(app, after(25 * 60)).await.unwrap(), 1);
        is_page(&world.see(&visit).await, 404);
    });
}

#[test]
fn merchants_shop_sends_a_customer_to_a_visit() {
    with_world(async |world| {
        world.selling();
        world.sql("UPDATE programs SET redirect_hosts = '{pages.example,shop.example}'");
        let token = world.token(CODE).await;
        let product = world.antivirus();
        let body = json!({
            "product_id": product, "quantity": 1, "attribution_token": token,
            "customer_email": "Ann@Example.com", "success_url": "https://shop.example/thanks",
            "cancel_url": "https://pages.example/back?a=1&b=2",
        });
        let key = world.merchant_key();
        let start = || {
            let call = world.call("POST", "/dev/v1/checkout/sessions").key(&key);
            call.header("idempotency-key", "one").json(&body).send()
        };
        let session = start().await.data(201);
        assert_eq!(session["status"], "OPEN");
        // As after a crash between the commit and the answer that is kept.
        world.sql("DELETE FROM idempotency_keys");
        assert_eq!(start().await.data(201)["url"], session["url"]);
        assert_eq!(world.scalar("SELECT COUNT(*) FROM checkout_sessions"), "1");
        let url = session["url"].as_str().unwrap();
        let visit = url.strip_prefix("https://consign.example").unwrap();
        let page = is_page(&world.see(visit).await, 200);
        assert!(
            page.contains("https://pages.example/back?a=1&amp;b=2"),
            "{page}"
        );
        assert!(page.contains("value=\"ann@example.com\""));
        let invoice = location(&world.submit(visit, &format!("email={ANN}&coin=BANK")).await);
        assert_eq!(
            world.newest().await["reseller_id"],
            world.reseller(CODE).id.to_string()
        );
        world.pay(&world.newest().await).await;
        let page = is_page(&world.see(&invoice).await, 200);
        assert!(page.contains("https://shop.example/thanks"), "{page}");

        for (field, value) in [
            ("success_url", json!("https://evil.example/")),
            ("cancel_url", json!("http://shop.example/")),
            ("success_url", json!("javascript:alert(1)")),
            ("quantity", json!(21)),
            ("price", json!("1.00")),
        ] {
            let mut body = json!({"product_id": product, "quantity": 1});
            body[field] = value;
            world
                .start_visit(body)
                .await
                .refused(422, "VALIDATION_ERROR");
        }
        let foreign = world.another_merchant().await.products[0].id.to_string();
        let body = json!({"product_id": foreign, "quantity": 1});
        world.start_visit(body).await.refused(404, "NOT_FOUND");
        world.sql("UPDATE products SET status = 'DISABLED'");
        let other = world.product("Gift card").id.to_string();
        let body = json!({"product_id": other, "quantity": 1});
        world
            .start_visit(body)
            .await
            .refused(403, "PRODUCT_NOT_ALLOWED");
    });
}

#[test]
fn text_of_a_merchant_or_a_customer_is_no_markup() {
    with_world(async |world| {
        let product = world.antivirus();
        let markup = "<b title=\"x\">&</b>";
        world.sql(&format!("UPDATE merchants SET name = '{markup}'"));
        world.sql(&format!(
            "UPDATE payment_methods SET instructions = '{markup}'"
        ));
        let change = world.call("PATCH", &format!("/dev/v1/products/{product}"));
        let field =
            json!([{"name": "Who", "type": "TEXT", "required": true, "placeholder": markup}]);
        let change = change.key(&world.merchant_key());
        let change = change.json(&json!({"title": markup, "custom_fields": field}));
        change.send().await.data(200);
        let mut pages = vec![is_page(
            &world.see(&format!("/checkout/p/{product}")).await,
            200,
        )];
        let visit = world.visit(&product, "quantity=1", "").await;
        pages.push(is_page(&world.see(&visit).await, 200));
        let form = format!("email={ANN}&coin=BANK");
        is_page(&world.submit(&visit, &form).await, 422);
        let form = format!("{form}&custom_fields%5BWho%5D=%3Cb%3E%26");
        let invoice = location(&world.submit(&visit, &form).await);
        pages.push(is_page(&world.see(&invoice).await, 200));
        let open = world.newest().await;
        assert_eq!(open["lines"][0]["custom_fields"]["Who"], "<b>&");
        world.pay(&open).await;
        pages.push(is_page(
            &world.submit(&format!("{invoice}/reveal"), "").await,
            200,
        ));
        for page in pages {
            assert!(
                !page.contains("<b ") && !page.contains("<b>") && page.contains("&lt;b"),
                "{page}"
            );
            assert!(
                !page.contains("&amp;lt;"),
                "nothing is escaped twice: {page}"
            );
        }
    });
}

#[test]
fn cart_that_costs_more_than_an_amount_can_be_is_asked_of_nobody() {
    with_world(async |world| {
        for title in ["Antivirus", "Gift"] {
            let path = format!("/dev/v1/products/{}", world.product(title).id);
            let dear = world.call("PATCH", &path).key(&world.merchant_key());
            let dear = dear.json(&json!({"base_price": "9999999999.99"}));
            dear.send().await.data(200);
        }
        let first = world.antivirus();
        let form = format!("quantity=1&email={ANN}");
        let visit = world.visit(&first, &form, "").await;
        is_page(&world.see(&visit).await, 200);
        let second = format!("product={}&quantity=1", world.product("Gift").id);
        let added = world.submit(&format!("{visit}/add"), &second).await;
        assert_eq!(location(&added), visit);
        let yes = format!("email={ANN}&coin=BANK");
        for page in [world.see(&visit).await, world.submit(&visit, &yes).await] {
            let page = is_page(&page, 422);
            assert!(page.contains("quantity"), "{page}");
        }
        assert_eq!(world.scalar("SELECT COUNT(*) FROM invoices"), "0");
    });
}

#[test]
fn what_a_shop_sends_with_a_visit_is_told_with_its_invoice() {
    with_world(async |world| {
        let sent = json!({"basket": "1042", "note": "gift wrap"});
        let visit_with = |metadata: Value| json!({"product_id": world.antivirus(), "quantity": 1, "metadata": metadata});
        let session = world.start_visit(visit_with(sent.clone())).await.data(201);
        assert_eq!(session["metadata"], sent);
        let url = session["url"].as_str().unwrap();
        let visit = url.strip_prefix("https://consign.example").unwrap();
        let page = is_page(&world.see(visit).await, 200);
        assert!(!page.contains("gift wrap"), "it is the shop's: {page}");
        location(&world.submit(visit, &format!("email={ANN}&coin=BANK")).await);
        let open = world.newest().await;
        assert_eq!(open["metadata"], sent);
        assert_eq!(world.pay(&open).await["metadata"], sent);
        let told = world.call("GET", "/dev/v1/events?types=invoice:updated&wait=20");
        let told = told.key(&world.merchant_key()).send().await.data(200);
        assert_eq!(told[0]["data"]["metadata"], sent);

        // Who begins a visit by a page sends none.
        world.invoiced(1, ANN, "").await;
        assert_eq!(world.newest().await["metadata"], json!({}));

        let many: serde_json::Map<_, _> = (0..21).map(|n| (n.to_string(), json!("x"))).collect();
        let before = world.scalar("SELECT COUNT(*) FROM checkout_sessions");
        for wrong in [
            Value::from(many),
            json!({"a": "x".repeat(2048)}),
            json!({"a": "b\u{0}"}),
            json!({"a": 1}),
        ] {
            let refused = world.start_visit(visit_with(wrong)).await;
            let refused = refused.refused(422, "VALIDATION_ERROR");
            let field = refused["details"][0]["field"].as_str().unwrap();
            assert!(field.starts_with("metadata"), "{refused}");
        }
        let after = world.scalar("SELECT COUNT(*) FROM checkout_sessions");
        assert_eq!(after, before);
    });
}
