//! Replacements: asked for by shops, granted by rule or by the merchant, once per item.

use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    /// An order of some units, delivered.
    async fn bought(&self, order_id: &str, quantity: u32) -> Value {
        let mut order = order_of(order_id, self.product("Closed beta"));
        order["quantity"] = json!(quantity);
        self.order(&self.key("demo-both"), &order).await.data(201)
    }

    pub(crate) async fn ask_replacement(
        &self,
        fulfillment: &Value,
        item: usize,
        body: &Value,
    ) -> Reply {
        let (id, item) = (
            &fulfillment["id"],
            &fulfillment["lines"][0]["items"][item]["id"],
        );
        let path = format!(
            "/reseller/v1/fulfillments/{}/items/{}/replacements",
            id.as_str().unwrap(),
            item.as_str().unwrap()
        );
        let call = self.call("POST", &path).key(&self.key("demo-both"));
        call.json(body).send().await
    }

    pub(crate) async fn decide_replacement(&self, id: &Value, verb: &str) -> Reply {
        let id = id.as_str().unwrap();
        let path = format!("/dev/v1/resellers/replacements/{id}/{verb}");
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.json(&json!({"note": "seen"})).send().await
    }

    async fn replacement_rule(&self, automatic: bool, percent: u32) {
        let rule = json!({"window_hours": 24, "auto_approve": automatic, "max_percent": percent});
        let call = self.call("PATCH", "/dev/v1/reseller-program");
        let call = call.key(&self.merchant_key());
        call.json(&json!({"replacement": rule}))
            .send()
            .await
            .data(200);
    }

    async fn read_fulfillment(&self, fulfillment: &Value) -> Value {
        let path = format!(
            "/reseller/v1/fulfillments/{}",
            fulfillment["id"].as_str().unwrap()
        );
        let call = self.call("GET", &path).key(&self.key("demo-both"));
        call.send().await.data(200)
    }

    /// What replacements change.
    fn replaced(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) FROM serial_claims) || ' ' || (SELECT COUNT(*) FROM refunds)
               || ' ' || (SELECT COALESCE(string_agg(status, ','), '') FROM replacements)",
        )
    }
}

fn statuses(fulfillment: &Value) -> Vec<&str> {
    let items = fulfillment["lines"][0]["items"].as_array().unwrap().iter();
    items.map(|item| item["status"].as_str().unwrap()).collect()
}

#[test]
fn merchant_issues_a_successor_that_every_reading_shows_in_its_place() {
    with_world(async |world| {
        world.replacement_rule(false, 5).await;
        let sold = world.bought("WOO-1", 2).await;
        let asked = json!({"reason": "used", "note": "The customer sent a screenshot."});
        let asked = world.ask_replacement(&sold, 0, &asked).await.data(201);
        assert_eq!(asked["status"], "REQUESTED");
        let issued = world
            .decide_replacement(&asked["id"], "issue")
            .await
            .data(200);
        assert_eq!(
            (&issued["status"], &issued["decided_by"]),
            (&json!("ISSUED"), &json!("MERCHANT"))
        );
        let read = world.read_fulfillment(&sold).await;
        assert_eq!(statuses(&read), ["REPLACED", "DELIVERED", "DELIVERED"]);
        let items = &read["lines"][0]["items"];
        assert_eq!(items[0]["replaced_by"], issued["new_item_id"]);
        assert_eq!(items[1]["id"], issued["new_item_id"]);
        assert_eq!(items[1]["replaces"], asked["item_id"]);
        assert_eq!(
            read["serials"], sold["serials"],
            "what was delivered stays told"
        );
        let mut order = order_of("WOO-1", world.product("Closed beta"));
        order["quantity"] = json!(2);
        let again = world.order(&world.key("demo-both"), &order).await.data(200);
        assert_eq!(statuses(&again), statuses(&read), "a replay shows it too");
        let before = world.replaced();
        let again = world.decide_replacement(&asked["id"], "issue").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let other = world.decide_replacement(&asked["id"], "credit").await;
        other.refused(409, "INVALID_STATE");
        let twice = world
            .ask_replacement(&sold, 0, &json!({"reason": "USED"}))
            .await;
        twice.refused(422, "REPLACEMENT_REFUSED");
        assert_eq!(world.replaced(), before);
    });
}

#[test]
fn bad_serials_are_counted_for_their_upload_and_for_who_got_them() {
    with_world(async |world| {
        world.replacement_rule(false, 5).await;
        let sold = world.bought("WOO-1", 2).await;
        let asked = json!({"reason": "USED"});
        let asked = world.ask_replacement(&sold, 0, &asked).await.data(201);
        let batches = async || {
            let product = world.product("Closed beta").id;
            let path = format!("/dev/v1/serials/batches?product_id={product}");
            let call = world.call("GET", &path).key(&world.merchant_key());
            call.send().await.data(200)[0].clone()
        };
        let before = batches().await;
        assert_eq!(before["counts"]["burned"], 0, "asked for, not decided");
        world
            .decide_replacement(&asked["id"], "issue")
            .await
            .data(200);
        let after = batches().await;
        assert_eq!(
            (&after["counts"]["sold"], &after["counts"]["burned"]),
            (&json!(2), &json!(1)),
            "its successor is sold"
        );
        assert_eq!(after["burned_percent"], json!(33.33));
        let path = format!("/dev/v1/serials/batches/{}", after["id"].as_str().unwrap());
        let call = world.call("GET", &path).key(&world.merchant_key());
        let reached = call.send().await.data(200);
        let reseller = json!({
            "id": world.reseller("demo-both").id.to_string(), "units": 2, "burned": 1
        });
        assert_eq!(reached["resellers"], json!([reseller]));
        assert_eq!(reached["batch"], after);
    });
}

#[test]
fn requests_are_granted_by_rule_and_credited_when_the_shelf_is_empty() {
    with_world(async |world| {
        world.replacement_rule(true, 100).await;
        // The shelf holds three.
        let sold = world.bought("WOO-1", 2).await;
        let body = json!({"reason": "INVALID"});
        let issued = world.ask_replacement(&sold, 0, &body).await.data(201);
        assert_eq!(
            (&issued["status"], &issued["decided_by"]),
            (&json!("ISSUED"), &json!("AUTO"))
        );
        let before = world.balance(&world.key("demo-both")).await;
        let credited = world.ask_replacement(&sold, 1, &body).await.data(201);
        assert_eq!(credited["status"], "CREDITED");
        let after = world.balance(&world.key("demo-both")).await;
        assert_ne!(after["balance"], before["balance"]);
        let read = world.read_fulfillment(&sold).await;
        assert_eq!(statuses(&read), ["REPLACED", "DELIVERED", "REFUNDED"]);
        assert_eq!(read["status"], "PARTIALLY_REFUNDED");
        assert_eq!(read["refunded_total"], read["unit_price"]);
        let burned = world.call(
            "GET",
            &format!(
                "/dev/v1/products/{}/serials?status=BURNED",
                world.product("Closed beta").id
            ),
        );
        let burned = burned.key(&world.merchant_key()).send().await.json();
        assert_eq!(burned["pagination"]["total"], 2);
    });
}

#[test]
fn replacement_that_was_cut_off_is_carried_out_once() {
    with_world(async |world| {
        world.replacement_rule(false, 5).await;
        let sold = world.bought("WOO-1", 1).await;
        let body = json!({"reason": "REGION"});
        let asked = world.ask_replacement(&sold, 0, &body).await.data(201);
        let id = &asked["id"];
        world.decide_replacement(id, "issue").await.data(200);
        // As after a crash between the withdrawal and what is stored of it.
        world.sql("UPDATE replacements SET status = 'ISSUING', successor_id = NULL");
        let claims = world.scalar("SELECT COUNT(*) FROM serial_claims");
        let issued = world.decide_replacement(id, "issue").await.data(200);
        assert_eq!(issued["status"], "ISSUED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM serial_claims"), claims);
    });
}

#[test]
fn replacements_that_are_not_right_change_nothing() {
    with_world(async |world| {
        world.replacement_rule(false, 5).await;
        let sold = world.bought("WOO-1", 3).await;
        let good = json!({"reason": "OTHER"});
        let asked = world.ask_replacement(&sold, 0, &good).await.data(201);
        let before = world.replaced();
        for body in [
            json!({}),
            json!({"reason": "UGLY"}),
            json!({"reason": "USED", "note": "x".repeat(1001)}),
            json!({"reason": "USED", "surprise": 1}),
        ] {
            let refused = world.ask_replacement(&sold, 1, &body).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        // The shelf is empty: the decision is taken back.
        let empty = world.decide_replacement(&asked["id"], "issue").await;
        empty.refused(409, "OUT_OF_STOCK");
        assert_eq!(world.replaced(), before);
        let mut other = sold.clone();
        other["lines"][0]["items"][0]["id"] = json!("fit_00000000000000000000000000");
        let missing = world.ask_replacement(&other, 0, &good).await;
        missing.refused(404, "NOT_FOUND");
        let rejected = world.decide_replacement(&asked["id"], "reject").await;
        assert_eq!(rejected.data(200)["status"], "REJECTED");
        let late = world.decide_replacement(&asked["id"], "issue").await;
        late.refused(409, "INVALID_STATE");
        world.sql("UPDATE ledger_entries SET created_at = created_at - interval '25 hours'");
        let late = world.ask_replacement(&sold, 2, &good).await;
        late.refused(422, "REPLACEMENT_REFUSED");
    });
}

#[test]
fn person_asks_for_a_replacement_and_reads_its_own() {
    with_world(async |world| {
        world.replacement_rule(false, 5).await;
        let session = world.as_reseller("demo-both", "ann@example.com").await;
        let reseller = world.reseller("demo-both").id;
        let own = |method, path: &str| {
            let path = format!("/programs/{reseller}/{path}");
            world.page(method, &path).header("cookie", &session)
        };
        let sold = world.bought("WOO-1", 1).await;
        let item = sold["lines"][0]["items"][0]["id"].as_str().unwrap();
        let path = format!(
            "fulfillments/{}/items/{item}/replacements",
            sold["id"].as_str().unwrap()
        );
        let ask = async || {
            let call = own("POST", &path);
            call.json(&json!({"reason": "used"})).send().await
        };
        let asked = ask().await.data(201);
        assert_eq!(
            (&asked["status"], &asked["item_id"]),
            (&json!("REQUESTED"), &json!(item))
        );
        ask().await.refused(422, "REPLACEMENT_REFUSED");
        let listed = async |query: &str| {
            let found = own("GET", &format!("replacements{query}")).send().await;
            found.data(200)
        };
        assert_eq!(listed("").await, json!([asked]));
        assert_eq!(listed("?status=issued").await, json!([]));
        assert_eq!(listed("?test=true").await, json!([]));
        world
            .decide_replacement(&asked["id"], "reject")
            .await
            .data(200);
        assert_eq!(listed("?status=rejected").await[0]["id"], asked["id"]);
        let other = world.reseller("demo-stock").id;
        let foreign = world.page("GET", &format!("/programs/{other}/replacements"));
        let foreign = foreign.header("cookie", &session).send().await;
        foreign.refused(404, "NOT_FOUND");
    });
}
