//! The feeds over HTTP: numbered, complete, as soon as it happened, and nobody else's.

use engine::relationships::KeyTerms;
use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    async fn feed(&self, key: &str, query: &str) -> Reply {
        self.call("GET", &format!("/reseller/v1/events{query}"))
            .key(key)
            .send()
            .await
    }

    async fn merchant_feed(&self, query: &str) -> Reply {
        self.call("GET", &format!("/dev/v1/events{query}"))
            .key(&self.merchant_key())
            .send()
            .await
    }

    /// Reads on until an event of this name comes, waiting as a client does.
    pub(crate) async fn event(&self, key: &str, name: &str) -> Value {
        let mut after = 0;
        for _ in 0..20 {
            let page = self.feed(key, &format!("?after={after}&wait=20")).await;
            let page = page.json();
            let found = page["data"].as_array().unwrap().iter();
            if let Some(event) = found.clone().find(|event| event["event"] == name) {
                return event.clone();
            }
            after = page["pagination"]["next_after"].as_i64().unwrap();
        }
        panic!("no event {name}");
    }

    /// What the merchant's feed tells of this name and kind once everything is told that happened so far: so often,
    /// and not once more.
    pub(crate) async fn told_exactly(
        &self,
        name: &str,
        which: impl Fn(&Value) -> bool,
        times: usize,
    ) -> Vec<Value> {
        for _ in 0..40 {
            let waiting = self.scalar("SELECT COUNT(*) FROM event_outbox");
            let asked = format!("?types={name}&limit=500");
            let page = self.merchant_feed(&asked).await.json();
            let told = page["data"].as_array().unwrap().iter();
            let told = told.map(|event| &event["data"]).filter(|data| which(data));
            let told: Vec<_> = told.cloned().collect();
            if waiting == "0" {
                assert_eq!(told.len(), times, "{name}: {told:?}");
                return told;
            }
            let after = &page["pagination"]["next_after"];
            self.merchant_feed(&format!("?after={after}&wait=1")).await;
        }
        panic!("facts wait and are not told");
    }
}

#[test]
fn order_is_told_to_both_sides_without_its_serials() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let body = order_of("WOO-1", world.product("Antivirus"));
        let order = world.order(&key, &body).await;
        let order = order.data(201);
        let event = world.event(&key, "fulfillment:created").await;
        assert_eq!(event["id"], event["uniqid"]);
        assert!(event["id"].as_str().unwrap().starts_with("evt_"));
        let data = &event["data"];
        assert_eq!(data["fulfillment_id"], order["id"]);
        assert_eq!(data["external_order_id"], "WOO-1");
        assert_eq!(data["total"], "23.99");
        assert_eq!(data["lines"][0]["quantity"], 1);
        let product = world.product("Antivirus").id.to_string();
        assert_eq!(data["lines"][0]["product_id"], product);
        let of_merchant = world
            .merchant_feed("?types=fulfillment:created&wait=20")
            .await
            .json();
        let theirs = &of_merchant["data"][0];
        assert_eq!((&theirs["id"], &theirs["data"]), (&event["id"], data));
        let serial = order["serials"][0].as_str().unwrap();
        let shown = format!("{event}{theirs}");
        assert!(!shown.contains(serial));
        assert!(!shown.to_lowercase().contains("ann@example.com"));
    });
}

#[test]
fn numbers_have_no_gap_and_pages_go_on() {
    with_world(async |world| {
        let key = world.key("demo-both");
        for order in ["WOO-1", "WOO-2", "WOO-3"] {
            let body = order_of(order, world.product("Antivirus"));
            world.order(&key, &body).await.data(201);
        }
        let (mut after, mut orders) = (0, Vec::new());
        while orders.len() < 3 {
            let page = world
                .feed(&key, &format!("?after={after}&limit=1&wait=20"))
                .await;
            let page = page.json();
            let event = &page["data"][0];
            assert_eq!(event["seq"], after + 1);
            assert_eq!(page["pagination"]["next_after"], after + 1);
            after += 1;
            if event["event"] == "fulfillment:created" {
                orders.push(event["data"]["external_order_id"].clone());
            }
        }
        assert_eq!(orders, [json!("WOO-1"), json!("WOO-2"), json!("WOO-3")]);
        let rest = world.feed(&key, &format!("?after={after}")).await.json();
        assert_eq!(rest["data"], json!([]));
        assert_eq!(
            rest["pagination"],
            json!({"next_after": after, "has_more": false})
        );
    });
}

#[test]
fn cold_changes_are_told_with_their_cause() {
    with_world(async |world| {
        let (key, reseller) = (world.key("demo-both"), world.reseller("demo-both"));
        let path = format!("/dev/v1/resellers/{}/suspend", reseller.id);
        let step = world.call("POST", &path).key(&world.merchant_key());
        step.json(&json!({"reason": "late"})).send().await.data(200);
        let event = world.event(&key, "relationship:updated").await;
        assert_eq!(
            event["data"],
            json!({"relationship_id": reseller.id.to_string(), "status": "SUSPENDED", "mode": "BOTH"})
        );
        let dynamic = world.dynamic_key("demo-both");
        let path = format!(
            "/dev/v1/resellers/{}/api-keys/{}/revoke",
            reseller.id, dynamic.id
        );
        let revoke = world.call("POST", &path).key(&world.merchant_key());
        revoke.json(&json!({})).send().await.data(200);
        let event = world.event(&key, "key:revoked").await;
        assert_eq!(event["data"]["api_key_id"], dynamic.id.to_string());
        assert!(!event.to_string().contains(&dynamic.url_secret));
    });
}

#[test]
fn upload_that_goes_on_sale_is_told_to_the_merchant_alone() {
    with_world(async |world| {
        let product = world.product("Antivirus").id;
        let path = format!("/dev/v1/products/{product}/serials");
        let upload = world.call("POST", &path).key(&world.merchant_key());
        let upload = upload.json(&json!({"serials": ["NEW-1", "NEW-2"]}));
        let uploaded = upload.send().await;
        let batch = &uploaded.data(201)["batch_id"];
        let mut after = 0;
        // Those of the cast went on sale before.
        let own = loop {
            let query = format!("?types=serials:imported&limit=1&wait=20&after={after}");
            let told = world.merchant_feed(&query).await.json();
            after = told["pagination"]["next_after"].as_i64().unwrap();
            if told["data"][0]["data"]["batch_id"] == *batch {
                break told["data"][0].clone();
            }
            assert!(after < 100, "the upload is not told");
        };
        assert_eq!(own["data"]["quantity"], 2);
        assert_eq!(own["data"]["product_id"], product.to_string());
        assert!(!own.to_string().contains("NEW-1"));
        let reseller = world
            .feed(&world.key("demo-both"), "?types=serials:imported")
            .await;
        assert_eq!(reseller.json()["data"], json!([]));
    });
}

#[test]
fn feeds_are_apart() {
    with_world(async |world| {
        let (own, other) = (world.key("demo-both"), world.key("demo-stock"));
        let body = order_of("WOO-1", world.product("Antivirus"));
        world.order(&own, &body).await.data(201);
        world.event(&own, "fulfillment:created").await;
        let theirs = world.feed(&other, "?types=fulfillment:created").await;
        assert_eq!(theirs.json()["data"], json!([]));
        let test = world
            .merchant_feed("?test=true&types=fulfillment:created")
            .await;
        assert_eq!(test.json()["data"], json!([]));
    });
}

#[test]
fn feed_that_is_asked_for_wrongly_says_why() {
    with_world(async |world| {
        let key = world.key("demo-both");
        for (query, field) in [
            ("?after=-1", "after"),
            ("?after=x", "after"),
            ("?limit=0", "limit"),
            ("?limit=501", "limit"),
            ("?wait=21", "wait"),
            ("?types=nonsense", "types"),
        ] {
            let refused = world.feed(&key, query).await;
            refused.refused(422, "VALIDATION_ERROR");
            assert_eq!(
                refused.json()["error"]["details"][0]["field"],
                field,
                "{query}"
            );
        }
        let scope = world
            .new_key(
                "demo-both",
                &[engine::api_keys::Scope::BalanceRead],
                KeyTerms::default(),
                |_| {},
            )
            .await;
        world.feed(&scope.text, "").await.refused(403, "FORBIDDEN");
        world
            .feed(&world.merchant_key(), "")
            .await
            .refused(403, "FORBIDDEN");
        let dev = world.call("GET", "/dev/v1/events").key(&key);
        dev.send().await.refused(403, "FORBIDDEN");
    });
}

#[test]
fn person_reads_the_feed_of_an_own_program_only() {
    with_world(async |world| {
        let person = world.person("ann@example.com").await;
        let reseller = world.reseller("demo-both").id;
        let path = format!("/programs/{reseller}/events");
        let signed_out = world.page("GET", &path).send().await;
        signed_out.refused(401, "UNAUTHORIZED");
        let cookie = world.session("ann@example.com").await;
        let stranger = world.page("GET", &path).header("cookie", &cookie);
        stranger.send().await.refused(404, "NOT_FOUND");
        world.sql(&format!(
            "UPDATE relationships SET person_id = '{}' WHERE relationship_id = '{}'",
            person.uuid(),
            reseller.uuid()
        ));
        let body = order_of("WOO-1", world.product("Antivirus"));
        world.order(&world.key("demo-both"), &body).await.data(201);
        world
            .event(&world.key("demo-both"), "fulfillment:created")
            .await;
        let own = world.page("GET", &format!("{path}?types=fulfillment:created"));
        let own = own.header("cookie", &cookie).send().await.json();
        assert_eq!(own["data"][0]["data"]["external_order_id"], "WOO-1");
    });
}

#[test]
fn fact_of_a_newer_version_is_passed_over_and_holds_nothing_up() {
    with_world(async |world| {
        for name in ["one", "two"] {
            let invite = world.call("POST", "/dev/v1/resellers/invite");
            let body = json!({"email": format!("{name}@partner.example")});
            let invite = invite.key(&world.merchant_key()).json(&body);
            invite.send().await.data(201);
        }
        let told = async |query: &str| {
            let call = world.call("GET", &format!("/dev/v1/events?limit=500{query}"));
            call.key(&world.merchant_key()).send().await.json()
        };
        let invited = "&types=reseller:invited";
        let mut heard = told(&format!("{invited}&wait=5")).await;
        while heard["data"].as_array().unwrap().len() < 2 {
            let after = &heard["pagination"]["next_after"];
            told(&format!("{invited}&wait=5&after={after}")).await;
            heard = told(invited).await;
        }
        let all = told("").await;
        let changed = &heard["data"][0]["seq"];
        world.sql(&format!(
            "UPDATE event_spans SET fact = '{{\"from_tomorrow\": {{\"x\": 1}}}}'
             WHERE last_seq = {changed} AND fact IS NOT NULL AND feed_id IN (
               SELECT feed_id FROM event_feeds WHERE relationship_id IS NULL AND NOT test)"
        ));
        let known = told("").await;
        let mut rest = all["data"].as_array().unwrap().clone();
        rest.retain(|event| event["seq"] != *changed);
        assert_eq!(known["data"], json!(rest));
        assert_eq!(known["pagination"], all["pagination"]);
    });
}
