//! `GET /reseller/v1/fulfillments/dynamic`: both forms, and everything that must not execute.

use engine::clock::{Clock, SystemClock};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::support::{Key, World, with_world};

const PATH: &str = "/reseller/v1/fulfillments/dynamic";

/// The query of an order, without its proof.
fn order(world: &World, order_id: &str) -> String {
    let product = world.product("Antivirus").id;
    format!(
        "external_order_id={order_id}&product_id={product}&customer_email=ann%2Bk%40example.com"
    )
}

fn by_key(world: &World, key: &str, order_id: &str) -> String {
    format!("{PATH}?api_key={key}&{}", order(world, order_id))
}

/// An address that was signed `age_secs` ago, in another order than the canonical one.
fn signed(world: &World, key: &Key, order_id: &str, age_secs: i64) -> String {
    let ts = SystemClock.now().timestamp() - age_secs;
    let product = world.product("Antivirus").id;
    let canonical = format!(
        "v1\nGET\n{PATH}\ncustomer_email=ann%2Bk%40example.com&external_order_id={order_id}&key_id={}\
         &product_id={product}&ts={ts}",
        key.id
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key.url_secret.as_bytes()).unwrap();
    mac.update(canonical.as_bytes());
    let hex = mac
        .finalize()
        .into_bytes()
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!(
        "{PATH}?key_id={}&ts={ts}&sig={hex}&{}",
        key.id,
        order(world, order_id)
    )
}

#[test]
fn key_in_the_address_delivers_once_as_json_and_as_text() {
    with_world(async |world| {
        let key = world.dynamic_key("demo-both").text;
        let path = by_key(world, &key, "77");
        let first = world.call("GET", &path).send().await;
        let told = first.data(200);
        assert_eq!(
            (&told["channel"], &told["reused"]),
            (&"DYNAMIC_URL".into(), &false.into())
        );
        assert_eq!(told["customer_email"], "ann+k@example.com");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-robots-tag", "noindex"),
        ] {
            assert_eq!(first.header(name), Some(value));
        }
        let text = world
            .call("GET", &path)
            .header("accept", "text/plain")
            .send()
            .await;
        assert_eq!(
            text.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(text.text(), told["serials"][0].as_str().unwrap());
        assert_eq!(text.header("x-fulfillment-id"), told["id"].as_str());
        assert_eq!(text.header("x-external-order-id"), Some("77"));
        let other = by_key(world, &key, "77").replace("ann", "bob") + "&format=text";
        let refused = world.call("GET", &other).send().await;
        assert_eq!(refused.status, 422);
        assert!(
            refused.text().starts_with("ORDER_MISMATCH: "),
            "{}",
            refused.text()
        );
    });
}

#[test]
fn signed_address_delivers_for_five_minutes_and_replays_after() {
    with_world(async |world| {
        let key = world.dynamic_key("demo-both");
        let told = world
            .call("GET", &signed(world, &key, "77", 0))
            .send()
            .await
            .data(200);
        assert_eq!(told["channel"], "SIGNED_URL");
        let old = world
            .call("GET", &signed(world, &key, "77", 301))
            .send()
            .await
            .data(200);
        assert_eq!(
            (&old["serials"], &old["reused"]),
            (&told["serials"], &true.into())
        );
        let state = world.state();
        let stale = world
            .call("GET", &signed(world, &key, "78", 301))
            .send()
            .await;
        assert_eq!(
            stale.refused(401, "UNAUTHORIZED")["details"][0]["field"],
            "ts"
        );
        let forged = signed(world, &key, "78", 0) + "&quantity=5";
        world
            .call("GET", &forged)
            .send()
            .await
            .refused(401, "UNAUTHORIZED");
        assert_eq!(world.state(), state);
    });
}

#[test]
fn what_is_no_server_executes_nothing() {
    with_world(async |world| {
        let path = by_key(world, &world.dynamic_key("demo-both").text, "77");
        let state = world.state();
        for (name, value) in [
            ("sec-fetch-mode", "navigate"),
            ("sec-purpose", "prefetch"),
            ("user-agent", "Slackbot-LinkExpanding 1.0"),
        ] {
            let call = world.call("GET", &path).header(name, value);
            call.send().await.refused(403, "BROWSER_REFUSED");
        }
        let head = world.call("HEAD", &path).send().await;
        assert_eq!(
            (head.status.as_u16(), head.header("allow")),
            (405, Some("GET"))
        );
        let options = world.call("OPTIONS", &path).send().await;
        assert_eq!(
            (options.status.as_u16(), options.header("allow")),
            (204, Some("GET"))
        );
        assert!(options.header("access-control-allow-origin").is_none());
        world
            .call("POST", &path)
            .send()
            .await
            .refused(405, "METHOD_NOT_ALLOWED");
        assert_eq!(world.state(), state);
    });
}

#[test]
fn wrong_queries_execute_nothing() {
    with_world(async |world| {
        let key = world.dynamic_key("demo-both").text;
        let (path, state) = (by_key(world, &key, "77"), world.state());
        for (path, status, code) in [
            (format!("{path}&quantity=1&quantity=1"), 400, "BAD_REQUEST"),
            (format!("{path}&quantity=%zz"), 400, "BAD_REQUEST"),
            (format!("{path}&price=1"), 422, "VALIDATION_ERROR"),
            (format!("{path}&quantity=0"), 422, "VALIDATION_ERROR"),
            (format!("{path}&max_unit_price=0.01"), 422, "PRICE_CHANGED"),
            (
                format!("{PATH}?{}", order(world, "77")),
                401,
                "UNAUTHORIZED",
            ),
            (
                by_key(world, &world.key("demo-both"), "77"),
                403,
                "FORBIDDEN",
            ),
            (
                by_key(world, world.cast.key.expose().expose(), "77"),
                403,
                "FORBIDDEN",
            ),
        ] {
            world.call("GET", &path).send().await.refused(status, code);
        }
        assert_eq!(world.state(), state);
    });
}

#[test]
fn program_may_allow_signed_addresses_only_or_none() {
    with_world(async |world| {
        let key = world.dynamic_key("demo-both");
        for allowed in [by_key(world, &key.text, "76"), signed(world, &key, "75", 0)] {
            world.call("GET", &allowed).send().await.data(200);
        }
        let state = world.state();
        for (policy, by_key_status, signed_status) in [("SIGNED_ONLY", 403, 200), ("OFF", 403, 403)]
        {
            world.sql(&format!(
                "UPDATE programs SET dynamic_url_policy = '{policy}', version = version + 1"
            ));
            world.sql("UPDATE relationships SET version = version + 1");
            world.terms_changed("demo-both").await;
            let reply = world
                .call("GET", &by_key(world, &key.text, "77"))
                .send()
                .await;
            assert_eq!(reply.status, by_key_status, "{policy}: {}", reply.text());
            let order_id = format!("78-{policy}");
            let reply = world
                .call("GET", &signed(world, &key, &order_id, 0))
                .send()
                .await;
            assert_eq!(reply.status, signed_status, "{policy}: {}", reply.text());
            // What was delivered before is told under every policy.
            for bound in [by_key(world, &key.text, "76"), signed(world, &key, "75", 0)] {
                let again = world.call("GET", &bound).send().await;
                assert_eq!(again.status, 200, "{policy}: {}", again.text());
            }
        }
        assert_ne!(world.state(), state);
    });
}

#[test]
fn delivered_order_that_cannot_be_shown_again_is_never_told_as_not_executed() {
    with_world(async |world| {
        let path = by_key(world, &world.dynamic_key("demo-both").text, "77");
        let told = world.call("GET", &path).send().await.data(200);
        world.sql("ALTER TABLE dynamic_url_replays RENAME TO away");
        let again = world.call("GET", &path).send().await;
        again.refused(503, "OUTCOME_UNKNOWN");
        world.sql("ALTER TABLE away RENAME TO dynamic_url_replays");
        let again = world.call("GET", &path).send().await.data(200);
        assert_eq!(again["serials"], told["serials"]);
    });
}

#[test]
fn serials_are_shown_again_twenty_times() {
    with_world(async |world| {
        let key = world.dynamic_key("demo-both").text;
        let path = by_key(world, &key, "77");
        let told = world.call("GET", &path).send().await.data(200);
        for _ in 0..20 {
            let again = world.call("GET", &path).send().await.data(200);
            assert_eq!(again["serials"], told["serials"]);
        }
        let withheld = world.call("GET", &path).send().await.data(200);
        assert_eq!(
            (&withheld["serials"], &withheld["serials_withheld"]),
            (&serde_json::json!([]), &true.into())
        );
        let text = world
            .call("GET", &format!("{path}&format=text"))
            .send()
            .await;
        assert_eq!((text.status.as_u16(), text.text().as_str()), (200, ""));
        let full = format!("/reseller/v1/fulfillments/{}", told["id"].as_str().unwrap());
        let full = world
            .call("GET", &full)
            .key(&world.key("demo-both"))
            .send()
            .await
            .data(200);
        assert_eq!(full["serials"], told["serials"]);
    });
}
