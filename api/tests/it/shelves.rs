//! Serials on the shelf and off it: read, removed, pulled, imported again.

use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    async fn shelf_call(&self, method: &'static str, path: &str, body: Option<&Value>) -> Reply {
        let path = format!("/dev/v1/products/{path}");
        let call = self.call(method, &path).key(&self.merchant_key());
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    /// A product with these serials and no others: its id, and theirs in the order of sale.
    async fn stocked(&self, serials: &[&str]) -> (String, Vec<String>) {
        let beta = self.product("Closed beta").id.to_string();
        let all = self.shelf_ids(&beta, "").await;
        let removed = self.shelf_remove(&beta, &all).await.data(200);
        assert_eq!(removed["skipped"], json!([]));
        let stored = json!({"serials": serials});
        self.shelf_call("POST", &format!("{beta}/serials"), Some(&stored))
            .await
            .data(201);
        let ids = self.shelf_ids(&beta, "").await;
        (beta, ids)
    }

    async fn shelf_ids(&self, product: &str, query: &str) -> Vec<String> {
        let listed = self.shelf_list(product, query).await;
        let listed = listed["data"].as_array().unwrap().iter();
        listed
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn shelf_list(&self, product: &str, query: &str) -> Value {
        let path = format!("{product}/serials{query}");
        self.shelf_call("GET", &path, None).await.json()
    }

    async fn shelf_remove(&self, product: &str, ids: &[String]) -> Reply {
        let body = json!({"serial_ids": ids});
        self.shelf_call("DELETE", &format!("{product}/serials"), Some(&body))
            .await
    }

    async fn shelf_pull(&self, product: &str, key: &str, amount: u32) -> Reply {
        self.call("POST", &format!("/dev/v1/products/{product}/serials/claim"))
            .key(&self.merchant_key())
            .header("idempotency-key", key)
            .json(&json!({"amount": amount}))
            .send()
            .await
    }

    /// What withdrawals change.
    fn claims(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) FROM serial_claims) || ' ' || (SELECT COUNT(*) FROM withdrawals)
               || ' ' || (SELECT COUNT(*) FROM serials WHERE removed_at IS NOT NULL)",
        )
    }
}

fn texts(serials: &Value) -> Vec<&str> {
    let serials = serials.as_array().unwrap().iter();
    serials.map(|one| one["serial"].as_str().unwrap()).collect()
}

#[test]
fn serials_are_listed_in_the_order_of_sale_with_what_became_of_them() {
    with_world(async |world| {
        let (beta, ids) = world.stocked(&["A-1234567", "B", "C", "D"]).await;
        let listed = world.shelf_list(&beta, "").await;
        assert_eq!(texts(&listed["data"]), ["A-1234567", "B", "C", "D"]);
        assert_eq!(listed["pagination"]["total"], 4);
        let page = world.shelf_list(&beta, "?page=2&limit=3").await;
        assert_eq!(texts(&page["data"]), ["D"]);
        let order = order_of("WOO-1", world.product("Closed beta"));
        let sold = world.order(&world.key("demo-both"), &order).await.data(201);
        let sold_list = world.shelf_list(&beta, "?status=sold").await;
        let first = &sold_list["data"][0];
        assert_eq!(
            (&first["id"], &first["status"]),
            (&json!(ids[0]), &json!("SOLD"))
        );
        let claimed = json!({"type": "fulfillment", "id": sold["id"]});
        assert_eq!(first["claimed_by"], claimed);
        let batch = first["batch_id"].as_str().unwrap();
        let of_batch = format!("?status=AVAILABLE,SOLD&batch_id={batch}");
        assert_eq!(world.shelf_ids(&beta, &of_batch).await, ids);
        let read = "SELECT COUNT(*) FROM audit_log WHERE action = 'serials.read'";
        let before = world.scalar(read);
        world.shelf_list(&beta, "").await;
        assert_ne!(world.scalar(read), before, "reading is noted");
        for query in ["?status=LOST", "?page=0", "?limit=101", "?batch_id=x"] {
            let path = format!("{beta}/serials{query}");
            let refused = world.shelf_call("GET", &path, None).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let missing = format!("{beta}/variants/{beta}/serials");
        world
            .shelf_call("GET", &missing, None)
            .await
            .refused(404, "NOT_FOUND");
    });
}

#[test]
fn removed_serials_are_not_sold_and_each_that_stays_says_why() {
    with_world(async |world| {
        let (beta, ids) = world.stocked(&["A", "B", "C"]).await;
        let order = order_of("WOO-1", world.product("Closed beta"));
        world.order(&world.key("demo-both"), &order).await.data(201);
        let gift = world.product("Gift card").id.to_string();
        let elsewhere = world.shelf_ids(&gift, "?limit=1").await;
        let (sold, other) = (&ids[0], &elsewhere[0]);
        let unknown = sold.replace("ser_", "ser_7");
        let asked = [sold, &ids[1], other, &unknown].map(Clone::clone);
        let removed = world.shelf_remove(&beta, &asked).await.data(200);
        assert_eq!(removed["removed_count"], 1);
        let skipped = removed["skipped"].as_array().unwrap();
        for (id, reason) in [
            (sold, "CLAIMED"),
            (other, "OTHER_PRODUCT"),
            (&unknown, "UNKNOWN"),
        ] {
            assert!(
                skipped.contains(&json!({"id": id, "reason": reason})),
                "{reason}"
            );
        }
        let order = order_of("WOO-2", world.product("Closed beta"));
        let last = world.order(&world.key("demo-both"), &order).await.data(201);
        assert_eq!(last["serials"], json!(["C"]));
        let order = order_of("WOO-3", world.product("Closed beta"));
        let none = world.order(&world.key("demo-both"), &order).await;
        none.refused(409, "OUT_OF_STOCK");
        assert_eq!(
            world
                .shelf_ids(&beta, "?status=REMOVED&limit=100")
                .await
                .last(),
            Some(&ids[1])
        );
    });
}

#[test]
fn withdrawals_that_are_not_right_change_nothing() {
    with_world(async |world| {
        let (beta, ids) = world.stocked(&["A", "B"]).await;
        let before = world.claims();
        let path = format!("{beta}/serials");
        for body in [
            json!({"serial_ids": []}),
            json!({"serial_ids": vec!["x"; 501]}),
            json!({"serial_ids": "x"}),
            json!({}),
            json!({"serial_ids": ids, "surprise": 1}),
        ] {
            let refused = world.shelf_call("DELETE", &path, Some(&body)).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let path = format!("{beta}/serials/claim");
        for body in [json!({"amount": 0}), json!({"amount": 501}), json!({})] {
            let refused = world.shelf_call("POST", &path, Some(&body)).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let short = world.shelf_pull(&beta, "too-many", 3).await;
        short.refused(409, "OUT_OF_STOCK");
        let missing = "prd_00000000000000000000000000/serials/claim";
        let missing = world
            .shelf_call("POST", missing, Some(&json!({"amount": 1})))
            .await;
        missing.refused(404, "NOT_FOUND");
        assert_eq!(world.claims(), before);
        assert_eq!(world.shelf_ids(&beta, "").await, ids);
    });
}

#[test]
fn pulled_serials_are_read_again_under_their_key_and_kept_in_no_answer() {
    with_world(async |world| {
        let (beta, _) = world.stocked(&["A-SECRET", "B", "C"]).await;
        let pulled = world.shelf_pull(&beta, "pull-1", 2).await.data(200);
        assert_eq!(texts(&pulled["serials"]), ["A-SECRET", "B"]);
        assert_eq!(
            (&pulled["claimed_count"], &pulled["remaining_stock"]),
            (&json!(2), &json!(1))
        );
        let kept = "SELECT COUNT(*) FROM idempotency_keys
                    WHERE position('A-SECRET' IN convert_from(body, 'UTF8')) > 0";
        assert_eq!(world.scalar(kept), "0");
        // As after a crash between the pull and the answer that is kept.
        world.sql("DELETE FROM idempotency_keys");
        let again = world.shelf_pull(&beta, "pull-1", 2).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200)["serials"], pulled["serials"]);
        let other = world.shelf_pull(&beta, "pull-1", 1).await;
        other.refused(422, "IDEMPOTENCY_MISMATCH");
        let last = world.shelf_pull(&beta, "pull-2", 1).await.data(200);
        assert_eq!(texts(&last["serials"]), ["C"]);
    });
}

#[test]
fn removed_texts_may_be_imported_again_and_sold_or_pulled_ones_never() {
    with_world(async |world| {
        let (beta, ids) = world.stocked(&["A", "B", "C"]).await;
        let order = order_of("WOO-1", world.product("Closed beta"));
        world.order(&world.key("demo-both"), &order).await.data(201);
        world.shelf_pull(&beta, "pull-1", 1).await.data(200);
        world.shelf_remove(&beta, &ids[2..]).await.data(200);
        let gift = world.product("Gift card").id.to_string();
        let path = format!("{gift}/serials");
        for (text, status) in [("A", 422), ("B", 422), ("C", 201)] {
            let body = json!({"serials": [text]});
            let stored = world.shelf_call("POST", &path, Some(&body)).await;
            assert_eq!(stored.status.as_u16(), status, "{text}");
        }
    });
}
