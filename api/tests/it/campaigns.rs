//! Campaigns are made, placed and stopped; a widget shows what its row says, and to a wrong token nothing.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Call, Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";

impl World {
    pub(crate) fn own_campaigns(&self, session: &str, method: &'static str, path: &str) -> Call {
        let reseller = self.reseller(CODE).id;
        let path = format!("/programs/{reseller}/embed-campaigns{path}");
        self.page(method, &path).header("cookie", session)
    }

    pub(crate) async fn make_campaign(&self, session: &str, body: &Value) -> Reply {
        let call = self.own_campaigns(session, "POST", "");
        call.json(body).send().await
    }

    pub(crate) async fn change_campaign(
        &self,
        session: &str,
        campaign: &Value,
        body: &Value,
    ) -> Reply {
        let call = self.own_campaigns(session, "PATCH", &format!("/{}", id(campaign)));
        call.json(body).send().await
    }

    pub(crate) async fn snippet(&self, session: &str, campaign: &Value, flavor: &str) -> Value {
        let path = format!("/{}/snippet?flavor={flavor}", id(campaign));
        let call = self.own_campaigns(session, "GET", &path);
        call.send().await.data(200)
    }

    /// The page that a frame shows with this address.
    async fn framed(&self, url: &str) -> Reply {
        let path = url.strip_prefix("https://consign.example").unwrap_or(url);
        let call = self.call("GET", path).header("user-agent", BROWSER);
        let call = call.header("sec-fetch-dest", "iframe");
        call.header("sec-fetch-mode", "navigate").send().await
    }

    async fn shows_nothing(&self, url: &str) {
        let reply = self.framed(url).await;
        assert_eq!(reply.status, 200, "{url}");
        let page = reply.text();
        assert!(page.contains("not available"), "{url}: {page}");
        assert!(
            !page.contains("Buy") && !page.contains("Lumen"),
            "{url}: {page}"
        );
    }
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

fn policy(reply: &Reply) -> &str {
    reply.header("content-security-policy").unwrap()
}

#[test]
fn campaign_is_placed_and_shows_what_its_row_says() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let product = world.product("Antivirus");
        let body = json!({
            "name": "Blog", "product_ids": [product.id.to_string()],
            "allowed_origins": ["https://Blog.example/", "https://forum.example:8443"],
        });
        let made = world.make_campaign(&session, &body).await.data(201);
        assert_eq!(
            (&made["status"], &made["token_version"]),
            (&json!("ACTIVE"), &json!(1))
        );
        let origins = json!(["https://blog.example", "https://forum.example:8443"]);
        assert_eq!(made["allowed_origins"], origins);
        let placed = world.snippet(&session, &made, "link").await;
        assert_eq!(
            (&placed["snippet"], &placed["token_version"]),
            (&placed["preview_url"], &json!(1))
        );
        let url = placed["snippet"].as_str().unwrap();
        let react = world.snippet(&session, &made, "react").await;
        assert!(
            react["snippet"]
                .as_str()
                .unwrap()
                .starts_with("<iframe title=")
        );
        let widget = world.framed(url).await;
        assert_eq!(widget.status, 200);
        let ancestors = "frame-ancestors https://blog.example https://forum.example:8443";
        assert!(policy(&widget).ends_with(ancestors), "{}", policy(&widget));
        assert!(
            policy(&widget).contains("script-src 'none'"),
            "{}",
            policy(&widget)
        );
        assert_eq!(widget.header("cache-control"), Some("no-store"));
        assert!(widget.header("set-cookie").is_none());
        let page = widget.text();
        let (_, token) = url.split_once("?t=").unwrap();
        let buy = format!(
            "/checkout/c/{}?t={token}&amp;product_id={}",
            id(&made),
            product.id
        );
        assert!(page.contains(&buy) && page.contains("Antivirus"), "{page}");
        assert_eq!(page.matches("class=\"buy\"").count(), 1);
        assert!(!page.contains("<script"));

        let seen = world
            .dev_of(CODE, "GET", "embed-campaigns")
            .send()
            .await
            .json();
        assert_eq!(
            (&seen["data"][0]["views"], &seen["data"][0]["id"]),
            (&json!(1), &made["id"])
        );
        let deeds = world.scalar("SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log");
        assert!(deeds.contains("campaign.create"), "{deeds}");
    });
}

#[test]
fn loader_frames_the_widget_and_is_the_same_for_everybody() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let made = world
            .make_campaign(&session, &json!({"name": "Blog"}))
            .await
            .data(201);
        let snippet = made["snippet"].as_str().unwrap();
        let script = format!(
            "<script src=\"https://consign.example/embed/{}.js\"",
            id(&made)
        );
        assert!(snippet.starts_with(&script), "{snippet}");
        let loader = world.framed(&format!("/embed/{}.js", id(&made))).await;
        assert_eq!(loader.header("cache-control"), Some("public, max-age=300"));
        assert!(
            loader
                .header("content-type")
                .unwrap()
                .starts_with("text/javascript")
        );
        assert!(
            loader
                .text()
                .contains(&format!("https://consign.example/embed/{}?t=", id(&made)))
        );
        assert!(loader.header("set-cookie").is_none());
    });
}

#[test]
fn wrong_token_shows_nothing_and_there_is_nothing_to_buy() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let made = world
            .make_campaign(&session, &json!({"name": "Blog"}))
            .await
            .data(201);
        let other = world
            .make_campaign(&session, &json!({"name": "Forum"}))
            .await
            .data(201);
        let url_of = async |campaign: &Value| {
            let placed = world.snippet(&session, campaign, "link").await;
            placed["preview_url"].as_str().unwrap().to_owned()
        };
        let (url, foreign) = (url_of(&made).await, url_of(&other).await);
        assert_eq!(
            world
                .framed(&url)
                .await
                .text()
                .matches("not available")
                .count(),
            0
        );
        let (page, token) = url.split_once("?t=").unwrap();
        let (_, strange) = foreign.split_once("?t=").unwrap();
        for wrong in [
            page.to_owned(),
            format!("{page}?t="),
            format!("{page}?t={}", &token[..token.len() - 1]),
            format!("{page}?t={token}0"),
            format!("{page}?t={}", token.replace(".1.1", ".1.2")),
            format!("{page}?t={}", token.replacen("ce1.1", "ce1.2", 1)),
            format!("{page}?t={strange}"),
            format!("/embed/cmp_00000000000000000000000000?t={token}"),
            format!("{page}?t=%3Cscript%3E"),
        ] {
            world.shows_nothing(&wrong).await;
        }
        for name in ["x", "cmp_x", "x.js", "lnk_00000000000000000000000000"] {
            assert_eq!(
                world.framed(&format!("/embed/{name}")).await.status,
                404,
                "{name}"
            );
        }
        let path = format!("/{}/rotate-token", id(&made));
        let rotated = world
            .own_campaigns(&session, "POST", &path)
            .json(&json!({}));
        let rotated = rotated.send().await.data(200);
        assert_eq!(rotated["token_version"], 2);
        world.shows_nothing(&url).await;
        let fresh = rotated["preview_url"].as_str().unwrap();
        assert!(world.framed(fresh).await.text().contains("class=\"buy\""));
        for off in [
            "UPDATE embed_campaigns SET status = 'PAUSED'",
            "UPDATE embed_campaigns SET status = 'REVOKED'",
            "UPDATE embed_campaigns SET status = 'ACTIVE'; UPDATE programs SET enabled = false",
            "UPDATE programs SET enabled = true; UPDATE relationships SET mode = 'STOCK'",
            "UPDATE relationships SET mode = 'BOTH', status = 'SUSPENDED'",
            "UPDATE relationships SET status = 'TERMINATED'",
        ] {
            world.sql(off);
            world.shows_nothing(fresh).await;
        }
    });
}

#[test]
fn who_buys_is_sent_on_with_a_token_that_makes_the_sale_the_campaigns() {
    with_world(async |world| {
        world.selling();
        world.sql("DELETE FROM payment_methods");
        let session = world.as_reseller(CODE, EMAIL).await;
        let product = world.product("Antivirus").id.to_string();
        let body = json!({"name": "Blog", "product_ids": [product]});
        let made = world.make_campaign(&session, &body).await.data(201);
        let placed = world.snippet(&session, &made, "link").await;
        let url = placed["preview_url"].as_str().unwrap();
        let (_, snippet) = url.split_once("?t=").unwrap();
        let buy = async |query: &str| {
            let path = format!("/checkout/c/{}?{query}", id(&made));
            let call = world.call("GET", &path).header("user-agent", BROWSER);
            call.send().await
        };
        // A merchant that takes no payments here sells in its own shop.
        let sent = buy(&format!("t={snippet}&product_id={product}")).await;
        assert_eq!(sent.status, 302);
        let location = sent.header("location").unwrap();
        let shop =
            format!("https://shop.example/start?x=1&consign_product={product}&consign_ref=ca1.");
        assert!(location.starts_with(&shop), "{location}");
        assert!(
            sent.header("set-cookie")
                .unwrap()
                .starts_with("consign_ref=ca1.")
        );
        let (_, token) = location.split_once("consign_ref=").unwrap();
        let sale = world
            .report(token, "INV-1", json!({"discount": "5.00"}))
            .await
            .data(201);
        assert_eq!(sale["source"]["name"], "Blog");
        let listed = world
            .dev_of(CODE, "GET", "embed-campaigns")
            .send()
            .await
            .json();
        let listed = &listed["data"][0];
        assert_eq!(
            (&listed["sales"], &listed["revenue"]),
            (&json!(1), &json!("15.00"))
        );
        assert_eq!(listed["commission"], "1.50");
        // It is no link that somebody made.
        let links = world.dev_of(CODE, "GET", "links").send().await.json();
        assert_eq!(links["data"].as_array().unwrap().len(), 1);

        let other = world.product("Gift card").id.to_string();
        for wrong in [
            format!("t={snippet}0&product_id={product}"),
            format!("t={snippet}&product_id={other}"),
            format!("t={snippet}&product_id={product}&variant_id=x"),
            format!("t={snippet}"),
        ] {
            let page = buy(&wrong).await;
            assert_eq!(page.status, 403, "{wrong}");
            assert!(page.text().contains("not available") && page.header("set-cookie").is_none());
        }
        world
            .change_campaign(&session, &made, &json!({"status": "REVOKED"}))
            .await
            .data(200);
        let told = world.report(token, "INV-2", json!({})).await.data(200);
        assert_eq!(told["reason"], "LINK_REVOKED");
    });
}

#[test]
fn widget_drops_what_may_no_longer_be_sold() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let product = world.product("Antivirus").id;
        let made = world
            .make_campaign(&session, &json!({"name": "All"}))
            .await
            .data(201);
        let placed = world.snippet(&session, &made, "link").await;
        let url = placed["preview_url"].as_str().unwrap();
        let shows = async || {
            let page = world.framed(url).await.text();
            (
                page.contains("Antivirus"),
                page.matches("class=\"buy\"").count(),
            )
        };
        let (shown, all) = shows().await;
        assert!(shown && all > 1, "{all}");
        assert_eq!(
            policy(&world.framed(url).await).rsplit(' ').next(),
            Some("https:")
        );
        let name = format!(
            "UPDATE products SET title = '<b>Anti & virus' WHERE product_id = '{}'",
            product.uuid()
        );
        world.sql(&name);
        assert!(
            world
                .framed(url)
                .await
                .text()
                .contains("&lt;b&gt;Anti &amp; virus")
        );
        world.sql(&name.replace("<b>Anti & virus", "Antivirus"));
        world.sql(&format!(
            "UPDATE products SET status = 'DISABLED' WHERE product_id = '{}'",
            product.uuid()
        ));
        assert!(!shows().await.0);
        world.sql("UPDATE products SET status = 'ACTIVE'");
        world.sql("UPDATE relationships SET product_scope = 'SELECTED'");
        assert!(shows().await.0);
        world.sql(&format!(
            "UPDATE product_access SET revoked_at = now() WHERE product_id = '{}'",
            product.uuid()
        ));
        assert!(!shows().await.0);
        world.sql("UPDATE product_access SET revoked_at = now()");
        let page = world.framed(url).await.text();
        assert!(page.contains("nothing on sale") && !page.contains("class=\"buy\""));
    });
}

#[test]
fn what_a_campaign_may_not_be_is_refused() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let check = async |more: Value, code: &str| {
            let mut body = json!({"name": "Blog"});
            body.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let reply = world.make_campaign(&session, &body).await;
            assert_eq!(reply.json()["error"]["code"], code, "{body}");
        };
        check(json!({"name": ""}), "VALIDATION_ERROR").await;
        check(json!({"price": "1.00"}), "VALIDATION_ERROR").await;
        check(json!({"relationship_id": "rel_x"}), "VALIDATION_ERROR").await;
        for origin in [
            "http://blog.example",
            "https://blog.example/path",
            "*",
            "https://blog.example; script-src *",
        ] {
            check(json!({"allowed_origins": [origin]}), "VALIDATION_ERROR").await;
        }
        let many: Vec<_> = (0..101).map(|_| "prd_00000000000000000000000000").collect();
        check(json!({"product_ids": many}), "VALIDATION_ERROR").await;
        let foreign = world.another_merchant().await.products[0].id.to_string();
        for unknown in [&foreign[..], "prd_00000000000000000000000000"] {
            check(json!({"product_ids": [unknown]}), "PRODUCT_NOT_ALLOWED").await;
        }
        check(
            json!({"variant_ids": ["var_00000000000000000000000000"]}),
            "PRODUCT_NOT_ALLOWED",
        )
        .await;
        let product = world.product("Antivirus").id.to_string();
        world.sql("UPDATE relationships SET product_scope = 'SELECTED'");
        world.sql("UPDATE product_access SET revoked_at = now()");
        check(json!({"product_ids": [product]}), "PRODUCT_NOT_ALLOWED").await;
        world.sql("UPDATE relationships SET mode = 'AUTO_FULFILLED'");
        check(json!({}), "MODE_NOT_ALLOWED").await;
        world.sql("UPDATE relationships SET status = 'SUSPENDED'");
        check(json!({}), "RELATIONSHIP_INACTIVE").await;
        assert_eq!(world.scalar("SELECT COUNT(*) FROM embed_campaigns"), "0");
    });
}

#[test]
fn campaign_is_limited_paused_and_revoked_for_good() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let made = world
            .make_campaign(&session, &json!({"name": "Blog"}))
            .await
            .data(201);
        let variant = world.scalar(
            "SELECT v.variant_id FROM variants AS v JOIN products AS p USING (product_id)
             WHERE p.status <> 'ARCHIVED' LIMIT 1",
        );
        let variant = engine::ids::VariantId::from_uuid(variant.parse().unwrap()).to_string();
        let change = async |body: Value| world.change_campaign(&session, &made, &body).await;
        let limited = change(json!({"name": "Forum", "variant_ids": [variant]}))
            .await
            .data(200);
        assert_eq!(
            (&limited["name"], &limited["variant_ids"]),
            (&json!("Forum"), &json!([variant]))
        );
        let placed = world.snippet(&session, &made, "link").await;
        let page = world
            .framed(placed["preview_url"].as_str().unwrap())
            .await
            .text();
        assert_eq!(page.matches("class=\"buy\"").count(), 1);
        assert!(
            page.contains(&format!("&amp;variant_id={variant}")),
            "{page}"
        );
        let paused = change(json!({"status": "PAUSED"})).await.data(200);
        assert_eq!(paused["status"], "PAUSED");
        let again = change(json!({"status": "PAUSED"})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(
            change(json!({"status": "ACTIVE"})).await.data(200)["status"],
            "ACTIVE"
        );

        world.sql("UPDATE relationships SET status = 'SUSPENDED' WHERE code = 'demo-both'");
        change(json!({"name": "More"}))
            .await
            .refused(403, "RELATIONSHIP_INACTIVE");
        let path = format!("embed-campaigns/{}", id(&made));
        let stop = world
            .dev_of(CODE, "PATCH", &path)
            .json(&json!({"status": "REVOKED"}));
        assert_eq!(stop.send().await.data(200)["status"], "REVOKED");
        world.sql("UPDATE relationships SET status = 'ACTIVE' WHERE code = 'demo-both'");
        change(json!({"status": "ACTIVE"}))
            .await
            .refused(409, "INVALID_STATE");
        for (method, path) in [("GET", "snippet"), ("POST", "rotate-token")] {
            let path = format!("/{}/{path}", id(&made));
            let call = world.own_campaigns(&session, method, &path);
            let call = if method == "POST" {
                call.json(&json!({}))
            } else {
                call
            };
            call.send().await.refused(409, "INVALID_STATE");
        }
    });
}

#[test]
fn a_hundred_campaigns_live_at_most_and_views_count_people_once_an_hour() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        world.sql(
            "INSERT INTO links (link_id, merchant_id, relationship_id, kind, name, status, created_at,
               updated_at)
             SELECT gen_random_uuid(), merchant_id, relationship_id, 'CAMPAIGN', 'n', 'ACTIVE', now(),
               now()
             FROM relationships, generate_series(1, 99) AS n WHERE code = 'demo-both'",
        );
        world.sql(
            "INSERT INTO embed_campaigns (campaign_id, merchant_id, relationship_id, name, status,
               product_ids, variant_ids, origins, token_version, created_at, updated_at)
             SELECT link_id, merchant_id, relationship_id, name, status, '{}', '{}', '{}', 1, now(), now()
             FROM links WHERE kind = 'CAMPAIGN'",
        );
        let racing = (0..4).map(|number| {
            let (world, session) = (&world, &session);
            async move {
                let body = json!({"name": format!("Last {number}")});
                world.make_campaign(session, &body).await
            }
        });
        let replies = join_all(racing).await;
        let made: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
        assert_eq!(made.len(), 1);
        let made = made[0].data(201);
        let late = replies.iter().find(|reply| reply.status != 201).unwrap();
        late.refused(409, "INVALID_STATE");
        let placed = world.snippet(&session, &made, "link").await;
        let url = placed["preview_url"].as_str().unwrap();
        let path = url.strip_prefix("https://consign.example").unwrap();
        for agent in ["Googlebot/2.1", "Discordbot/2.0", ""] {
            let call = world.call("GET", path).header("user-agent", agent);
            assert_eq!(call.send().await.status, 200);
        }
        let head = world.call("HEAD", path).header("user-agent", BROWSER);
        assert_eq!(head.send().await.status, 200);
        let views = || world.scalar("SELECT SUM(views) FROM embed_campaigns");
        assert_eq!(views(), "0");
        world.framed(url).await;
        assert_eq!(views(), "1");
        let stored =
            world.scalar("SELECT string_agg(to_jsonb(v)::text, '') FROM link_visitors AS v");
        assert!(!stored.contains("127.0.0.1") && !stored.contains("Firefox"));
    });
}
