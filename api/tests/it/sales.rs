//! Links, the sales they bring, and what is earned by them: attributed once, held, approved, taken back.

use api::sales::release_due;
use chrono::TimeDelta;
use engine::{
    api_keys::Scope,
    clock::{Clock as _, SystemClock},
    persons::Role,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Call, Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";

impl World {
    /// A shop to lead to, and ten percent for whoever leads.
    pub(crate) fn selling(&self) {
        self.sql("UPDATE merchants SET storefront_url = 'https://shop.example/start?x=1'");
        self.sql("UPDATE programs SET commission_percent = 1000");
    }

    async fn follow(&self, code: &str, agent: &str) -> Reply {
        let call = self.call("GET", &format!("/r/{code}"));
        call.header("user-agent", agent).send().await
    }

    /// The token that somebody gets who follows the link with this code.
    pub(crate) async fn token(&self, code: &str) -> String {
        let reply = self.follow(code, BROWSER).await;
        let location = reply.header("location").unwrap();
        let (_, token) = location.split_once("consign_ref=").unwrap();
        token.to_owned()
    }

    pub(crate) async fn report(&self, token: &str, invoice: &str, more: Value) -> Reply {
        let mut body = json!({
            "attribution_token": token, "external_invoice_id": invoice, "quantity": 2,
            "product_id": self.product("Antivirus").id.to_string(), "amount": "20.00",
        });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let call = self.call("POST", "/dev/v1/resellers/sales");
        call.key(&self.merchant_key()).json(&body).send().await
    }

    async fn refund_sale(&self, sale: &Value, body: &Value) -> Reply {
        let path = format!("/dev/v1/resellers/sales/{}/refund", id(sale));
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.json(body).send().await
    }

    async fn decide(&self, sale: &Value, verb: &str, body: &Value) -> Reply {
        let path = format!("commissions/{}/{verb}", id(&sale["commission"]));
        self.dev_of(CODE, "POST", &path).json(body).send().await
    }

    fn own(&self, session: &str, path: &str) -> Call {
        let reseller = self.reseller(CODE).id;
        let path = format!("/programs/{reseller}/{path}");
        self.page("GET", &path).header("cookie", session)
    }

    async fn earnings(&self, session: &str) -> Value {
        self.own(session, "earnings").send().await.data(200)
    }

    /// The account of earnings against the rows that it is the sum of: empty if they agree.
    pub(crate) fn earnings_that_do_not_add_up(&self) -> String {
        self.scalar(
            "SELECT COALESCE(string_agg(to_jsonb(e)::text, ' '), '') FROM earnings AS e
             LEFT JOIN LATERAL (
               SELECT COALESCE(SUM(s.commission - s.reversed)
                   FILTER (WHERE s.commission_status = 'PENDING'), 0) AS pending,
                 COALESCE(SUM(s.commission - s.reversed)
                   FILTER (WHERE s.commission_status = 'APPROVED'), 0) AS approved,
                 COALESCE(SUM(s.reversed), 0) AS reversed
               FROM sales AS s WHERE s.relationship_id = e.relationship_id) AS s ON true
             LEFT JOIN LATERAL (
               SELECT COUNT(*) AS entries, COALESCE(SUM(n.amount), 0) AS total
               FROM earning_entries AS n WHERE n.relationship_id = e.relationship_id) AS n ON true
             WHERE (e.pending, e.approved, e.reversed) <> (s.pending, s.approved, s.reversed)
               OR n.total <> e.approved - e.paid_out OR n.entries <> e.version",
        )
    }
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

fn sums(earnings: &Value) -> [&str; 4] {
    ["pending", "approved", "reversed", "available"].map(|name| earnings[name].as_str().unwrap())
}

#[test]
fn link_leads_to_the_shop_with_a_token_and_counts_people_once_an_hour() {
    with_world(async |world| {
        let nowhere = world.follow(CODE, BROWSER).await;
        assert_eq!(nowhere.status, 404);
        assert!(nowhere.text().contains("leads nowhere"));
        world.selling();
        let reply = world.follow(CODE, BROWSER).await;
        assert_eq!(reply.status, 302);
        let location = reply.header("location").unwrap();
        assert!(location.starts_with("https://shop.example/start?x=1&consign_ref=ca1."));
        let cookie = reply.header("set-cookie").unwrap();
        for part in [
            "consign_ref=ca1.",
            "Max-Age=2592000",
            "HttpOnly",
            "Secure",
            "SameSite=Lax",
        ] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let clicks = || world.scalar("SELECT SUM(clicks) FROM links");
        // A new hour, or a new quarter of one, counts anew.
        let quarter = || world.server.app().engine.clock().now().timestamp() / 900;
        let begun = quarter();
        let counted = |expected: &str| {
            let clicks = clicks();
            assert!(
                clicks == expected || quarter() != begun,
                "{clicks} is not {expected}"
            );
        };
        counted("1");
        world.follow(CODE, BROWSER).await;
        for agent in ["Googlebot/2.1", "WhatsApp/2.23", "my-crawler", ""] {
            assert_eq!(world.follow(CODE, agent).await.status, 302);
        }
        let call = world.call("GET", &format!("/r/{CODE}"));
        let call = call
            .header("user-agent", "Firefox")
            .header("sec-purpose", "prefetch");
        assert_eq!(call.send().await.status, 302);
        let head = world.call("HEAD", &format!("/r/{CODE}"));
        let head = head.header("user-agent", "Firefox").send().await;
        assert_eq!(head.status, 302);
        assert!(head.header("set-cookie").is_none());
        let image = world.call("GET", &format!("/r/{CODE}"));
        let image = image.header("user-agent", "Firefox");
        let image = image.header("sec-fetch-dest", "image").send().await;
        assert_eq!(
            image.header("location"),
            Some("https://shop.example/start?x=1")
        );
        counted("1");
        world.follow(CODE, "Firefox").await;
        counted("2");
        // One address counts a few times at most, whatever it says it is.
        for number in 0..20 {
            world.follow(CODE, &format!("Firefox/{number}")).await;
        }
        counted("9");
        let stored =
            world.scalar("SELECT string_agg(to_jsonb(v)::text, '') FROM link_visitors AS v");
        assert!(!stored.contains("127.0.0.1") && !stored.contains("Firefox"));
    });
}

#[test]
fn link_that_may_not_attribute_leads_on_without_a_token() {
    with_world(async |world| {
        world.selling();
        assert_eq!(world.follow("nobody-has-it", BROWSER).await.status, 404);
        for off in [
            "UPDATE programs SET enabled = false",
            "UPDATE programs SET enabled = true; UPDATE links SET status = 'PAUSED'",
            "UPDATE links SET status = 'ACTIVE'; UPDATE relationships SET mode = 'STOCK'",
            "UPDATE relationships SET mode = 'BOTH', status = 'SUSPENDED'",
        ] {
            world.sql(off);
            let reply = world.follow(CODE, BROWSER).await;
            assert_eq!(reply.status, 302);
            let location = reply.header("location").unwrap();
            assert_eq!(location, "https://shop.example/start?x=1", "{off}");
            assert!(reply.header("set-cookie").is_none());
        }
        assert_eq!(world.scalar("SELECT SUM(clicks) FROM links"), "0");
    });
}

#[test]
fn reported_sale_is_attributed_once_and_held() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let token = world.token(CODE).await;
        let more = json!({"discount": "2.00", "tax": 3, "customer_email": "Ann@Example.com"});
        let sale = world.report(&token, "INV-1", more.clone()).await.data(201);
        assert_eq!(sale["attributed"], true);
        assert_eq!(
            (&sale["net"], &sale["status"]),
            (&json!("15.00"), &json!("PAID"))
        );
        assert_eq!(sale["customer_email"], "a***@example.com");
        assert_eq!(sale["source"]["type"], "REPORTED");
        let commission = &sale["commission"];
        assert_eq!(commission["amount"], "1.50");
        assert_eq!(
            (&commission["percent"], &commission["status"]),
            (&json!(10), &json!("PENDING"))
        );

        let again = world.report(&token, "INV-1", more).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200), sale);
        let other = world.report(&token, "INV-1", json!({})).await;
        other.refused(409, "ALREADY_EXISTS");
        assert_eq!(
            sums(&world.earnings(&session).await),
            ["1.50", "0.00", "0.00", "0.00"]
        );
        let listed = world.own(&session, "sales").send().await.json();
        let (mut expected, mut found) = (sale.clone(), listed["data"][0].clone());
        expected.as_object_mut().unwrap().remove("attributed");
        found["currency"] = json!("USD");
        assert_eq!(found, expected);
        let csv = world.own(&session, "sales?format=csv").send().await;
        assert!(csv.text().contains("a***@example.com") && !csv.text().contains("Ann@"));
        let stored = world.scalar("SELECT to_jsonb(s)::text FROM sales AS s");
        assert!(!stored.to_lowercase().contains("ann@example.com"));
    });
}

#[test]
fn sale_that_is_nobodys_stores_nothing() {
    with_world(async |world| {
        world.selling();
        let token = world.token(CODE).await;
        let check = async |token: &str, more: Value, reason: &str| {
            let told = world.report(token, "INV-1", more).await.data(200);
            assert_eq!(told, json!({"attributed": false, "reason": reason}));
        };
        check("ca1.1.x", json!({}), "UNKNOWN_TOKEN").await;
        check(&format!("{token}0"), json!({}), "UNKNOWN_TOKEN").await;
        let long_ago = json!({"sold_at": "2020-01-01T00:00:00Z"});
        check(&token, long_ago, "OUTSIDE_WINDOW").await;
        world.sql("UPDATE relationships SET mode = 'STOCK'");
        check(&token, json!({}), "MODE_NOT_ALLOWED").await;
        world.sql("UPDATE relationships SET mode = 'AFFILIATE', product_scope = 'SELECTED'");
        world.sql("UPDATE product_access SET revoked_at = now()");
        check(&token, json!({}), "PRODUCT_NOT_ALLOWED").await;
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sales"), "0");
        let unknown = json!({"product_id": "prd_00000000000000000000000000"});
        world
            .report(&token, "INV-1", unknown)
            .await
            .refused(404, "NOT_FOUND");
        let future = json!({"sold_at": "2120-01-01T00:00:00Z"});
        world
            .report(&token, "INV-1", future)
            .await
            .refused(422, "VALIDATION_ERROR");
        world.sql("UPDATE relationships SET product_scope = 'ALL'");
        let stranger = world.another_merchant().await;
        let body = json!({
            "attribution_token": token, "external_invoice_id": "1", "quantity": 1,
            "product_id": stranger.products[0].id.to_string(), "amount": "1.00",
        });
        let foreign = world.call("POST", "/dev/v1/resellers/sales");
        let foreign = foreign.key(stranger.key.expose().expose()).json(&body);
        assert_eq!(foreign.send().await.data(200)["reason"], "UNKNOWN_TOKEN");
    });
}

#[test]
fn who_refunds_a_reported_sale_need_not_be_one_who_may_touch_money() {
    with_world(async |world| {
        world.selling();
        let token = world.token(CODE).await;
        let sale = world.report(&token, "INV-1", json!({})).await.data(201);
        let key = world.merchant_key_for(&[Scope::ResellersWrite]).await;
        let path = format!("/dev/v1/resellers/sales/{}/refund", id(&sale));
        let call = world.call("POST", &path).key(&key);
        let refunded = call.json(&json!({"refund_ref": "R1"})).send().await;
        assert_eq!(refunded.data(200)["status"], "REFUNDED");
    });
}

#[test]
fn hold_ends_refunds_take_their_share_and_the_account_adds_up() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let token = world.token(CODE).await;
        let first = world.report(&token, "INV-1", json!({})).await.data(201);
        let second = world.report(&token, "INV-2", json!({})).await.data(201);
        let app = world.server.app();
        let now = SystemClock.now();
        assert_eq!(release_due(app, now + TimeDelta::days(6)).await.unwrap(), 0);
        world
            .refund_sale(&first, &json!({"refund_ref": "R1", "amount": "5.00"}))
            .await
            .data(200);
        assert_eq!(release_due(app, now + TimeDelta::days(8)).await.unwrap(), 2);
        assert_eq!(release_due(app, now + TimeDelta::days(8)).await.unwrap(), 0);
        assert_eq!(
            sums(&world.earnings(&session).await),
            ["0.00", "3.50", "0.50", "3.50"]
        );

        let rest = world
            .refund_sale(&first, &json!({"refund_ref": "R2"}))
            .await
            .data(200);
        assert_eq!(
            (&rest["status"], &rest["refunded"]),
            (&json!("REFUNDED"), &json!("20.00"))
        );
        let commission = &rest["commission"];
        assert_eq!(
            (&commission["status"], &commission["reason"]),
            (&json!("REVERSED"), &json!("REFUND"))
        );
        let again = world
            .refund_sale(&first, &json!({"refund_ref": "R2"}))
            .await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let mismatch = world
            .refund_sale(&second, &json!({"refund_ref": "R2"}))
            .await;
        mismatch.refused(409, "ALREADY_EXISTS");
        let excess = json!({"refund_ref": "R3", "amount": "20.01"});
        world
            .refund_sale(&second, &excess)
            .await
            .refused(422, "AMOUNT_OUT_OF_RANGE");
        assert_eq!(
            sums(&world.earnings(&session).await),
            ["0.00", "2.00", "2.00", "2.00"]
        );

        let ledger = world.own(&session, "earnings/ledger").send().await.json();
        let entries = ledger["data"].as_array().unwrap().iter();
        let told: Vec<_> = entries
            .map(|one| {
                (
                    one["kind"].as_str().unwrap(),
                    one["amount"].as_str().unwrap(),
                    one["total_after"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(told[0], ("REVERSAL", "-1.50", "2.00"));
        assert_eq!(told.len(), 3);
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        let facts = world.scalar(
            "SELECT string_agg(fact->>'fact', ' ' ORDER BY outbox_id) FROM event_outbox
            WHERE fact->>'fact' LIKE 'sale_%' OR fact->>'fact' LIKE 'commission_%'",
        );
        // The dispatcher may have numbered some of them already.
        assert!(facts.split(' ').count() <= 9, "{facts}");
    });
}

#[test]
fn merchant_approves_early_and_takes_back_with_a_reason() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let token = world.token(CODE).await;
        let sale = world.report(&token, "INV-1", json!({})).await.data(201);
        let approved = world.decide(&sale, "approve", &json!({})).await.data(200);
        assert_eq!(approved["status"], "APPROVED");
        let again = world.decide(&sale, "approve", &json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let nothing = world
            .decide(&sale, "reverse", &json!({"reason": " "}))
            .await;
        nothing.refused(422, "VALIDATION_ERROR");
        let reason = json!({"reason": "Bought with a stolen card."});
        let reversed = world.decide(&sale, "reverse", &reason).await.data(200);
        assert_eq!(
            (&reversed["status"], &reversed["reason"]),
            (&json!("REVERSED"), &json!("MERCHANT"))
        );
        assert_eq!(reversed["note"], "Bought with a stolen card.");
        let again = world.decide(&sale, "reverse", &reason).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        world
            .decide(&sale, "approve", &json!({}))
            .await
            .refused(409, "INVALID_STATE");
        assert_eq!(
            sums(&world.earnings(&session).await),
            ["0.00", "0.00", "2.00", "0.00"]
        );
        let commissions = world
            .own(&session, "commissions?status=reversed")
            .send()
            .await
            .json();
        assert_eq!(commissions["data"][0], reversed);
        let listed = world
            .dev_of(CODE, "GET", "sales?page=1")
            .send()
            .await
            .json();
        assert_eq!(listed["pagination"]["total"], 1);
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        let deeds = world.scalar("SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log");
        assert!(
            deeds.contains("sale.report commission.approve commission.reverse"),
            "{deeds}"
        );
    });
}

#[test]
fn sale_to_the_reseller_itself_earns_nothing() {
    with_world(async |world| {
        world.selling();
        let token = world.token(CODE).await;
        let itself = json!({"customer_email": format!("{CODE}@Reseller.example")});
        let sale = world.report(&token, "INV-1", itself).await.data(201);
        let commission = &sale["commission"];
        assert_eq!(commission["reason"], "SELF_PURCHASE");
        assert_eq!(
            (&commission["amount"], &commission["status"]),
            (&json!("0.00"), &json!("REVERSED"))
        );
    });
}

#[test]
fn reports_and_steps_that_race_count_once() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let token = world.token(CODE).await;
        let racing = (0..12).map(|_| world.report(&token, "INV-1", json!({})));
        let replies = join_all(racing).await;
        let fresh = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(fresh, 1);
        let sale = replies
            .iter()
            .find(|reply| reply.status == 200)
            .unwrap()
            .data(200);
        let bodies: Vec<_> = (0..6)
            .map(|number| json!({"refund_ref": format!("R{number}"), "amount": "4.00"}))
            .collect();
        let nothing = json!({});
        let (refunds, approvals) = tokio::join!(
            join_all(bodies.iter().map(|body| world.refund_sale(&sale, body))),
            join_all((0..6).map(|_| world.decide(&sale, "approve", &nothing))),
        );
        assert_eq!(
            refunds.iter().filter(|reply| reply.status == 200).count(),
            5
        );
        assert!(
            approvals
                .iter()
                .all(|reply| [200, 409].contains(&reply.status.as_u16()))
        );
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        assert_eq!(
            sums(&world.earnings(&session).await),
            ["0.00", "0.00", "2.00", "0.00"]
        );
    });
}

#[test]
fn viewer_reads_sales_and_reports_none() {
    with_world(async |world| {
        world.selling();
        world.member("viewer@merchant.example", Role::Viewer).await;
        let session = world.session("viewer@merchant.example").await;
        let reseller = world.reseller(CODE).id;
        let path = format!("/dev/v1/resellers/{reseller}/sales");
        assert_eq!(
            world.as_member(&session, "GET", &path).send().await.status,
            200
        );
        let body = json!({
            "attribution_token": "x", "external_invoice_id": "1", "quantity": 1,
            "product_id": world.product("Antivirus").id.to_string(), "amount": "1.00",
        });
        let call = world.as_member(&session, "POST", "/dev/v1/resellers/sales");
        call.json(&body).send().await.refused(403, "FORBIDDEN");
    });
}

#[test]
fn nobody_waits_for_the_commissions_of_another_reseller() {
    with_world(async |world| {
        world.selling();
        let token = world.token(CODE).await;
        world.report(&token, "INV-1", json!({})).await.data(201);
        world.sql("UPDATE relationships SET mode = 'BOTH' WHERE code = 'demo-auto'");
        let other = world.token("demo-auto").await;
        world.report(&other, "INV-2", json!({})).await.data(201);
        // Many more than are approved at once, all older.
        world.sql(
            "INSERT INTO sales SELECT (jsonb_populate_record(s, jsonb_build_object(
               'sale_id', gen_random_uuid(), 'external_invoice_id', 'MORE-' || n,
               'hold_until', s.hold_until - interval '1 day', 'commission', 0))).*
             FROM sales AS s, generate_series(1, 150) AS n WHERE s.external_invoice_id = 'INV-1'",
        );
        let later = SystemClock.now() + TimeDelta::days(8);
        let app = world.server.app();
        assert_eq!(release_due(app, later).await.unwrap(), 101);
        assert_eq!(release_due(app, later).await.unwrap(), 51);
        world.report(&token, "INV-3", json!({})).await.data(201);
        world.report(&other, "INV-4", json!({})).await.data(201);
        // Sums that cannot be: whatever is due of this relationship fails.
        world.sql(
            "UPDATE earnings SET pending = 0 WHERE relationship_id =
               (SELECT relationship_id FROM relationships WHERE code = 'demo-both')",
        );
        assert_eq!(release_due(app, later).await.unwrap(), 1);
    });
}

#[test]
fn who_follows_links_too_fast_is_told_to_wait_and_odd_codes_are_not_looked_up() {
    with_world(async |world| {
        world.selling();
        for code in ["%00", "demo-both%00", "DEMO-BOTH", "a", "%2e%2e%2f"] {
            let reply = world.follow(code, BROWSER).await;
            assert_eq!(reply.status, 404, "{code}");
        }
        let racing = (0..200).map(|_| world.follow(CODE, BROWSER));
        let replies = join_all(racing).await;
        let limited: Vec<_> = replies.iter().filter(|one| one.status == 429).collect();
        assert!(limited.len() >= 20, "{}", limited.len());
        assert!(limited[0].header("retry-after").is_some());
    });
}
