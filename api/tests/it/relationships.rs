//! A merchant reads, changes, suspends and terminates its resellers.

use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    fn reseller_path(&self, code: &str) -> String {
        format!("/dev/v1/resellers/{}", self.reseller(code).id)
    }

    async fn read_reseller(&self, code: &str) -> Value {
        let call = self.call("GET", &self.reseller_path(code));
        call.key(&self.merchant_key()).send().await.data(200)
    }

    pub(crate) async fn change_reseller(&self, code: &str, change: &Value) -> Reply {
        let call = self.call("PATCH", &self.reseller_path(code));
        call.key(&self.merchant_key()).json(change).send().await
    }

    async fn step(&self, code: &str, verb: &str, body: &Value) -> Reply {
        let path = format!("{}/{verb}", self.reseller_path(code));
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.json(body).send().await
    }

    async fn list(&self, query: &str) -> Reply {
        let path = format!("/dev/v1/resellers?{query}");
        self.call("GET", &path)
            .key(&self.merchant_key())
            .send()
            .await
    }

    /// How many deeds the audit log tells of, all of them unbroken.
    async fn deeds(&self) -> i64 {
        let call = self.call("GET", "/dev/v1/audit-log/verify");
        let proof = call.key(&self.merchant_key()).send().await.data(200);
        assert_eq!(proof["valid"], true, "{proof}");
        proof["entries"].as_i64().unwrap()
    }
}

fn codes(reply: &Reply) -> Vec<String> {
    let data = reply.json()["data"].as_array().unwrap().clone();
    let codes = data
        .iter()
        .map(|one| one["code"].as_str().unwrap().to_owned());
    codes.collect()
}

#[test]
fn resellers_are_listed_by_cursor_by_number_and_by_filter() {
    with_world(async |world| {
        let all = codes(&world.list("limit=100").await);
        assert_eq!(all.len(), world.cast.resellers.len());
        let mut walked = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = world.list(&format!("limit=2{cursor}")).await;
            walked.extend(codes(&page));
            let next = page.json()["pagination"]["next_cursor"].clone();
            let Some(next) = next.as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(walked, all);
        let second = world.list("page=2&limit=2").await;
        assert_eq!(codes(&second), all[2..4]);
        assert_eq!(second.json()["pagination"]["total"], all.len());

        assert_eq!(codes(&world.list("search=DEMO-BOTH").await), ["demo-both"]);
        assert_eq!(codes(&world.list("search=%25").await), [""; 0]);
        let affiliates = world.list("mode=affiliate").await;
        let modes: Vec<_> = affiliates.json()["data"].as_array().unwrap().clone();
        assert!(!modes.is_empty() && modes.iter().all(|one| one["mode"] == "AFFILIATE"));
        let active = codes(&world.list("status=ACTIVE&limit=100").await).len();
        let rest = codes(&world.list("status=SUSPENDED,INVITED,TERMINATED").await).len();
        assert_eq!(active + rest, all.len());
        for query in [
            "status=GONE",
            "mode=NONE",
            "format=xml",
            "cursor=x",
            "page=0",
        ] {
            world.list(query).await.refused(422, "VALIDATION_ERROR");
        }
        let csv = world.list("format=csv").await;
        let rows: Vec<_> = csv.text().lines().map(str::to_owned).collect();
        assert_eq!(rows.len(), all.len() + 1);
        assert!(rows[0].starts_with("id,email,name,code,status,mode"));
    });
}

#[test]
fn product_access_that_did_not_change_is_not_written() {
    with_world(async |world| {
        let id = world.product("Antivirus").id.to_string();
        let written = || {
            world.scalar(
                "SELECT md5(string_agg(ctid::text || ':' || xmin::text, ',' ORDER BY ctid))
                 FROM product_access",
            )
        };
        let access = json!({"product_access": [{"product_id": id, "max_quantity": 1}]});
        world.change_reseller("demo-both", &access).await.data(200);
        let before = written();
        let name = json!({"name": "Mia"});
        world.change_reseller("demo-both", &name).await.data(200);
        assert_eq!(written(), before);
        let other = json!({"product_access": [{"product_id": id, "max_quantity": 2}]});
        world.change_reseller("demo-both", &other).await.data(200);
        assert_ne!(written(), before);
    });
}

#[test]
fn changed_terms_are_in_force_once_answered() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let id = product.id.to_string();
        world
            .order(&key, &order_of("WOO-1", product))
            .await
            .data(201);
        let change = json!({"name": "Max", "custom_wholesale_discount_percent": 50,
            "custom_commission_percent": "7.5", "purchase_limit_monthly": 1000,
            "product_access": [{"product_id": id, "max_quantity": 1,
                "wholesale_price_override": "1.23"}]});
        let changed = world.change_reseller("demo-both", &change).await.data(200);
        assert_eq!(world.read_reseller("demo-both").await, changed);
        for (field, value) in [
            ("name", json!("Max")),
            ("tier", json!("custom")),
            ("custom_wholesale_discount_percent", json!(50)),
            (
                "effective_terms",
                json!({"commission_percent": 7.5, "wholesale_discount_percent": 50}),
            ),
            ("purchase_limit_monthly", json!(1000.0)),
            ("purchase_limit_daily", Value::Null),
        ] {
            assert_eq!(changed[field], value, "{field}");
        }
        let access = changed["product_access"].as_array().unwrap();
        let active: Vec<_> = access
            .iter()
            .filter(|one| one["status"] == "ACTIVE")
            .collect();
        assert_eq!(active.len(), 1);
        assert_eq!(active[0]["wholesale_price_override"], "1.23");

        let order = world
            .order(&key, &order_of("WOO-2", product))
            .await
            .data(201);
        assert_eq!(order["unit_price"], "1.23");
        let mut two = order_of("WOO-3", product);
        two["quantity"] = json!(2);
        let state = world.state();
        world
            .order(&key, &two)
            .await
            .refused(422, "QUANTITY_OUT_OF_RANGE");
        let other = order_of("WOO-3", world.product("Closed beta"));
        world
            .order(&key, &other)
            .await
            .refused(403, "PRODUCT_NOT_ALLOWED");
        let limit = json!({"purchase_limit_monthly": "0.00"});
        world.change_reseller("demo-both", &limit).await.data(200);
        let limited = world.order(&key, &order_of("WOO-3", product)).await;
        limited.refused(403, "PURCHASE_LIMIT_EXCEEDED");
        let mode = json!({"mode": "AFFILIATE", "purchase_limit_monthly": null});
        world.change_reseller("demo-both", &mode).await.data(200);
        let wrong = world.order(&key, &order_of("WOO-3", product)).await;
        wrong.refused(403, "MODE_NOT_ALLOWED");
        assert_eq!(world.state(), state);

        // The products come back by their ids, with what they cost before.
        let back = json!({"mode": "BOTH", "product_ids": [id]});
        world.change_reseller("demo-both", &back).await.data(200);
        let order = world
            .order(&key, &order_of("WOO-3", product))
            .await
            .data(201);
        assert_eq!(order["unit_price"], "1.23");
        assert_eq!(world.deeds().await, 4);
    });
}

#[test]
fn wrong_changes_are_refused_and_change_nothing() {
    with_world(async |world| {
        let before = world.read_reseller("demo-both").await;
        let id = world.product("Antivirus").id.to_string();
        let stranger = "prd_00000000000000000000000000";
        for change in [
            json!({"email": "other@partner.example"}),
            json!({"status": "ACTIVE"}),
            json!({"version": 9}),
            json!({"name": " "}),
            json!({"mode": "NONE"}),
            json!({"code": "No"}),
            json!({"code": "Capital"}),
            json!({"custom_commission_percent": 101}),
            json!({"custom_wholesale_discount_percent": 0.001}),
            json!({"purchase_limit_daily": -1}),
            json!({"product_scope": "SOME"}),
            json!({"product_ids": [stranger]}),
            json!({"product_access": [{"product_id": stranger}]}),
            json!({"product_access": [{"product_id": id, "variant_id": "var_1"}]}),
            json!({"product_access": [{"product_id": id}, {"product_id": id}]}),
            json!({"product_access": [{"product_id": id, "min_quantity": 3, "max_quantity": 2}]}),
            json!({"product_access": [{"product_id": id, "min_quantity": 0}]}),
            json!({"product_access": [{"product_id": id, "price": 1}]}),
            json!({"product_access": [[id]]}),
        ] {
            let refused = world.change_reseller("demo-both", &change).await;
            assert_eq!(refused.status, 422, "{change}");
            refused.refused(422, "VALIDATION_ERROR");
        }
        let taken = world
            .change_reseller("demo-both", &json!({"code": "demo-auto"}))
            .await;
        taken.refused(409, "ALREADY_EXISTS");
        assert_eq!(world.read_reseller("demo-both").await, before);
        assert_eq!(world.deeds().await, 0);

        let foreign = "/dev/v1/resellers/rel_00000000000000000000000000";
        let key = world.merchant_key();
        let missing = world.call("GET", foreign).key(&key).send().await;
        missing.refused(404, "NOT_FOUND");
        let patch = world.call("PATCH", foreign).key(&key).json(&json!({}));
        patch.send().await.refused(404, "NOT_FOUND");
        let step = world.call("POST", &format!("{foreign}/suspend")).key(&key);
        step.send().await.refused(404, "NOT_FOUND");
        let path = world.reseller_path("demo-both");
        let reseller = world.call("GET", &path).key(&world.key("demo-both"));
        reseller.send().await.refused(403, "FORBIDDEN");
    });
}

#[test]
fn suspended_reseller_buys_nothing_and_hears_why_until_reactivated() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let first = order_of("WOO-1", product);
        let delivered = world.order(&key, &first).await.data(201);
        let why = json!({"reason": "Unpaid invoice"});
        let suspended = world.step("demo-both", "suspend", &why).await.data(200);
        assert_eq!(suspended["status"], "SUSPENDED");
        assert_eq!(suspended["status_reason"], "Unpaid invoice");
        assert!(suspended["suspended_at"].is_string());
        let state = world.state();
        let refused = world.order(&key, &order_of("WOO-2", product)).await;
        let error = refused.refused(403, "RELATIONSHIP_INACTIVE");
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("Unpaid invoice")
        );
        let replayed = world.order(&key, &first).await.data(200);
        assert_eq!(replayed["serials"], delivered["serials"]);
        assert_eq!(world.state(), state);

        let again = world.step("demo-both", "suspend", &json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200), suspended);
        let back = world
            .step("demo-both", "reactivate", &json!({}))
            .await
            .data(200);
        assert_eq!(
            (&back["status"], &back["status_reason"]),
            (&json!("ACTIVE"), &Value::Null)
        );
        world
            .order(&key, &order_of("WOO-2", product))
            .await
            .data(201);
        assert_eq!(world.deeds().await, 2);
    });
}

#[test]
fn terminated_reseller_is_over_and_its_keys_with_it() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        world
            .order(&key, &order_of("WOO-1", product))
            .await
            .data(201);
        let why = json!({"reason": "Ended"});
        let over = world.step("demo-both", "terminate", &why).await.data(200);
        assert_eq!(over["status"], "TERMINATED");
        let refused = world.order(&key, &order_of("WOO-2", product)).await;
        refused.refused(401, "UNAUTHORIZED");
        let again = world.step("demo-both", "terminate", &json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        for verb in ["suspend", "reactivate"] {
            let refused = world.step("demo-both", verb, &json!({})).await;
            let error = refused.refused(409, "INVALID_STATE");
            assert_eq!(error["details"][0]["message"], "TERMINATED");
        }
        let refused = world
            .change_reseller("demo-both", &json!({"name": "Max"}))
            .await;
        refused.refused(409, "INVALID_STATE");
        let live = "SELECT COUNT(*) FROM api_keys AS k JOIN relationships AS r
                      ON r.relationship_id = k.relationship_id
                    WHERE r.code = 'demo-both' AND k.revoked_at IS NULL";
        assert_eq!(world.scalar(live), "0");
        assert_eq!(world.deeds().await, 1);
    });
}

#[test]
fn step_under_an_idempotency_key_gets_the_same_answer() {
    with_world(async |world| {
        let path = format!("{}/suspend", world.reseller_path("demo-both"));
        let send = async |body: &Value| {
            let call = world.call("POST", &path).key(&world.merchant_key());
            call.header("idempotency-key", "k-1")
                .json(body)
                .send()
                .await
        };
        let why = json!({"reason": "Once"});
        let first = send(&why).await;
        let again = send(&why).await;
        assert_eq!(
            (first.data(200), first.header("idempotent-replayed")),
            (again.data(200), None)
        );
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let other = send(&json!({"reason": "Twice"})).await;
        other.refused(422, "IDEMPOTENCY_MISMATCH");
        let long = json!({"reason": "x".repeat(501)});
        let refused = world.step("demo-both", "reactivate", &long).await;
        refused.refused(422, "VALIDATION_ERROR");
        assert_eq!(world.deeds().await, 1);
    });
}

#[test]
fn audit_log_is_for_keys_that_may_do_everything_and_finds_a_touched_row() {
    with_world(async |world| {
        for verb in ["suspend", "reactivate", "suspend"] {
            world.step("demo-both", verb, &json!({})).await.data(200);
        }
        let key = world.merchant_key();
        let log = async |query: &str| {
            let path = format!("/dev/v1/audit-log?{query}");
            world.call("GET", &path).key(&key).send().await
        };
        let first = log("limit=2").await.json();
        let entries = first["data"].as_array().unwrap().clone();
        let told: Vec<_> = entries.iter().map(|entry| &entry["action"]).collect();
        assert_eq!(told, ["reseller.suspend", "reseller.reactivate"]);
        assert_eq!(entries[0]["prev_hash"], entries[1]["hash"]);
        assert_eq!(entries[0]["before_digest"], entries[1]["after_digest"]);
        assert_eq!(entries[0]["ip"], "127.0.0.1");
        let cursor = first["pagination"]["next_cursor"].as_str().unwrap();
        let rest = log(&format!("limit=2&cursor={cursor}")).await.json();
        assert_eq!(rest["data"][0]["seq"], 1);
        let suspensions = log("action=reseller.suspend").await.json();
        assert_eq!(suspensions["data"].as_array().unwrap().len(), 2);
        log("from=yesterday").await.refused(422, "VALIDATION_ERROR");
        let reseller = world
            .call("GET", "/dev/v1/audit-log")
            .key(&world.key("demo-both"));
        reseller.send().await.refused(403, "FORBIDDEN");

        world.sql("UPDATE audit_log SET action = 'reseller.reactivate' WHERE seq = 3");
        let verify = world.call("GET", "/dev/v1/audit-log/verify").key(&key);
        let proof = verify.send().await.data(200);
        assert_eq!(
            (&proof["valid"], &proof["first_bad_seq"]),
            (&json!(false), &json!(3))
        );
    });
}
