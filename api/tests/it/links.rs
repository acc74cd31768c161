//! Links are made, changed and stopped by their reseller and the merchant; a code is one link's.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    checkout::{is_page, location},
    support::{Call, Reply, World, with_world},
};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
const HOSTS: &str = "UPDATE programs SET redirect_hosts = '{pages.example}'";

impl World {
    fn own_links(&self, session: &str, method: &'static str, path: &str) -> Call {
        let reseller = self.reseller(CODE).id;
        let path = format!("/programs/{reseller}/links{path}");
        self.page(method, &path).header("cookie", session)
    }

    async fn make_link(&self, session: &str, body: &Value) -> Reply {
        let call = self.own_links(session, "POST", "");
        call.json(body).send().await
    }

    async fn change_link(&self, session: &str, link: &Value, body: &Value) -> Reply {
        let path = format!("/{}", link["id"].as_str().unwrap());
        let call = self.own_links(session, "PATCH", &path);
        call.json(body).send().await
    }

    /// Where somebody ends up who follows the link with this code.
    async fn led(&self, code: &str) -> String {
        let call = self.call("GET", &format!("/r/{code}"));
        let reply = call.header("user-agent", "Firefox").send().await;
        assert_eq!(reply.status, 302, "{code}");
        reply.header("location").unwrap().to_owned()
    }
}

#[test]
fn links_are_made_led_and_counted() {
    with_world(async |world| {
        world.selling();
        world.sql(HOSTS);
        let session = world.as_reseller(CODE, EMAIL).await;
        let video = json!({"name": "Video", "code": "max-video", "target_url": "https://pages.example/a?b=c"});
        let made = world.make_link(&session, &video).await.data(201);
        assert_eq!(made["url"], "https://consign.example/r/max-video");
        assert_eq!(
            (&made["is_default"], &made["status"]),
            (&json!(false), &json!("ACTIVE"))
        );
        assert_eq!(made["target_url"], "https://pages.example/a?b=c");
        assert_eq!(made["leads_to"], "https://pages.example/a?b=c");
        assert!(
            world
                .led("max-video")
                .await
                .starts_with("https://pages.example/a?b=c&consign_ref=ca1.")
        );

        let product = world.product("Antivirus").id.to_string();
        let random = json!({"name": "Chat", "target_product_id": product});
        let chat = world.make_link(&session, &random).await.data(201);
        let code = chat["code"].as_str().unwrap();
        assert_eq!(code.len(), 8);
        let led = world.led(code).await;
        assert!(
            led.contains(&format!("consign_product={product}&consign_ref=ca1.")),
            "{led}"
        );

        let token = world.token("max-video").await;
        let sale = world
            .report(&token, "INV-1", json!({"discount": "5.00"}))
            .await
            .data(201);
        assert_eq!(sale["source"]["name"], "Video");
        let listed = world.own_links(&session, "GET", "").send().await.json()["data"].clone();
        let names: Vec<_> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].clone())
            .collect();
        assert_eq!(names, ["Chat", "Video", "Default"]);
        let video = &listed[1];
        assert_eq!((&video["clicks"], &video["sales"]), (&json!(2), &json!(1)));
        assert_eq!(
            (&video["revenue"], &video["commission"]),
            (&json!("15.00"), &json!("1.50"))
        );
        assert_eq!(
            (&listed[2]["is_default"], &listed[2]["code"]),
            (&json!(true), &json!(CODE))
        );
        let seen = world
            .dev_of(CODE, "GET", "links?limit=1")
            .send()
            .await
            .json();
        assert_eq!(
            (&seen["data"][0], &seen["pagination"]["has_more"]),
            (&listed[0], &json!(true))
        );
        let cursor = seen["pagination"]["next_cursor"].as_str().unwrap();
        let path = format!("links?limit=1&cursor={cursor}");
        let second = world.dev_of(CODE, "GET", &path).send().await.json();
        assert_eq!(second["data"][0], listed[1]);
    });
}

#[test]
fn code_is_one_links_in_the_whole_installation() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        for taken in [CODE, "demo-auto"] {
            let body = json!({"name": "Mine", "code": taken});
            world
                .make_link(&session, &body)
                .await
                .refused(409, "ALREADY_EXISTS");
        }
        let body = json!({"name": "Mine", "code": "max-shop"});
        world.make_link(&session, &body).await.data(201);
        world
            .make_link(&session, &body)
            .await
            .refused(409, "ALREADY_EXISTS");
        let rename = |code: &str| {
            let call = world
                .dev_of("demo-auto", "PATCH", "")
                .json(&json!({"code": code}));
            call.send()
        };
        rename("max-shop").await.refused(409, "ALREADY_EXISTS");
        // What a relationship gives up is free again.
        rename("auto-shop").await.data(200);
        let freed = json!({"name": "Freed", "code": "demo-auto"});
        world.make_link(&session, &freed).await.data(201);
        rename("demo-auto").await.refused(409, "ALREADY_EXISTS");
        let racing = (0..8).map(|number| {
            let (world, session) = (&world, &session);
            async move {
                let body = json!({"name": format!("Race {number}"), "code": "the-race"});
                world.make_link(session, &body).await.status.as_u16()
            }
        });
        let mut statuses = join_all(racing).await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], &statuses[1..]), (201, &[409; 7][..]));
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM link_codes WHERE code = 'the-race'"),
            "1"
        );
    });
}

#[test]
fn what_a_link_may_not_be_is_refused() {
    with_world(async |world| {
        world.selling();
        world.sql(HOSTS);
        let session = world.as_reseller(CODE, EMAIL).await;
        let check = async |more: Value, code: &str| {
            let mut body = json!({"name": "Link"});
            body.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let reply = world.make_link(&session, &body).await;
            assert_eq!(reply.json()["error"]["code"], code, "{body}");
        };
        let product = world.product("Antivirus").id.to_string();
        check(json!({"name": " "}), "VALIDATION_ERROR").await;
        check(json!({"name": "x".repeat(81)}), "VALIDATION_ERROR").await;
        check(json!({"code": "abc"}), "VALIDATION_ERROR").await;
        check(json!({"code": "Max-Video"}), "VALIDATION_ERROR").await;
        check(json!({"price": "1.00"}), "VALIDATION_ERROR").await;
        for url in [
            "https://evil.example/",
            "http://pages.example/",
            "https://pages.example@evil.example/",
            "x",
        ] {
            check(json!({"target_url": url}), "VALIDATION_ERROR").await;
        }
        let both = json!({"target_url": "https://pages.example/", "target_product_id": product});
        check(both, "VALIDATION_ERROR").await;
        let foreign = world.another_merchant().await.products[0].id.to_string();
        for unknown in [&foreign[..], "prd_00000000000000000000000000", "x"] {
            check(json!({"target_product_id": unknown}), "PRODUCT_NOT_ALLOWED").await;
        }
        world.sql("UPDATE relationships SET product_scope = 'SELECTED'");
        world.sql("UPDATE product_access SET revoked_at = now()");
        check(json!({"target_product_id": product}), "PRODUCT_NOT_ALLOWED").await;
        world.sql("UPDATE relationships SET mode = 'STOCK'");
        check(json!({}), "MODE_NOT_ALLOWED").await;
        world.sql("UPDATE relationships SET status = 'SUSPENDED', status_reason = 'Spam.'");
        check(json!({}), "RELATIONSHIP_INACTIVE").await;
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM links WHERE code IS NOT NULL"),
            "0"
        );
    });
}

#[test]
fn link_is_paused_resumed_and_revoked_for_good() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let body = json!({"name": "Poster", "code": "max-poster"});
        let made = world.make_link(&session, &body).await.data(201);
        let token = world.token("max-poster").await;
        let paused = world
            .change_link(&session, &made, &json!({"status": "paused"}))
            .await;
        assert_eq!(paused.data(200)["status"], "PAUSED");
        assert_eq!(
            world.led("max-poster").await,
            "https://shop.example/start?x=1"
        );
        let again = world
            .change_link(&session, &made, &json!({"status": "PAUSED"}))
            .await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let renamed = json!({"status": "ACTIVE", "name": "Big poster"});
        let renamed = world.change_link(&session, &made, &renamed).await.data(200);
        assert_eq!(renamed["name"], "Big poster");
        assert!(world.led("max-poster").await.contains("consign_ref="));

        // The merchant stops it, also while the reseller may do nothing.
        world.sql("UPDATE relationships SET status = 'SUSPENDED' WHERE code = 'demo-both'");
        let more = world
            .change_link(&session, &made, &json!({"name": "More"}))
            .await;
        more.refused(403, "RELATIONSHIP_INACTIVE");
        let path = format!("links/{}", made["id"].as_str().unwrap());
        let stop = world
            .dev_of(CODE, "PATCH", &path)
            .json(&json!({"status": "REVOKED"}));
        assert_eq!(stop.send().await.data(200)["status"], "REVOKED");
        world.sql("UPDATE relationships SET status = 'ACTIVE' WHERE code = 'demo-both'");
        let back = world
            .change_link(&session, &made, &json!({"status": "ACTIVE"}))
            .await;
        back.refused(409, "INVALID_STATE");
        let told = world.report(&token, "INV-1", json!({})).await.data(200);
        assert_eq!(told["reason"], "LINK_REVOKED");
        let deeds = world.scalar("SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log");
        assert!(
            deeds.contains("link.create link.update link.update link.update"),
            "{deeds}"
        );

        let listed = world.own_links(&session, "GET", "").send().await.json()["data"].clone();
        let own = listed
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["is_default"] == true)
            .unwrap();
        let revoke = world
            .change_link(&session, own, &json!({"status": "REVOKED"}))
            .await;
        revoke.refused(409, "INVALID_STATE");
        let pause = world
            .change_link(&session, own, &json!({"status": "PAUSED"}))
            .await;
        assert_eq!(pause.data(200)["status"], "PAUSED");
    });
}

#[test]
fn link_of_a_merchant_without_a_shop_leads_to_its_product_here() {
    with_world(async |world| {
        world.sql("UPDATE programs SET commission_percent = 1000");
        let session = world.as_reseller(CODE, EMAIL).await;
        let product = world.antivirus();
        let page = format!("/checkout/p/{product}");
        let mut cookie = String::new();
        for name in ["Poster", "Blog"] {
            let body = json!({"name": name, "target_product_id": product});
            let made = world.make_link(&session, &body).await.data(201);
            assert_eq!(made["leads_to"], format!("https://consign.example{page}"));
            let call = world.call("GET", &format!("/r/{}", made["code"].as_str().unwrap()));
            let call = call.header("user-agent", "Firefox");
            let reply = call.header("cookie", &cookie).send().await;
            assert_eq!(
                (reply.status.as_u16(), reply.header("location")),
                (302, Some(&*page))
            );
            cookie = reply.cookie();
        }
        // A query that somebody put into an address is no part of what its form sends.
        let shown = is_page(&world.see(&format!("{page}?utm_source=blog")).await, 200);
        assert!(shown.contains(&format!("action=\"{page}\"")), "{shown}");
        let visit = world.visit(&product, "quantity=1", &cookie).await;
        let shown = is_page(&world.see(&format!("{visit}?utm_source=blog")).await, 200);
        assert!(shown.contains(&format!("action=\"{visit}\"")), "{shown}");
        let yes = "email=ann%40example.com&coin=BANK";
        location(&world.submit(&visit, yes).await);
        world.pay(&world.newest().await).await;
        let sales = world.dev_of(CODE, "GET", "sales").send().await.data(200);
        let last = (
            &sales[0]["source"]["name"],
            &sales[0]["commission"]["amount"],
        );
        assert_eq!(last, (&json!("Blog"), &json!("3.00")));
        let listed = world.own_links(&session, "GET", "").send().await.data(200);
        let last = (&listed[2]["is_default"], &listed[2]["leads_to"]);
        assert_eq!(last, (&json!(true), &Value::Null));
        let default = world.call("GET", &format!("/r/{CODE}"));
        let default = default.header("user-agent", "Firefox").send().await;
        assert_eq!(default.status, 404, "it has neither a shop nor a product");
    });
}

#[test]
fn link_is_led_elsewhere_and_back_to_the_shop() {
    with_world(async |world| {
        world.selling();
        world.sql(HOSTS);
        let session = world.as_reseller(CODE, EMAIL).await;
        let body = json!({"name": "Bio", "code": "max-bio"});
        let made = world.make_link(&session, &body).await.data(201);
        let product = world.product("Antivirus").id.to_string();
        let change = async |body: Value| world.change_link(&session, &made, &body).await.data(200);
        let to_product = change(json!({"target_product_id": product})).await;
        assert_eq!(
            (&to_product["target_product_id"], &to_product["target_url"]),
            (&json!(product), &Value::Null)
        );
        let to_url = change(json!({"target_url": "https://pages.example/"})).await;
        assert_eq!(
            (&to_url["target_product_id"], &to_url["target_url"]),
            (&Value::Null, &json!("https://pages.example/"))
        );
        // What the merchant allows no more is led to no more.
        world.sql("UPDATE programs SET redirect_hosts = '{}'");
        let shown = world.own_links(&session, "GET", "").send().await.data(200);
        let shown = (&shown[0]["target_url"], &shown[0]["leads_to"]);
        let shop = json!("https://shop.example/start?x=1");
        assert_eq!(shown, (&json!("https://pages.example/"), &shop));
        assert!(
            world
                .led("max-bio")
                .await
                .starts_with("https://shop.example/")
        );
        let shop = change(json!({"target_url": null})).await;
        assert_eq!(
            (&shop["target_product_id"], &shop["target_url"]),
            (&Value::Null, &Value::Null)
        );
        let elsewhere = json!({"target_url": "https://pages.example/"});
        world
            .change_link(&session, &made, &elsewhere)
            .await
            .refused(422, "VALIDATION_ERROR");
    });
}

#[test]
fn two_hundred_links_live_at_most_and_the_last_is_made_once() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        world.sql(
            "INSERT INTO links (link_id, merchant_id, relationship_id, name, code, status, created_at,
               updated_at)
             SELECT gen_random_uuid(), merchant_id, relationship_id, 'n', 'many-' || n, 'ACTIVE',
               now(), now()
             FROM relationships, generate_series(1, 198) AS n WHERE code = 'demo-both'",
        );
        let racing = (0..4).map(|number| {
            let (world, session) = (&world, &session);
            async move {
                let body = json!({"name": format!("Last {number}")});
                world.make_link(session, &body).await
            }
        });
        let replies = join_all(racing).await;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(made, 1);
        let late = replies.iter().find(|reply| reply.status != 201).unwrap();
        late.refused(409, "INVALID_STATE");
        world.sql("UPDATE links SET status = 'REVOKED' WHERE code = 'many-1'");
        world
            .make_link(&session, &json!({"name": "One more"}))
            .await
            .data(201);
    });
}
