//! Changes that carry an `Idempotency-Key`: executed once, answered the same way ever after.

use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

impl World {
    async fn post(&self, path: &str, key: &str, body: &Value) -> Reply {
        let call = self
            .call("POST", &format!("/dev/v1/{path}"))
            .key(&self.merchant_key());
        call.header("idempotency-key", key).json(body).send().await
    }

    fn credit_path(&self, code: &str) -> String {
        format!("resellers/{}/balance/credit", self.reseller(code).id)
    }
}

fn credit(reference: &str) -> Value {
    json!({"amount": "1.00", "type": "PROMO", "description": "Welcome", "reference": reference})
}

#[test]
fn same_request_gets_the_same_answer() {
    with_world(async |world| {
        let beta = format!("products/{}/serials", world.product("Closed beta").id);
        let body = json!({"serials": ["A", "B"]});
        let first = world.post(&beta, "delivery-1", &body).await;
        assert_eq!(
            (first.status.as_u16(), first.header("idempotent-replayed")),
            (201, None)
        );

        // Without the key, the same serials again would be refused as duplicates.
        let again = world.post(&beta, "delivery-1", &body).await;
        assert_eq!((again.status, again.text()), (first.status, first.text()));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let other = world.post(&beta, "delivery-2", &body).await;
        other.refused(422, "VALIDATION_ERROR");
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM imports WHERE label IS NULL"),
            "1"
        );
    });
}

#[test]
fn key_of_another_body_is_refused_and_changes_nothing() {
    with_world(async |world| {
        let path = world.credit_path("demo-broke");
        world.post(&path, "k-1", &credit("pay-1")).await.data(201);
        let before = world.state();
        world
            .post(&path, "k-1", &credit("pay-2"))
            .await
            .refused(422, "IDEMPOTENCY_MISMATCH");
        assert_eq!(world.state(), before);
        // Another address is another request.
        world
            .post(&world.credit_path("demo-auto"), "k-1", &credit("pay-2"))
            .await
            .data(201);
    });
}

#[test]
fn final_refusal_is_an_answer_too() {
    with_world(async |world| {
        let path = world.credit_path("demo-broke");
        world.post(&path, "k-1", &credit("pay-1")).await.data(201);
        let mut more = credit("pay-1");
        more["amount"] = json!("2.00");
        let refused = world.post(&path, "k-2", &more).await;
        refused.refused(409, "ALREADY_EXISTS");
        let again = world.post(&path, "k-2", &more).await;
        assert_eq!(
            (again.status, again.text()),
            (refused.status, refused.text())
        );
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    });
}

#[test]
fn attempts_at_the_same_moment_are_executed_once() {
    with_world(async |world| {
        let path = world.credit_path("demo-broke");
        let body = credit("pay-1");
        let attempts = (0..8).map(|_| world.post(&path, "k-1", &body));
        let replies = futures_util::future::join_all(attempts).await;
        let fresh =
            |reply: &&Reply| reply.status == 201 && reply.header("idempotent-replayed").is_none();
        assert_eq!(replies.iter().filter(fresh).count(), 1);
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            reply.refused(409, "REQUEST_IN_PROGRESS");
            assert!(matches!(reply.header("retry-after"), Some("1" | "2")));
        }
        assert_eq!(
            world.balance(&world.key("demo-broke")).await["balance"],
            "13.00"
        );
    });
}

#[test]
fn attempt_whose_process_ended_is_executed_by_the_same_request() {
    with_world(async |world| {
        let path = world.credit_path("demo-broke");
        world.post(&path, "k-1", &credit("pay-1")).await.data(201);
        world.sql("UPDATE idempotency_keys SET status = NULL, body = NULL");
        world
            .post(&path, "k-1", &credit("pay-1"))
            .await
            .refused(409, "REQUEST_IN_PROGRESS");
        world.sql("UPDATE idempotency_keys SET started_at = started_at - interval '2 minutes'");
        world
            .post(&path, "k-1", &credit("pay-2"))
            .await
            .refused(422, "IDEMPOTENCY_MISMATCH");
        let again = world.post(&path, "k-1", &credit("pay-1")).await;
        again.data(200);
        assert_eq!(
            world.balance(&world.key("demo-broke")).await["balance"],
            "13.00"
        );
        world.sql("UPDATE idempotency_keys SET started_at = started_at - interval '8 days'");
        world.post(&path, "k-9", &credit("pay-9")).await.data(201);
        assert_eq!(
            world.scalar("SELECT string_agg(key, ' ') FROM idempotency_keys"),
            "k-9"
        );
    });
}

#[test]
fn key_that_is_none_is_malformed() {
    with_world(async |world| {
        let path = world.credit_path("demo-broke");
        let long = "x".repeat(256);
        for key in ["", "tab\there", long.as_str()] {
            world
                .post(&path, key, &credit("pay-1"))
                .await
                .refused(400, "BAD_REQUEST");
        }
    });
}
