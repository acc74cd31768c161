//! Resellers make, change, rotate and revoke the keys of their shops; owners those of the merchant.

use chrono::TimeDelta;
use engine::{
    clock::{Clock as _, SystemClock},
    persons::Role,
};
use persistence::persons;
use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

const ANN: &str = "ann@example.com";
const OWNER: &str = "owner@merchant.example";

impl World {
    /// The reseller with this code, signed in and stepped up.
    async fn reseller_person(&self, code: &str) -> String {
        let id = self.person(ANN).await;
        let (db, reseller) = (&self.server.app().database, self.reseller(code).id);
        persons::bind(db, id, reseller).await.unwrap();
        self.stepped_up(ANN).await
    }

    fn own_keys(&self, code: &str) -> String {
        format!("/portal/v1/programs/{}/api-keys", self.reseller(code).id)
    }

    async fn make(&self, session: &str, path: &str, body: &Value) -> Reply {
        let call = self.as_member(session, "POST", path);
        call.json(body).send().await
    }

    /// Everything of the keys that a refusal must leave as it is.
    fn key_rows(&self) -> String {
        self.scalar(
            "SELECT md5(string_agg((to_jsonb(k) - 'last_used_at' - 'last_used_ip')::text, ''
               ORDER BY k.key_id)) || (SELECT COUNT(*) FROM audit_log) FROM api_keys AS k",
        )
    }
}

fn shop() -> Value {
    json!({"name": "Shop 2", "scopes": ["balance.read", "fulfillments.write", "fulfillments.read"]})
}

/// A key with every bound there is, for one product.
fn bounded(world: &World) -> Value {
    let end = SystemClock.now() + TimeDelta::days(30);
    json!({
        "name": "Shop 2",
        "scopes": ["balance.read", "fulfillments.write", "dynamic.write"],
        "product_ids": [world.product("Antivirus").id.to_string()],
        "max_quantity": 2,
        "ip_allow_list": ["127.0.0.0/8", "::1"],
        "daily_spend_cap": "50.00",
        "rate_limit_per_second": 20,
        "expires_at": end.to_rfc3339(),
    })
}

#[test]
fn secret_of_a_key_is_shown_once() {
    with_world(async |world| {
        let session = world.reseller_person("demo-both").await;
        let path = world.own_keys("demo-both");
        let body = bounded(world);
        let send = async || {
            let call = world.as_member(&session, "POST", &path);
            let call = call.header("idempotency-key", "k-1");
            call.json(&body).send().await
        };
        let made = send().await.data(201);
        let key = made["key"].as_str().unwrap().to_owned();
        assert!(key.starts_with("crk_live_") && made["url_secret"].is_string());
        assert_eq!(made["ip_allow_list"], json!(["127.0.0.0/8", "::1/128"]));
        assert_eq!(
            (&made["status"], &made["spent_today"]),
            (&json!("ACTIVE"), &json!("0.00"))
        );
        let again = send().await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let again = again.data(201);
        assert_eq!((&again["id"], &again["key"]), (&made["id"], &Value::Null));
        let kept =
            world.scalar("SELECT string_agg(convert_from(body, 'UTF8'), '') FROM idempotency_keys");
        assert!(!kept.contains(&key) && !kept.contains(made["url_secret"].as_str().unwrap()));
    });
}

#[test]
fn made_key_sells_within_its_bounds_as_they_are_now() {
    with_world(async |world| {
        let session = world.reseller_person("demo-both").await;
        let path = world.own_keys("demo-both");
        let allowed = world.product("Antivirus");
        let made = world.make(&session, &path, &bounded(world)).await;
        let made = made.data(201);
        let key = made["key"].as_str().unwrap().to_owned();
        let order = |id: &str, quantity: u32| {
            let mut order = order_of(id, allowed);
            order["quantity"] = json!(quantity);
            order
        };
        world.order(&key, &order("K-1", 2)).await.data(201);
        let state = world.state();
        world
            .order(&key, &order("K-2", 3))
            .await
            .refused(422, "QUANTITY_OUT_OF_RANGE");
        let other = world
            .cast
            .products
            .iter()
            .find(|one| one.id != allowed.id && one.variants.is_empty())
            .unwrap();
        world
            .order(&key, &order_of("K-3", other))
            .await
            .refused(403, "PRODUCT_NOT_ALLOWED");
        world
            .order(&key, &order("K-4", 2))
            .await
            .refused(403, "SPEND_CAP_EXCEEDED");
        let read = world.call("GET", "/reseller/v1/products").key(&key);
        read.send().await.refused(403, "FORBIDDEN");
        assert_eq!(world.state(), state);

        let change = json!({"max_quantity": null, "daily_spend_cap": "5000", "product_ids": null,
                            "ip_allow_list": null, "name": "Shop 3"});
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let changed = world.as_member(&session, "PATCH", &one).json(&change);
        let changed = changed.send().await.data(200);
        assert_eq!(
            (&changed["name"], &changed["max_quantity"]),
            (&json!("Shop 3"), &Value::Null)
        );
        world.order(&key, &order("K-2", 3)).await.data(201);

        let narrowed = json!({"ip_allow_list": ["192.0.2.0/24"]});
        let narrowed = world.as_member(&session, "PATCH", &one).json(&narrowed);
        narrowed.send().await.data(200);
        world
            .order(&key, &order("K-5", 1))
            .await
            .refused(403, "IP_NOT_ALLOWED");
        let told = "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log";
        assert_eq!(world.scalar(told), "key.create key.update key.update");
    });
}

#[test]
fn rotated_keys_overlap_and_of_a_chain_two_are_alive() {
    with_world(async |world| {
        let session = world.reseller_person("demo-both").await;
        let path = world.own_keys("demo-both");
        let first = world.make(&session, &path, &shop()).await.data(201);
        let rotate = async |key: &Value, body: Value| {
            let path = format!("{path}/{}/rotate", key["id"].as_str().unwrap());
            world.make(&session, &path, &body).await
        };
        let second = rotate(&first, json!({})).await.data(201);
        assert_eq!(
            (&second["name"], &second["scopes"]),
            (&first["name"], &first["scopes"])
        );
        let text = |key: &Value| key["key"].as_str().unwrap().to_owned();
        let product = world.product("Antivirus");
        world
            .order(&text(&first), &order_of("R-1", product))
            .await
            .data(201);
        world
            .order(&text(&second), &order_of("R-2", product))
            .await
            .data(201);
        let listed = world.as_member(&session, "GET", &path).send().await.json();
        let old = listed["data"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["id"] == first["id"]);
        let old = old.unwrap();
        assert_eq!(
            (&old["status"], &old["replaced_by"]),
            (&json!("RETIRING"), &second["id"])
        );
        assert!(old["last_used_at"].is_string() || old["last_used_at"].is_null());

        let rows = world.key_rows();
        let error = rotate(&first, json!({}))
            .await
            .refused(409, "INVALID_STATE");
        assert_eq!(error["details"][0]["message"], "RETIRING");
        rotate(&second, json!({}))
            .await
            .refused(409, "INVALID_STATE");
        rotate(&second, json!({"overlap_hours": 169}))
            .await
            .refused(422, "VALIDATION_ERROR");
        assert_eq!(world.key_rows(), rows);

        world.sql("UPDATE api_keys SET retires_at = now() WHERE retires_at IS NOT NULL");
        let third = rotate(&second, json!({"overlap_hours": 0})).await.data(201);
        world
            .order(&text(&second), &order_of("R-3", product))
            .await
            .refused(401, "UNAUTHORIZED");
        world
            .order(&text(&third), &order_of("R-3", product))
            .await
            .data(201);
    });
}

#[test]
fn refused_keys_change_nothing() {
    with_world(async |world| {
        let session = world.reseller_person("demo-both").await;
        let path = world.own_keys("demo-both");
        let rows = world.key_rows();
        for (change, field) in [
            (json!({"scopes": []}), "scopes"),
            (json!({"scopes": ["everything"]}), "scopes"),
            (json!({"scopes": ["resellers.write"]}), "scopes"),
            (json!({"scopes": ["*"]}), "scopes"),
            (json!({"scopes": ["dynamic.write"]}), "daily_spend_cap"),
            (json!({"name": ""}), "name"),
            (json!({"max_quantity": 0}), "max_quantity"),
            (json!({"max_quantity": 101}), "max_quantity"),
            (json!({"rate_limit_per_second": 0}), "rate_limit_per_second"),
            (json!({"ip_allow_list": ["10.0.0.0/40"]}), "ip_allow_list"),
            (json!({"daily_spend_cap": "-1"}), "daily_spend_cap"),
            (
                json!({"product_ids": ["prd_00000000000000000000000000"]}),
                "product_ids",
            ),
            (json!({"expires_at": "2020-01-01T00:00:00Z"}), "expires_at"),
            (json!({"expires_at": "2099-01-01T00:00:00Z"}), "expires_at"),
            (json!({"expires_at": "tomorrow"}), "expires_at"),
            (json!({"secret": "mine"}), "secret"),
        ] {
            let mut body = shop();
            let fields = change.as_object().unwrap().clone();
            body.as_object_mut().unwrap().extend(fields);
            let refused = world.make(&session, &path, &body).await;
            let error = refused.refused(422, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], field, "{change}");
        }
        let stepped_down = world.session(ANN).await;
        let refused = world.make(&stepped_down, &path, &shop()).await;
        refused.refused(403, "STEP_UP_REQUIRED");
        for code in ["demo-auto", "demo-suspended"] {
            let foreign = world.own_keys(code);
            let refused = world.make(&session, &foreign, &shop()).await;
            refused.refused(404, "NOT_FOUND");
            let read = world.as_member(&session, "GET", &foreign).send().await;
            read.refused(404, "NOT_FOUND");
        }
        let foreign = world.reseller("demo-auto").key.id;
        for key in [foreign.to_string(), "key_x".to_owned()] {
            let one = format!("{path}/{key}");
            let patch = world.as_member(&session, "PATCH", &one).json(&json!({}));
            patch.send().await.refused(404, "NOT_FOUND");
            for verb in ["rotate", "revoke"] {
                let refused = world
                    .make(&session, &format!("{one}/{verb}"), &json!({}))
                    .await;
                refused.refused(404, "NOT_FOUND");
            }
        }
        assert_eq!(world.key_rows(), rows);
    });
}

#[test]
fn who_may_not_buy_makes_no_key_that_buys() {
    with_world(async |world| {
        let session = world.reseller_person("demo-both").await;
        let path = world.own_keys("demo-both");
        let code = "demo-both";
        world.sql("UPDATE relationships SET mode = 'AFFILIATE' WHERE code = 'demo-both'");
        world.terms_changed(code).await;
        let rows = world.key_rows();
        let refused = world.make(&session, &path, &shop()).await;
        refused.refused(403, "MODE_NOT_ALLOWED");
        assert_eq!(world.key_rows(), rows);
        let reads = json!({"name": "Reads", "scopes": ["balance.read", "products.read"]});
        let made = world.make(&session, &path, &reads).await.data(201);
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let more = json!({"scopes": ["fulfillments.write"]});
        let refused = world
            .as_member(&session, "PATCH", &one)
            .json(&more)
            .send()
            .await;
        refused.refused(403, "MODE_NOT_ALLOWED");

        world.sql("UPDATE relationships SET status = 'SUSPENDED' WHERE code = 'demo-both'");
        let rows = world.key_rows();
        let refused = world.make(&session, &path, &reads).await;
        refused.refused(403, "RELATIONSHIP_INACTIVE");
        let rotate = world
            .make(&session, &format!("{one}/rotate"), &json!({}))
            .await;
        rotate.refused(403, "RELATIONSHIP_INACTIVE");
        assert_eq!(world.key_rows(), rows);
        // A leaked key is ended whatever the status is.
        let revoke = world
            .make(&session, &format!("{one}/revoke"), &json!({}))
            .await;
        assert_eq!(revoke.data(200)["status"], "REVOKED");
        let again = world
            .make(&session, &format!("{one}/revoke"), &json!({}))
            .await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    });
}

#[test]
fn twenty_keys_are_enough() {
    with_world(async |world| {
        let session = world.reseller_person("demo-both").await;
        let path = world.own_keys("demo-both");
        world.sql(
            "INSERT INTO api_keys (key_id, merchant_id, relationship_id, test, name, last4, digest, scopes)
             SELECT gen_random_uuid(), k.merchant_id, k.relationship_id, false, 'n', 'last',
               k.digest, k.scopes
             FROM (SELECT k.* FROM api_keys AS k JOIN relationships AS r
                     ON r.relationship_id = k.relationship_id
                   WHERE r.code = 'demo-both' AND NOT 'dynamic.write' = ANY (k.scopes) LIMIT 1) AS k,
               generate_series(1, 20 - (SELECT COUNT(*)::integer FROM api_keys AS k
                 JOIN relationships AS r ON r.relationship_id = k.relationship_id
                 WHERE r.code = 'demo-both') - 1)",
        );
        world.make(&session, &path, &shop()).await.data(201);
        let rows = world.key_rows();
        let refused = world.make(&session, &path, &shop()).await;
        refused.refused(409, "INVALID_STATE");
        assert_eq!(world.key_rows(), rows);
    });
}

#[test]
fn nobody_but_an_owner_makes_keys_of_the_merchant() {
    with_world(async |world| {
        let path = "/dev/v1/api-keys";
        world.member(OWNER, Role::Owner).await;
        world
            .member("manager@merchant.example", Role::Manager)
            .await;
        let body = json!({"name": "Back office", "scopes": ["resellers.read", "products.read"]});
        let owner = world.stepped_up(OWNER).await;
        let manager = world.stepped_up("manager@merchant.example").await;
        let before = world.scalar("SELECT COUNT(*) FROM api_keys");
        let refused = world.make(&manager, path, &body).await;
        refused.refused(403, "FORBIDDEN");
        let stepped_down = world.session(OWNER).await;
        let refused = world.make(&stepped_down, path, &body).await;
        refused.refused(403, "STEP_UP_REQUIRED");
        let key = world.call("POST", path).key(&world.merchant_key());
        key.json(&body).send().await.refused(403, "FORBIDDEN");
        for wrong in [
            json!({"name": "B", "scopes": ["fulfillments.write"]}),
            json!({"name": "B", "scopes": ["*"], "max_quantity": 1}),
            json!({"name": "B", "scopes": ["*"], "test": true}),
        ] {
            let refused = world.make(&owner, path, &wrong).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        assert_eq!(world.scalar("SELECT COUNT(*) FROM api_keys"), before);
    });
}

#[test]
fn owner_makes_rotates_and_ends_keys_of_the_merchant() {
    with_world(async |world| {
        let path = "/dev/v1/api-keys";
        world.member(OWNER, Role::Owner).await;
        let owner = world.stepped_up(OWNER).await;
        let body = json!({"name": "Back office", "scopes": ["resellers.read", "products.read"]});
        let made = world.make(&owner, path, &body).await.data(201);
        let text = made["key"].as_str().unwrap();
        assert!(text.starts_with("cmk_live_") && made["url_secret"].is_null());
        world
            .call("GET", "/dev/v1/resellers")
            .key(text)
            .send()
            .await
            .data(200);
        let refused = world
            .call("GET", "/dev/v1/audit-log")
            .key(text)
            .send()
            .await;
        refused.refused(403, "FORBIDDEN");
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let next = world
            .make(
                &owner,
                &format!("{one}/rotate"),
                &json!({"overlap_hours": 1}),
            )
            .await;
        let next = next.data(201);
        let listed = world.as_member(&owner, "GET", path).send().await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 3);
        let revoked = world
            .make(&owner, &format!("{one}/revoke"), &json!({}))
            .await;
        assert_eq!(revoked.data(200)["status"], "REVOKED");
        let gone = world
            .call("GET", "/dev/v1/resellers")
            .key(text)
            .send()
            .await;
        gone.refused(401, "UNAUTHORIZED");
        let works = world
            .call("GET", "/dev/v1/resellers")
            .key(next["key"].as_str().unwrap());
        works.send().await.data(200);
        // A reseller's key is not reached here.
        let foreign = format!("{path}/{}/revoke", world.reseller("demo-both").key.id);
        world
            .make(&owner, &foreign, &json!({}))
            .await
            .refused(404, "NOT_FOUND");
    });
}

#[test]
fn reseller_reads_what_was_done_to_its_relationship_and_the_merchant_all_of_it() {
    with_world(async |world| {
        let session = world.reseller_person("demo-both").await;
        world.member(OWNER, Role::Owner).await;
        let owner = world.session(OWNER).await;
        let path = world.own_keys("demo-both");
        let made = world.make(&session, &path, &shop()).await.data(201);
        for code in ["demo-both", "demo-auto"] {
            let suspend = format!("/dev/v1/resellers/{}/suspend", world.reseller(code).id);
            world.make(&owner, &suspend, &json!({})).await.data(200);
        }
        let log = async |query: &str| {
            let path = path.replace("api-keys", "audit-log");
            let call = world.as_member(&session, "GET", &format!("{path}?{query}"));
            call.send().await.json()
        };
        let own = log("").await;
        let entries = own["data"].as_array().unwrap();
        let told: Vec<_> = entries.iter().map(|entry| &entry["action"]).collect();
        assert_eq!(told, ["reseller.suspend", "key.create"]);
        assert_eq!(entries[0]["actor"]["type"], "MERCHANT");
        assert_eq!(
            (&entries[0]["actor"]["id"], &entries[0]["ip"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(
            (&entries[1]["target"], &entries[1]["ip"]),
            (&made["id"], &json!("127.0.0.1"))
        );
        let page = log("limit=1").await;
        let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
        let rest = log(&format!("limit=1&cursor={cursor}")).await;
        assert_eq!(rest["data"][0]["action"], "key.create");

        let all = world
            .as_member(&owner, "GET", "/dev/v1/audit-log")
            .send()
            .await
            .json();
        let actions: Vec<_> = all["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["action"])
            .collect();
        assert_eq!(
            actions,
            [
                "reseller.suspend",
                "reseller.suspend",
                "key.create",
                "session.open"
            ]
        );
        let verify = world.as_member(&owner, "GET", "/dev/v1/audit-log/verify");
        assert_eq!(verify.send().await.data(200)["valid"], true);
    });
}

#[test]
fn first_key_of_test_mode_opens_a_test_balance_that_the_next_one_shares() {
    with_world(async |world| {
        // This one has no test balance yet.
        world.sql(
            "DELETE FROM api_keys WHERE test;
             DELETE FROM ledger_entries WHERE balance_id IN (SELECT balance_id FROM balances WHERE test);
             DELETE FROM balances WHERE test",
        );
        let session = world.reseller_person("demo-both").await;
        let path = world.own_keys("demo-both");
        let mut body = shop();
        body["test"] = json!(true);
        let first = world.make(&session, &path, &body).await.data(201);
        let key = first["key"].as_str().unwrap().to_owned();
        assert!(key.starts_with("crk_test_") && first["test"] == true);
        let order = order_of("WOO-1", world.product("Antivirus"));
        let sold = world.order(&key, &order).await.data(201);
        assert_eq!(sold["test"], true);
        let left = world.balance(&key).await["available"].clone();
        assert_eq!(left, sold["balance_after"]);
        let second = world.make(&session, &path, &body).await.data(201);
        let second = second["key"].as_str().unwrap().to_owned();
        assert_eq!(
            world.balance(&second).await["available"],
            left,
            "filled once"
        );
        let replayed = world.order(&second, &order).await.data(200);
        assert_eq!(replayed["serials"], sold["serials"]);
    });
}

#[test]
fn dynamic_url_of_a_key_is_told_without_its_secret() {
    with_world(async |world| {
        let session = world.reseller_person("demo-both").await;
        let keys = world.own_keys("demo-both");
        let made = world.make(&session, &keys, &bounded(world)).await.data(201);
        let plain = world.make(&session, &keys, &shop()).await.data(201);
        let product = world.product("Antivirus").id.to_string();
        let ask = async |id: &Value, query: &str| {
            let path = format!("{keys}/{}/dynamic-url{query}", id.as_str().unwrap());
            world.as_member(&session, "GET", &path).send().await
        };
        let told = ask(&made["id"], &format!("?product_id={product}")).await;
        let told = told.data(200);
        let (id, base) = (
            made["id"].as_str().unwrap(),
            "/reseller/v1/fulfillments/dynamic?",
        );
        let url = told["url"].as_str().unwrap();
        assert!(url.ends_with(&format!(
            "{base}api_key={{api_key}}&customer_email={{customer_email}}\
             &external_order_id={{external_order_id}}&product_id={product}&quantity={{quantity}}"
        )));
        let signed = told["signed_url"].as_str().unwrap();
        assert!(signed.ends_with(&format!(
            "&key_id={id}&product_id={product}&quantity={{quantity}}&ts={{ts}}&sig={{sig}}"
        )));
        for secret in [&made["key"], &made["url_secret"]] {
            assert!(!told.to_string().contains(secret.as_str().unwrap()));
        }
        let refused = ask(&plain["id"], &format!("?product_id={product}")).await;
        refused.refused(403, "FORBIDDEN");
        for (query, field) in [
            (String::new(), "product_id"),
            ("?product_id=x".to_owned(), "product_id"),
            (format!("?product_id={product}&variant_id=x"), "variant_id"),
        ] {
            let refused = ask(&made["id"], &query).await;
            let refused = refused.refused(422, "VALIDATION_ERROR");
            assert_eq!(refused["details"][0]["field"], field);
        }
        let revoke = format!("{keys}/{id}/revoke");
        let revoke = world.as_member(&session, "POST", &revoke).json(&json!({}));
        revoke.send().await.data(200);
        let over = ask(&made["id"], &format!("?product_id={product}")).await;
        over.refused(409, "INVALID_STATE");
    });
}
