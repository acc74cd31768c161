//! Money as a reseller reads it and as a merchant adds it.

use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    async fn credit(&self, code: &str, body: &Value) -> Reply {
        let reseller = self.reseller(code).id;
        let path = format!("/dev/v1/resellers/{reseller}/balance/credit");
        self.call("POST", &path)
            .key(&self.merchant_key())
            .json(body)
            .send()
            .await
    }

    async fn get(&self, code: &str, path: &str) -> Reply {
        let path = format!("/reseller/v1/{path}");
        self.call("GET", &path).key(&self.key(code)).send().await
    }

    async fn deliver(&self, code: &str, order_id: &str) -> Value {
        let body = order_of(order_id, self.product("Antivirus"));
        self.order(&self.key(code), &body).await.data(201)
    }
}

fn credit(amount: &Value, reference: &str) -> Value {
    json!({"amount": amount, "type": "PROMO", "description": "Welcome", "reference": reference})
}

#[test]
fn balance_says_what_there_is_and_how_long_it_lasts() {
    with_world(async |world| {
        let before = world.get("demo-both", "balance").await.data(200);
        assert_eq!(before["balance"], "10000.00");
        assert_eq!(before["forecast"]["hours_left"], Value::Null);

        let sold = world.deliver("demo-both", "WOO-1").await;

        let after = world.get("demo-both", "balance").await.data(200);
        assert_eq!(after["balance"], sold["balance_after"]);
        assert_eq!(after["available"], after["balance"]);
        assert_eq!(after["ledger_version"], 2);
        assert_eq!(after["forecast"]["spend_24h"], sold["total"]);
        assert_eq!(after["forecast"]["spend_7d"], sold["total"]);
        assert!(after["forecast"]["hours_left"].is_u64(), "{after}");
        let mut fields: Vec<_> = after
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        fields.sort_unstable();
        let documented = [
            "auto_top_up",
            "available",
            "balance",
            "currency",
            "debt",
            "forecast",
            "held",
            "is_low",
            "ledger_version",
            "open_top_ups",
            "settings",
        ];
        assert_eq!(fields, documented);
    });
}

#[test]
fn credit_is_given_once_per_reference() {
    with_world(async |world| {
        let first = world
            .credit("demo-broke", &credit(&json!("10.00"), "pay-1"))
            .await;
        let given = first.data(201);
        assert_eq!(
            (&given["amount"], &given["new_balance"]),
            (&json!("10.00"), &json!("22.00"))
        );
        assert_eq!(given["entry"]["kind"], "CREDIT");
        assert_eq!(given["entry"]["reference_id"], "pay-1");

        let again = world
            .credit("demo-broke", &credit(&json!(10), "pay-1"))
            .await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200), given);
        let other = world
            .credit("demo-broke", &credit(&json!("10.01"), "pay-1"))
            .await;
        other.refused(409, "ALREADY_EXISTS");
        let balance = world.get("demo-broke", "balance").await.data(200);
        assert_eq!(balance["balance"], "22.00");
    });
}

#[test]
fn credit_beyond_the_largest_balance_is_not_valid() {
    with_world(async |world| {
        let (key, state) = (world.key("demo-both"), world.state());
        let most = credit(&json!("9999999999.99"), "pay-1");
        let refused = world.credit("demo-both", &most).await;
        refused.refused(422, "VALIDATION_ERROR");
        assert_eq!(world.state(), state);
        world
            .credit("demo-both", &credit(&json!("1.00"), "pay-1"))
            .await
            .data(201);
        assert!(world.balance(&key).await["balance"].is_string());
    });
}

#[test]
fn credit_that_is_not_right_changes_nothing() {
    with_world(async |world| {
        let before = world.state();
        for amount in [
            json!("0"),
            json!("-1"),
            json!("1e3"),
            json!("1.001"),
            json!(1e30),
            json!(null),
        ] {
            let refused = world.credit("demo-both", &credit(&amount, "pay-1")).await;
            let error = refused.refused(422, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], "amount", "{amount}");
        }
        for (field, value) in [
            ("type", json!("BRIBE")),
            ("description", json!("")),
            ("description", json!("x".repeat(501))),
            ("reference", json!("")),
            ("reference", json!("x".repeat(129))),
            ("reference", json!("a\u{0}b")),
            ("surprise", json!(1)),
        ] {
            let mut body = credit(&json!("1.00"), "pay-1");
            body[field] = value;
            let error = world
                .credit("demo-both", &body)
                .await
                .refused(422, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], field);
        }
        assert_eq!(world.state(), before);
    });
}

#[test]
fn credit_to_nobodys_reseller_is_not_found() {
    with_world(async |world| {
        let missing = engine::ids::RelationshipId::from_uuid(uuid::Uuid::nil()).to_string();
        let mut bodies = Vec::new();
        for id in [
            &missing,
            "rel_nonsense",
            &world.product("Antivirus").id.to_string(),
        ] {
            let path = format!("/dev/v1/resellers/{id}/balance/credit");
            let call = world.call("POST", &path).key(&world.merchant_key());
            let reply = call.json(&credit(&json!("1.00"), "pay-1")).send().await;
            reply.refused(404, "NOT_FOUND");
            bodies.push(reply.text());
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    });
}

#[test]
fn ledger_pages_forth_and_back_without_gaps() {
    with_world(async |world| {
        for order in 1..=3 {
            world.deliver("demo-both", &format!("WOO-{order}")).await;
        }
        let mut seen = Vec::new();
        let mut path = "balance/ledger?limit=3".to_owned();
        loop {
            let page = world.get("demo-both", &path).await.json();
            let entries = page["data"].as_array().unwrap();
            seen.extend(
                entries
                    .iter()
                    .map(|entry| entry["version"].as_i64().unwrap()),
            );
            let Some(cursor) = page["pagination"]["next_cursor"].as_str() else {
                break;
            };
            path = format!("balance/ledger?limit=3&cursor={cursor}");
        }
        assert_eq!(seen, [4, 3, 2, 1]);

        let forth = world
            .get("demo-both", "balance/ledger?after_version=2")
            .await
            .data(200);
        assert_eq!(
            (&forth[0]["version"], &forth[1]["version"]),
            (&json!(3), &json!(4))
        );
        let one = world
            .get("demo-both", "balance/ledger?external_order_id=WOO-2")
            .await
            .data(200);
        assert_eq!(one.as_array().unwrap().len(), 1);
        assert_eq!(one[0]["external_order_id"], "WOO-2");
        let credits = world
            .get("demo-both", "balance/ledger?kind=credit")
            .await
            .data(200);
        assert_eq!(credits.as_array().unwrap().len(), 1);
        let none = world
            .get("demo-both", "balance/ledger?kind=REFUND")
            .await
            .data(200);
        assert_eq!(none, json!([]));
        for query in [
            "kind=X",
            "after_version=-1",
            "from=now",
            "limit=0",
            "cursor=x",
            "format=xml",
        ] {
            let reply = world
                .get("demo-both", &format!("balance/ledger?{query}"))
                .await;
            reply.refused(422, "VALIDATION_ERROR");
        }
    });
}

#[test]
fn ledger_is_exported_as_csv() {
    with_world(async |world| {
        world.deliver("demo-both", "=1+1").await;
        let reply = world.get("demo-both", "balance/ledger?format=csv").await;
        assert_eq!(
            reply.header("content-type"),
            Some("text/csv; charset=utf-8")
        );
        assert_eq!(
            reply.header("content-disposition"),
            Some("attachment; filename=\"ledger.csv\"")
        );
        let text = reply.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("version,kind,amount,balance_after,currency,"));
        assert!(lines[1].starts_with("2,FULFILLMENT,-"), "{text}");
        assert!(lines[1].contains(",'=1+1,"), "{text}");
    });
}

#[test]
fn statement_adds_up() {
    with_world(async |world| {
        let sold = world.deliver("demo-both", "WOO-1").await;
        let path = "balance/statement?from=2000-01-01T00:00:00Z&to=2000-12-31T00:00:00Z";
        let empty = world.get("demo-both", path).await.data(200);
        assert_eq!(
            (&empty["entries"], &empty["closing_balance"]),
            (&json!(0), &json!("0.00"))
        );

        let now = engine::clock::Clock::now(&engine::clock::SystemClock);
        let day = |days| (now + chrono::TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ");
        let path = format!("balance/statement?from={}&to={}", day(-1), day(1));
        let statement = world.get("demo-both", &path).await.data(200);
        assert_eq!(statement["opening_balance"], "0.00");
        assert_eq!(statement["closing_balance"], sold["balance_after"]);
        assert_eq!(
            (&statement["closing_version"], &statement["entries"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(statement["totals"]["CREDIT"], "10000.00");
        let total = format!("-{}", sold["total"].as_str().unwrap());
        assert_eq!(statement["totals"]["FULFILLMENT"], total.as_str());
        assert_eq!(statement["digest"].as_str().unwrap().len(), 64);
        assert_eq!(world.get("demo-both", &path).await.data(200), statement);

        for query in [
            String::new(),
            format!("from={}", day(-1)),
            format!("from={}&to={}", day(1), day(-1)),
            format!("from={}&to={}", day(-400), day(0)),
        ] {
            let reply = world
                .get("demo-both", &format!("balance/statement?{query}"))
                .await;
            reply.refused(422, "VALIDATION_ERROR");
        }
    });
}
