//! Serials on their way in: whole or not at all, each secret once, sold in order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    async fn upload(&self, path: &str, body: &Value) -> Reply {
        let path = format!("/dev/v1/products/{path}/serials");
        self.call("POST", &path)
            .key(&self.merchant_key())
            .json(body)
            .send()
            .await
    }

    fn serials(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) FROM serials) || ' ' || (SELECT COUNT(*) FROM imports)",
        )
    }
}

fn lines(error: &Value) -> Vec<&str> {
    let details = error["details"].as_array().unwrap();
    details
        .iter()
        .map(|detail| detail["field"].as_str().unwrap())
        .collect()
}

#[test]
fn uploaded_serials_are_sold_after_those_before_them() {
    with_world(async |world| {
        let beta = world.product("Closed beta");
        let body = json!({"serials": " NEW-1 \r\n\nNEW-2", "label": "May"});
        let stored = world.upload(&beta.id.to_string(), &body).await.data(201);
        assert_eq!(
            (&stored["added_count"], &stored["duplicate_count"]),
            (&json!(2), &json!(0))
        );
        assert_eq!(stored["stock"], 5);
        assert!(stored["batch_id"].as_str().unwrap().starts_with("bat_"));

        let mut order = order_of("WOO-1", beta);
        order["quantity"] = json!(5);
        let sold = world.order(&world.key("demo-both"), &order).await.data(201);
        assert_eq!(
            sold["serials"].as_array().unwrap()[3..],
            [json!("NEW-1"), json!("NEW-2")]
        );
    });
}

#[test]
fn stored_upload_that_cannot_be_counted_is_never_told_as_not_executed() {
    with_world(async |world| {
        let beta = world.product("Closed beta").id.to_string();
        world.sql("ALTER TABLE serial_claims RENAME TO away");
        let answer = world.upload(&beta, &json!({"serials": ["A", "B"]})).await;
        answer.refused(503, "OUTCOME_UNKNOWN");
        world.sql("ALTER TABLE away RENAME TO serial_claims");
        let waiting = world.scalar("SELECT COUNT(*) FROM imports WHERE number IS NULL");
        assert_eq!(waiting, "0");
        let again = json!({"serials": ["A", "B"], "remove_duplicates": true});
        let again = world.upload(&beta, &again).await.data(201);
        assert_eq!(
            (&again["duplicate_count"], &again["stock"]),
            (&json!(2), &json!(5))
        );
    });
}

#[test]
fn duplicates_refuse_an_upload_or_are_left_out_as_asked() {
    with_world(async |world| {
        let beta = world.product("Closed beta").id.to_string();
        world
            .upload(&beta, &json!({"serials": ["A", "B"]}))
            .await
            .data(201);
        let before = world.serials();

        let stored = world.upload(&beta, &json!({"serials": ["C", "B"]})).await;
        assert_eq!(lines(&stored.refused(422, "VALIDATION_ERROR")), ["line 2"]);
        let gift = world.product("Gift card").id.to_string();
        let elsewhere = world.upload(&gift, &json!({"serials": "B"})).await;
        elsewhere.refused(422, "VALIDATION_ERROR");
        let repeated = world
            .upload(&beta, &json!({"serials": ["C", "D", "C"]}))
            .await;
        assert_eq!(
            lines(&repeated.refused(422, "VALIDATION_ERROR")),
            ["line 3"]
        );
        assert_eq!(world.serials(), before);

        let body = json!({"serials": ["C", "B", "C", "D"], "remove_duplicates": true});
        let stored = world.upload(&beta, &body).await.data(201);
        assert_eq!(
            (&stored["added_count"], &stored["duplicate_count"]),
            (&json!(2), &json!(2))
        );
        let again = world.upload(&beta, &body).await.data(201);
        assert_eq!(
            (&again["added_count"], &again["duplicate_count"]),
            (&json!(0), &json!(4))
        );
        assert_eq!(again["stock"], 7);
    });
}

#[test]
fn upload_that_is_not_right_adds_nothing() {
    with_world(async |world| {
        let beta = world.product("Closed beta").id.to_string();
        let before = world.serials();
        let long = "x".repeat(4097);
        for (body, fields) in [
            (
                json!({"serials": ["A", long, "B\u{7}"]}),
                vec!["line 2", "line 3"],
            ),
            (json!({"serials": " \n"}), vec!["serials"]),
            (json!({"serials": 5}), vec!["serials"]),
            (json!({"serials": [5]}), vec!["serials[0]"]),
            (json!({}), vec!["serials"]),
            (
                json!({"serials": "A", "label": "x".repeat(101)}),
                vec!["label"],
            ),
            (json!({"serials": "A", "surprise": 1}), vec!["surprise"]),
        ] {
            let error = world
                .upload(&beta, &body)
                .await
                .refused(422, "VALIDATION_ERROR");
            assert_eq!(lines(&error), fields);
        }
        let many: Vec<_> = (0..50_001).map(|number| number.to_string()).collect();
        let many = world
            .upload(&beta, &json!({"serials": many.join("\n")}))
            .await;
        many.refused(422, "VALIDATION_ERROR");
        let large = world.call("POST", &format!("/dev/v1/products/{beta}/serials"));
        let large = large.key(&world.merchant_key()).announce((8 << 20) + 1);
        large.send().await.refused(413, "PAYLOAD_TOO_LARGE");
        assert_eq!(world.serials(), before);
    });
}

#[test]
fn serials_belong_to_a_variant_if_there_are_any() {
    with_world(async |world| {
        let starfall = world.product("Starfall");
        let (id, variant) = (starfall.id.to_string(), starfall.variants[1].id.to_string());
        let body = json!({"serials": "DELUXE-1"});
        let error = world
            .upload(&id, &body)
            .await
            .refused(422, "VALIDATION_ERROR");
        assert_eq!(lines(&error), ["variant_id"]);
        let path = format!("{id}/variants/{variant}");
        let stored = world.upload(&path, &body).await.data(201);
        assert_eq!(stored["stock"], 201);

        let service = world.product("Setup").id.to_string();
        world
            .upload(&service, &body)
            .await
            .refused(422, "PRODUCT_NOT_ELIGIBLE");
        let foreign = format!("{}/variants/{variant}", world.product("Gift card").id);
        let mut bodies = BTreeSet::new();
        for path in [
            foreign.as_str(),
            "prd_00000000000000000000000000",
            "nonsense",
        ] {
            let reply = world.upload(path, &body).await;
            reply.refused(404, "NOT_FOUND");
            bodies.insert(reply.text());
        }
        assert_eq!(bodies.len(), 1);
    });
}

#[test]
fn uploads_at_the_same_moment_store_each_secret_once() {
    with_world(async |world| {
        let beta = world.product("Closed beta").id.to_string();
        let serials: Vec<_> = (0..500).map(|number| format!("S-{number}")).collect();
        let body = json!({"serials": serials, "remove_duplicates": true});
        let uploads = (0..4).map(|_| world.upload(&beta, &body));
        let mut added = 0;
        for reply in futures_util::future::join_all(uploads).await {
            added += reply.data(201)["added_count"].as_u64().unwrap();
        }
        assert_eq!(added, 500);
        let stock = world.call("GET", &format!("/dev/v1/products/{beta}/stock"));
        let stock = stock.key(&world.merchant_key()).send().await.data(200);
        assert_eq!(stock["stock"], 503);
    });
}
