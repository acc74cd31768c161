//! Who did what lanes committed: in the audit log once, if and only if it was committed.

use persistence::audit;
use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

const CODE: &str = "demo-both";

impl World {
    async fn adjust(&self, what: &str, amount: &str, reference: &str) -> Reply {
        let body = json!({"amount": amount, "type": "CORRECTION", "description": "Count",
                          "reference": reference});
        let path = format!("balance/{what}");
        self.dev_of(CODE, "POST", &path).json(&body).send().await
    }

    /// The entries of an action, once everything that waits is told.
    async fn told_of(&self, action: &str) -> Vec<Value> {
        while audit::tell(&self.server.app().database).await.unwrap() > 0 {}
        let path = format!("/dev/v1/audit-log?action={action}");
        let call = self.call("GET", &path).key(&self.merchant_key());
        let told = call.send().await.data(200);
        told.as_array().unwrap().clone()
    }

    async fn chain_is_whole(&self) -> bool {
        let call = self.call("GET", "/dev/v1/audit-log/verify");
        let proof = call.key(&self.merchant_key()).send().await.data(200);
        proof["valid"] == json!(true)
    }
}

#[test]
fn credits_and_debits_name_who_made_them_once() {
    with_world(async |world| {
        for _ in 0..2 {
            world.adjust("credit", "5.00", "in-1").await;
        }
        world.adjust("debit", "2.00", "out-1").await.data(201);
        let short = world.adjust("debit", "90000.00", "out-2").await;
        short.refused(402, "INSUFFICIENT_BALANCE");

        let key = &world.cast.key;
        let reseller = world.reseller(CODE).id.to_string();
        for action in ["balance.credit", "balance.debit"] {
            let told = world.told_of(action).await;
            assert_eq!(told.len(), 1, "{told:?}");
            assert_eq!(told[0]["actor"]["type"], "API_KEY");
            assert_eq!(told[0]["actor"]["id"], key.id.to_string());
            assert_eq!(told[0]["ip"], "127.0.0.1");
            assert_eq!(told[0]["target"], reseller.as_str());
            assert!(told[0]["after_digest"].is_string());
        }
        // Nothing is left over, and entries are as any version reads them.
        let keys = "SELECT COUNT(*) FROM ledger_entries WHERE details ? 'by'";
        assert_eq!(world.scalar(keys), "0");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM audit_outbox"), "0");
        assert!(world.chain_is_whole().await);
    });
}

#[test]
fn many_deeds_are_told_in_their_order_and_leave_the_chain_whole() {
    with_world(async |world| {
        let credits = (0..60).map(|each| async move {
            world
                .adjust("credit", "1.00", &format!("in-{each}"))
                .await
                .data(201)
        });
        futures_util::future::join_all(credits).await;
        let db = &world.server.app().database;
        let told = futures_util::future::join_all((0..4).map(|_| audit::tell(db))).await;
        assert!(told.iter().all(Result::is_ok));
        let told = world.told_of("balance.credit").await;
        assert_eq!(told.len(), 50, "a page");
        let count = "SELECT COUNT(*) FROM audit_log WHERE action = 'balance.credit'";
        assert_eq!(world.scalar(count), "60");
        assert!(world.chain_is_whole().await);
    });
}

#[test]
fn pulls_and_removals_are_told_if_they_were_made() {
    with_world(async |world| {
        let product = world.product("Closed beta").id.to_string();
        let path = format!("/dev/v1/products/{product}/serials");
        let pull = async |amount: u32| {
            let call = world.call("POST", &format!("{path}/claim"));
            let call = call.key(&world.merchant_key());
            call.json(&json!({"amount": amount})).send().await
        };
        pull(500).await.refused(409, "OUT_OF_STOCK");
        assert_eq!(world.told_of("serials.pull").await, Vec::<Value>::new());
        pull(1).await.data(200);
        let pulled = world.told_of("serials.pull").await;
        assert_eq!(pulled.len(), 1);
        assert_eq!(pulled[0]["target"], product.as_str());
        assert!(pulled[0]["after_digest"].is_string());

        let list = world.call("GET", &path).key(&world.merchant_key());
        let serial = list.send().await.data(200)[0]["id"].clone();
        for _ in 0..2 {
            let call = world.call("DELETE", &path).key(&world.merchant_key());
            let body = json!({"serial_ids": [serial]});
            call.json(&body).send().await.data(200);
        }
        // The second time there was nothing left to remove.
        assert_eq!(world.told_of("serials.remove").await.len(), 1);
        assert!(world.chain_is_whole().await);
    });
}

#[test]
fn audit_log_is_exported_as_csv_by_its_filters() {
    with_world(async |world| {
        world.adjust("credit", "5.00", "in-1").await.data(201);
        world.adjust("debit", "2.00", "out-1").await.data(201);
        let told = world.told_of("balance.credit").await;
        let path = "/dev/v1/audit-log?format=csv&action=balance.credit";
        let file = world.call("GET", path).key(&world.merchant_key());
        let file = file.send().await;
        assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
        let text = file.text();
        let mut lines = text.lines();
        let head = lines.next().unwrap();
        assert!(head.starts_with("id,seq,created_at,actor_type,"), "{head}");
        let row = lines.next().unwrap();
        for part in [&told[0]["id"], &told[0]["target"], &told[0]["hash"]] {
            assert!(row.contains(part.as_str().unwrap()), "{part}: {row}");
        }
        assert_eq!(lines.next(), None, "of other actions there is none");
    });
}

#[test]
fn deed_that_cannot_be_read_keeps_no_other_from_being_told() {
    with_world(async |world| {
        world.sql(
            "INSERT INTO audit_outbox (merchant_id, actor, balance_id, version, done_at)
             SELECT merchant_id, '{\"type\": \"ROBOT\", \"label\": \"x\"}', balance_id, 1, now()
             FROM balances LIMIT 1",
        );
        world.adjust("credit", "5.00", "in-1").await.data(201);
        let db = &world.server.app().database;
        assert!(audit::tell(db).await.is_err());
        let told = "SELECT COUNT(*) FROM audit_log WHERE action = 'balance.credit'";
        assert_eq!(world.scalar(told), "1");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM audit_outbox"), "1");
    });
}
