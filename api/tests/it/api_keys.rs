//! Keys as a merchant sees and revokes them, and what both callers learn of themselves.

use engine::ids::RelationshipId;
use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    fn keys_path(&self, code: &str) -> String {
        format!("/dev/v1/resellers/{}/api-keys", self.reseller(code).id)
    }

    async fn revoke(&self, code: &str, key: &str, body: &Value) -> Reply {
        let path = format!("{}/{key}/revoke", self.keys_path(code));
        self.call("POST", &path)
            .key(&self.merchant_key())
            .json(body)
            .send()
            .await
    }
}

#[test]
fn keys_are_listed_without_their_secrets() {
    with_world(async |world| {
        let path = world.keys_path("demo-both");
        let first = world
            .call("GET", &format!("{path}?limit=1"))
            .key(&world.merchant_key());
        let first = first.send().await.json();
        let cursor = first["pagination"]["next_cursor"].as_str().unwrap();
        let rest = world.call("GET", &format!("{path}?limit=2&cursor={cursor}"));
        let rest = rest.key(&world.merchant_key()).send().await.json();
        assert_eq!(rest["pagination"]["has_more"], false);
        let rest = &rest["data"];
        let keys = [&first["data"][0], &rest[0], &rest[1]];
        let shop = keys.iter().find(|key| key["name"] == "Shop").unwrap();
        let reseller = world.reseller("demo-both");
        assert_eq!(shop["id"], reseller.key.id.to_string());
        assert_eq!(
            (&shop["status"], &shop["spent_today"]),
            (&json!("ACTIVE"), &json!("0.00"))
        );
        for key in keys {
            let (shown, fields) = (key.to_string(), key.as_object().unwrap());
            assert!(!shown.contains(reseller.key.secret.expose()));
            assert!(!fields.contains_key("key") && !fields.contains_key("url_secret"));
        }
    });
}

#[test]
fn revoked_key_buys_nothing_from_the_answer_on() {
    with_world(async |world| {
        let (key, id) = (
            world.key("demo-both"),
            world.reseller("demo-both").key.id.to_string(),
        );
        let body = order_of("WOO-1", world.product("Antivirus"));
        world.order(&key, &body).await.data(201);
        let before = world.state();

        let revoked = world
            .revoke("demo-both", &id, &json!({"reason": "leaked"}))
            .await;
        let shown = revoked.data(200);
        assert_eq!(
            (&shown["status"], &shown["id"]),
            (&json!("REVOKED"), &json!(id))
        );
        assert_eq!(shown["spent_today"], "23.99");
        assert_eq!(revoked.header("idempotent-replayed"), None);

        world
            .order(&key, &order_of("WOO-2", world.product("Antivirus")))
            .await
            .refused(401, "UNAUTHORIZED");
        world.order(&key, &body).await.refused(401, "UNAUTHORIZED");
        assert_eq!(world.state(), before);
        let again = world.revoke("demo-both", &id, &json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200)["status"], "REVOKED");
        assert_eq!(
            world.scalar("SELECT revoked_reason FROM api_keys WHERE revoked_at IS NOT NULL"),
            "leaked"
        );
    });
}

#[test]
fn key_is_revoked_although_its_balance_cannot_be_loaded() {
    with_world(async |world| {
        // A key of a reseller whose balance is not in memory yet.
        let relationship = RelationshipId::from_uuid(world.cast.merchant.uuid());
        let (reseller, key) = (relationship.uuid(), world.reseller("demo-auto").key.id);
        world.sql(&format!(
            "INSERT INTO relationships (merchant_id, relationship_id, code, email, name, status, mode)
             SELECT merchant_id, '{reseller}', 'new', '', '', 'ACTIVE', 'BOTH' FROM merchants"
        ));
        world.sql(&format!(
            "INSERT INTO balances (merchant_id, relationship_id, test)
             SELECT merchant_id, '{reseller}', false FROM merchants"
        ));
        let key_id = key.uuid();
        world.sql(&format!(
            "UPDATE api_keys SET relationship_id = '{reseller}' WHERE key_id = '{key_id}'"
        ));
        world.sql("ALTER TABLE ledger_entries RENAME TO away");
        let path = format!("/dev/v1/resellers/{relationship}/api-keys/{key}/revoke");
        let revoke = async || {
            let call = world.call("POST", &path).key(&world.merchant_key());
            call.json(&json!({})).send().await
        };
        revoke().await.refused(503, "OUTCOME_UNKNOWN");
        let revoked = format!("SELECT revoked_at IS NULL FROM api_keys WHERE key_id = '{key_id}'");
        assert_eq!(world.scalar(&revoked), "f");
        world.sql("ALTER TABLE away RENAME TO ledger_entries");
        assert_eq!(revoke().await.data(200)["status"], "REVOKED");
    });
}

#[test]
fn keys_of_others_cannot_be_revoked() {
    with_world(async |world| {
        let (other, merchants) = (world.reseller("demo-auto").key.id, world.cast.key.id);
        let mut bodies = Vec::new();
        for key in [other.to_string(), merchants.to_string(), "key_x".to_owned()] {
            let reply = world.revoke("demo-both", &key, &json!({})).await;
            reply.refused(404, "NOT_FOUND");
            bodies.push(reply.text());
        }
        let nobody = "/dev/v1/resellers/rel_00000000000000000000000000/api-keys";
        let reply = world
            .call("GET", nobody)
            .key(&world.merchant_key())
            .send()
            .await;
        bodies.push(reply.text());
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NOT NULL"),
            "0"
        );
        let long = json!({"reason": "x".repeat(501)});
        let key = world.reseller("demo-both").key.id.to_string();
        world
            .revoke("demo-both", &key, &long)
            .await
            .refused(422, "VALIDATION_ERROR");
    });
}

#[test]
fn callers_learn_who_they_are() {
    with_world(async |world| {
        let me = world
            .call("GET", "/reseller/v1/me")
            .key(&world.key("demo-suspended"));
        let me = me.send().await.data(200);
        assert_eq!(
            me["relationship_id"],
            world.reseller("demo-suspended").id.to_string()
        );
        assert_eq!(
            (&me["status"], &me["mode"]),
            (&json!("SUSPENDED"), &json!("BOTH"))
        );
        assert_eq!(
            (&me["tier"], &me["code"]),
            (&json!("custom"), &json!("demo-suspended"))
        );
        assert_eq!(me["key"]["last_used_ip"], "127.0.0.1");
        assert_eq!(me["limits"]["purchase_limit_daily"], Value::Null);
        assert_eq!(me["limits"]["used_today"], "0.00");

        let merchant = world.call("GET", "/dev/v1/me").key(&world.merchant_key());
        let merchant = merchant.send().await.data(200);
        assert_eq!(merchant["shop"], me["shop"]);
        assert_eq!(merchant["shop"]["id"], world.cast.merchant.to_string());
        assert_eq!(
            (&merchant["mode"], &merchant["scopes"]),
            (&json!("live"), &json!(["*"]))
        );
    });
}

#[test]
fn reseller_reaches_nothing_of_the_merchant() {
    with_world(async |world| {
        let (key, id) = (world.key("demo-both"), world.product("Antivirus").id);
        let reseller = world.reseller("demo-both").id;
        for (method, path) in [
            ("GET", "/dev/v1/me".to_owned()),
            ("GET", format!("/dev/v1/products/{id}/stock")),
            ("POST", format!("/dev/v1/products/{id}/serials")),
            ("GET", format!("/dev/v1/resellers/{reseller}/api-keys")),
            (
                "POST",
                format!("/dev/v1/resellers/{reseller}/balance/credit"),
            ),
        ] {
            let refused = world.call(method, &path).key(&key).send().await;
            refused.refused(403, "FORBIDDEN");
            world
                .call(method, &path)
                .send()
                .await
                .refused(401, "UNAUTHORIZED");
        }
    });
}
