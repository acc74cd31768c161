//! Items of an inventory that are no good: asked for by their reseller, decided by the merchant, carried out once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@example.com";
const CUSTOMER: &str = "carl@customer.example";

impl World {
    /// A reseller with so many items, the newest first, and its session.
    async fn with_items(&self, quantity: u32) -> (String, Vec<Value>) {
        self.buy_stock(CODE, "Antivirus", quantity).await.data(201);
        let session = self.as_reseller(CODE, EMAIL).await;
        (session, self.owned_items().await)
    }

    async fn complain(&self, session: &str, item: &Value) -> Reply {
        let path = format!("inventory/{}/replacements", item["id"].as_str().unwrap());
        let body = json!({"reason": "USED", "note": "the shop says so"});
        let call = self.in_portal(session, "POST", &path);
        call.json(&body).send().await
    }

    async fn take_back(&self, session: &str, asked: &Value) -> Reply {
        let path = format!("replacements/{}/cancel", asked["id"].as_str().unwrap());
        let call = self.in_portal(session, "POST", &path);
        call.json(&json!({})).send().await
    }

    async fn item(&self, id: &Value) -> Value {
        let items = self.owned_items().await;
        let found = items.into_iter().find(|item| item["id"] == *id);
        found.unwrap()
    }

    async fn hand_on(&self, session: &str, item: &Value) -> Reply {
        let path = format!("inventory/{}/deliver", item["id"].as_str().unwrap());
        let call = self.in_portal(session, "POST", &path);
        call.json(&json!({"email": CUSTOMER})).send().await
    }

    /// What money and serials could be lost from.
    fn item_books(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) || ' of ' || SUM(amount) FROM ledger_entries) || ', claims '
               || (SELECT COUNT(*) FROM serial_claims) || ', items '
               || (SELECT string_agg(status, ' ' ORDER BY number) FROM inventory_items)",
        )
    }
}

fn fresh(replies: &[Reply]) -> usize {
    let fresh = |reply: &&Reply| reply.header("idempotent-replayed").is_none();
    replies.iter().filter(fresh).count()
}

#[test]
fn item_that_is_no_good_has_one_successor() {
    with_world(async |world| {
        let (session, items) = world.with_items(2).await;
        let bad = &items[0];
        let asked = world.complain(&session, bad).await.data(201);
        assert_eq!(
            [
                &asked["status"],
                &asked["item_id"],
                &asked["fulfillment_id"]
            ],
            [&json!("REQUESTED"), &bad["id"], &Value::Null]
        );
        assert_eq!(asked["stock_request_id"], bad["stock_request_id"]);
        let twice = world.complain(&session, bad).await;
        twice.refused(422, "REPLACEMENT_REFUSED");
        let claims = "SELECT COUNT(*) FROM serial_claims";
        let before: u32 = world.scalar(claims).parse().unwrap();

        let decided = (0..4).map(|_| world.decide_replacement(&asked["id"], "issue"));
        let replies = join_all(decided).await;
        assert_eq!(fresh(&replies), 1);
        let issued = replies[0].data(200);
        for reply in &replies {
            assert_eq!(reply.data(200)["status"], "ISSUED");
        }
        let after: u32 = world.scalar(claims).parse().unwrap();
        assert_eq!(after, before + 1, "one serial took its place");
        let replaced = world.item(&bad["id"]).await;
        assert_eq!(
            (&replaced["status"], &replaced["replaced_by"]),
            (&json!("REPLACED"), &issued["new_item_id"])
        );
        let successor = world.item(&issued["new_item_id"]).await;
        assert_eq!(
            (&successor["status"], &successor["stock_request_id"]),
            (&json!("AVAILABLE"), &bad["stock_request_id"])
        );
        for (status, count) in [("BURNED", 1), ("ASSIGNED", 2)] {
            let path = format!("serials?status={status}");
            let listed = world.shelf("GET", &path).send().await.data(200);
            assert_eq!(listed.as_array().unwrap().len(), count, "{status}");
        }
        let event = world.event(&world.key(CODE), "replacement:updated").await;
        assert_eq!(event["data"]["stock_request_id"], bad["stock_request_id"]);
        assert_eq!(event["data"]["item_id"], bad["id"]);
        world
            .hand_on(&session, bad)
            .await
            .refused(409, "INVALID_STATE");
        world.hand_on(&session, &successor).await.data(200);
        let again = world.complain(&session, &successor).await;
        again.refused(422, "REPLACEMENT_REFUSED");
        let listed = world.in_portal(&session, "GET", "replacements");
        let listed = listed.send().await.data(200);
        assert_eq!(listed[0]["new_item_id"], issued["new_item_id"]);
    });
}

#[test]
fn item_of_an_empty_shelf_stays_what_it_was_until_its_price_goes_back_once() {
    with_world(async |world| {
        let (session, items) = world.with_items(2).await;
        let bad = &items[1];
        world.hand_on(&session, bad).await.data(200);
        world.sell_out().await;
        let asked = world.complain(&session, bad).await.data(201);
        let short = world.decide_replacement(&asked["id"], "issue").await;
        short.refused(409, "OUT_OF_STOCK");
        let still = world.item(&bad["id"]).await;
        assert_eq!(
            (&still["status"], &still["replaced_by"]),
            (&json!("DELIVERED"), &Value::Null)
        );
        let decided = (0..4).map(|_| world.decide_replacement(&asked["id"], "credit"));
        let replies = join_all(decided).await;
        assert_eq!(fresh(&replies), 1);
        for reply in &replies {
            assert_eq!(reply.data(200)["status"], "CREDITED");
        }
        assert_eq!(world.item(&bad["id"]).await["status"], "REPLACED");
        let purchase = json!({"id": bad["stock_request_id"]});
        let transfer = world.read_transfer(&purchase).await;
        assert_eq!(transfer["refunded"], transfer["unit_price"]);
        let entries = world.dev_of(CODE, "GET", "balance/ledger?kind=STOCK_REFUND");
        let entries = entries.send().await.data(200);
        assert_eq!(entries.as_array().unwrap().len(), 1);
        assert_eq!(entries[0]["amount"], transfer["unit_price"]);
        let path = format!("inventory/{}/revoke", bad["id"].as_str().unwrap());
        let revoke = world.dev_of(CODE, "POST", &path);
        let revoke = revoke.json(&json!({"reason": "once is enough"}));
        revoke.send().await.refused(409, "INVALID_STATE");
    });
}

#[test]
fn request_is_taken_back_before_it_is_decided_and_asked_for_again() {
    with_world(async |world| {
        let (session, items) = world.with_items(1).await;
        let before = world.item_books();
        let asked = world.complain(&session, &items[0]).await.data(201);
        let taken_back = world.take_back(&session, &asked).await;
        assert_eq!(taken_back.data(200)["status"], "CANCELLED");
        let again = world.take_back(&session, &asked).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        for verb in ["issue", "credit", "reject"] {
            let late = world.decide_replacement(&asked["id"], verb).await;
            late.refused(409, "INVALID_STATE");
        }
        let second = world.complain(&session, &items[0]).await.data(201);
        assert_ne!(second["id"], asked["id"]);
        let rejected = world.decide_replacement(&second["id"], "reject").await;
        assert_eq!(rejected.data(200)["status"], "REJECTED");
        let late = world.take_back(&session, &second).await;
        late.refused(409, "INVALID_STATE");
        assert_eq!(world.item_books(), before);
        let cancelled = world.in_portal(&session, "GET", "replacements?status=CANCELLED");
        let cancelled = cancelled.send().await.data(200);
        assert_eq!(cancelled.as_array().unwrap().len(), 1);
    });
}

#[test]
fn item_that_was_taken_back_or_is_old_is_not_replaced() {
    with_world(async |world| {
        let (session, items) = world.with_items(3).await;
        let asked = world.complain(&session, &items[0]).await.data(201);
        let path = format!("inventory/{}/revoke", items[0]["id"].as_str().unwrap());
        let revoke = world.dev_of(CODE, "POST", &path).json(&json!({}));
        revoke.send().await.data(200);
        let state = world.item_books();
        for verb in ["issue", "credit"] {
            let gone = world.decide_replacement(&asked["id"], verb).await;
            gone.refused(422, "REPLACEMENT_REFUSED");
        }
        world
            .decide_replacement(&asked["id"], "reject")
            .await
            .data(200);
        let gone = world.complain(&session, &items[0]).await;
        gone.refused(422, "REPLACEMENT_REFUSED");
        world.sql("UPDATE inventory_items SET created_at = now() - interval '31 days'");
        let late = world.complain(&session, &items[1]).await;
        late.refused(422, "REPLACEMENT_REFUSED");
        let unknown = json!({"id": "itm_00000000000000000000000000"});
        let unknown = world.complain(&session, &unknown).await;
        unknown.refused(404, "NOT_FOUND");
        assert_eq!(world.item_books(), state);
    });
}

#[test]
fn replacement_of_an_item_that_was_cut_off_is_carried_out_once() {
    with_world(async |world| {
        let (session, items) = world.with_items(2).await;
        let mut decided = Vec::new();
        for (item, verb) in items.iter().zip(["issue", "credit"]) {
            let asked = world.complain(&session, item).await.data(201);
            world.decide_replacement(&asked["id"], verb).await.data(200);
            decided.push(asked["id"].clone());
        }
        let books = world.item_books();
        // As after a crash between the withdrawal, or the credit, and what is stored of it.
        world.sql(
            "DELETE FROM inventory_items WHERE serial_id IN (SELECT successor_id FROM replacements)",
        );
        world.sql(
            "UPDATE replacements SET successor_id = NULL,
               status = CASE status WHEN 'ISSUED' THEN 'ISSUING' ELSE 'CREDITING' END,
               attempted_at = attempted_at - interval '2 minutes'",
        );
        for (id, verb) in decided.iter().zip(["issue", "credit"]) {
            let again = world.decide_replacement(id, verb).await;
            assert_eq!(again.header("idempotent-replayed"), Some("true"));
            again.data(200);
        }
        assert_eq!(world.item_books(), books);
    });
}
