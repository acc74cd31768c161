//! Who may call: every kind of caller on a route that spends money.

use chrono::TimeDelta;
use engine::{
    api_keys::{KeyKind, KeyText, Scope},
    clock::{Clock, EPOCH, SystemClock},
    ids::KeyId,
    random::SeededRandom,
    relationships::KeyTerms,
};

use crate::support::{Call, World, order_of, with_world};

const WRITE: [Scope; 1] = [Scope::FulfillmentsWrite];

async fn check(world: &World, key: &str, expected: (u16, &str)) {
    let (before, body) = (world.state(), order_of("WOO-1", world.product("Antivirus")));
    world
        .order(key, &body)
        .await
        .refused(expected.0, expected.1);
    assert_eq!(world.state(), before);
}

#[test]
fn keys_that_do_not_count_get_the_same_answer() {
    with_world(async |world| {
        let random = SeededRandom::new(99);
        let now = SystemClock.now();
        let unknown = KeyText::generate(
            KeyKind::Reseller,
            false,
            KeyId::generate(now, &random),
            &random,
        );
        let wrong = KeyText::generate(
            KeyKind::Reseller,
            false,
            world.reseller("demo-both").key.id,
            &random,
        );
        let terms = KeyTerms::default;
        let past = |key: &mut persistence::api_keys::NewKey| {
            key.expires_at = Some(now - TimeDelta::seconds(1));
        };
        let expired = world.new_key("demo-both", &WRITE, terms(), past).await;
        let revoked = world.new_key("demo-both", &WRITE, terms(), |_| ()).await;
        world.sql(&format!(
            "UPDATE api_keys SET revoked_at = now() WHERE key_id = '{}'",
            revoked.id.uuid()
        ));
        let mut bodies = Vec::new();
        for key in [
            unknown.expose().expose(),
            wrong.expose().expose(),
            &expired.text,
            &revoked.text,
            "crk_live_x",
            "",
        ] {
            check(world, key, (401, "UNAUTHORIZED")).await;
            let body = order_of("WOO-1", world.product("Antivirus"));
            bodies.push(world.order(key, &body).await.text());
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    });
}

#[test]
fn key_of_the_other_surface_or_without_the_scope_is_forbidden() {
    with_world(async |world| {
        let merchant = world.cast.key.expose();
        check(world, merchant.expose(), (403, "FORBIDDEN")).await;
        let terms = KeyTerms::default();
        let reader = world
            .new_key("demo-both", &[Scope::FulfillmentsRead], terms, |_| ())
            .await;
        check(world, &reader.text, (403, "FORBIDDEN")).await;
        let list = world
            .call("GET", "/reseller/v1/fulfillments")
            .key(&reader.text)
            .send()
            .await;
        assert_eq!(list.status, 200);
        let dev = world
            .call("GET", "/dev/v1/me")
            .key(&reader.text)
            .send()
            .await;
        dev.refused(403, "FORBIDDEN");
    });
}

#[test]
fn key_of_other_addresses_is_refused() {
    with_world(async |world| {
        let from = |net: &str| {
            let net = net.to_owned();
            move |key: &mut persistence::api_keys::NewKey| key.ip_allow_list = vec![net]
        };
        let terms = KeyTerms::default;
        let foreign = world
            .new_key("demo-both", &WRITE, terms(), from("192.0.2.0/24"))
            .await;
        check(world, &foreign.text, (403, "IP_NOT_ALLOWED")).await;
        let own = world
            .new_key("demo-both", &WRITE, terms(), from("127.0.0.0/8"))
            .await;
        let body = order_of("WOO-1", world.product("Antivirus"));
        world.order(&own.text, &body).await.data(201);
    });
}

#[test]
fn key_in_an_address_is_refused_even_beside_a_good_one() {
    with_world(async |world| {
        let key = world.key("demo-both");
        for path in [
            format!("/reseller/v1/balance?api_key={key}"),
            format!("/reseller/v1/products?search={key}"),
            "/reseller/v1/balance?api_key=x".to_owned(),
        ] {
            let reply = world.call("GET", &path).key(&key).send().await;
            reply.refused(401, "UNAUTHORIZED");
        }
        let merchant = world.merchant_key();
        let body = order_of("WOO-1", world.product("Antivirus"));
        let path = format!("/reseller/v1/fulfillments?k={merchant}");
        let call = world.call("POST", &path).key(&key).json(&body);
        call.send().await.refused(401, "UNAUTHORIZED");
        let metrics = Call::new(world.server.ops_address(), "GET", "/metrics");
        let metrics = metrics.send().await.text();
        let exposed = metrics
            .lines()
            .find_map(|line| line.strip_prefix("consign_keys_exposed_total "));
        let exposed: u32 = exposed.unwrap().parse().unwrap();
        assert!(exposed >= 3, "{exposed}");
    });
}

#[test]
fn empty_bucket_is_refused_before_anything_else_is_looked_at() {
    with_world(async |world| {
        let slow = |key: &mut persistence::api_keys::NewKey| key.rate_limit_per_second = Some(1);
        let key = world
            .new_key(
                "demo-both",
                &[Scope::BalanceRead],
                KeyTerms::default(),
                slow,
            )
            .await;
        let call = async || {
            world
                .call("GET", "/reseller/v1/balance")
                .key(&key.text)
                .send()
                .await
        };
        let first = call().await;
        assert_eq!(first.header("ratelimit-policy"), Some("\"reads\";q=2;w=2"));
        assert_eq!(first.header("ratelimit"), Some("\"reads\";r=1;t=1"));
        let mut last = call().await;
        for _ in 0..4 {
            last = call().await;
        }
        last.refused(429, "RATE_LIMITED");
        assert!(last.header("retry-after").is_some());
        let body = order_of("WOO-1", world.product("Antivirus"));
        for _ in 0..5 {
            last = world.order(&key.text, &body).await;
        }
        last.refused(429, "RATE_LIMITED");
    });
}

#[test]
fn address_that_keeps_failing_is_not_looked_up_any_more() {
    with_world(async |world| {
        let known = world.key("demo-both");
        let body = order_of("WOO-1", world.product("Antivirus"));
        world.order(&known, &body).await.data(201);
        let mut limited = false;
        // Twice the limit: a minute may end in between.
        for _ in 0..62 {
            limited |= world.order("crk_live_x", &body).await.status == 429;
        }
        assert!(limited);
        world.order(&known, &body).await.data(200);
    });
}

#[test]
fn good_key_gets_in_from_an_address_that_keeps_failing() {
    with_world(async |world| {
        let (unknown, body) = (unknown_key(), order_of("WOO-1", world.product("Antivirus")));
        // Nobody has used it yet: it is in no cache.
        let good = world.key("demo-both");
        let mut limited = false;
        for _ in 0..62 {
            limited |= world.order(&unknown, &body).await.status == 429;
        }
        assert!(limited);
        world.order(&good, &body).await.data(201);
        let wrong = with_another_secret(&good);
        world
            .order(&wrong, &body)
            .await
            .refused(429, "RATE_LIMITED");
    });
}

/// A well-formed key that nobody has.
fn unknown_key() -> String {
    let random = SeededRandom::new(99);
    let id = KeyId::generate(EPOCH, &random);
    let text = KeyText::generate(KeyKind::Reseller, false, id, &random);
    text.expose().expose().to_owned()
}

/// A well-formed key with the id of this one.
fn with_another_secret(key: &str) -> String {
    let id = KeyText::parse(key).unwrap().id;
    let text = KeyText::generate(KeyKind::Reseller, false, id, &SeededRandom::new(99));
    text.expose().expose().to_owned()
}
