//! Disputes about what customers bought: until they are decided nobody earns, reads or gives back.

use api::sales::release_due;
use chrono::TimeDelta;
use engine::clock::EPOCH;
use serde_json::{Value, json};

use crate::{
    checkout::is_page,
    payouts::{reseller, sums},
    support::{Reply, World, with_world},
};

const CODE: &str = "demo-both";
const ANN: &str = "ann%40example.com";

impl World {
    pub(crate) async fn dispute_purchase(&self, invoice: &Value, outcome: &str) -> Reply {
        let body = json!({"outcome": outcome});
        self.act_on(invoice, "dispute", body).await
    }

    /// Approves what is due when the last hold is over.
    pub(crate) async fn released(&self) -> u32 {
        let until = "SELECT CEIL(EXTRACT(EPOCH FROM MAX(hold_until)))::bigint FROM sales";
        let until = self.scalar(until).parse().unwrap();
        let then = EPOCH + TimeDelta::seconds(until);
        release_due(self.server.app(), then).await.unwrap()
    }

    /// What a feed says of disputes so far.
    async fn disputes_told(&self, feed: &str, key: &str) -> Vec<Value> {
        let path = format!("{feed}?types=sale:disputed&limit=100");
        let page = self.call("GET", &path).key(key).send().await.json();
        let told = page["data"].as_array().unwrap().iter();
        told.map(|event| event["data"].clone()).collect()
    }

    /// Where the only sale stands, and its commission with why.
    async fn sale_stands(&self) -> (Value, Value, Value) {
        let sales = self.dev_of(CODE, "GET", "sales").send().await.data(200);
        let sale = &sales[0];
        let commission = &sale["commission"];
        (
            sale["status"].clone(),
            commission["status"].clone(),
            commission["reason"].clone(),
        )
    }
}

#[test]
fn disputed_purchase_is_nobodys_until_it_is_decided() {
    with_world(async |world| {
        let cookie = world.brought_by_link().await;
        let page = world.invoiced(2, ANN, &cookie).await;
        let open = world.newest().await;
        let early = world.dispute_purchase(&open, "OPENED").await;
        early.refused(409, "INVALID_STATE");
        world.pay(&open).await;
        assert_eq!(world.released().await, 1);
        let early = world.dispute_purchase(&open, "LOST").await;
        early.refused(409, "INVALID_STATE");

        let disputed = world.dispute_purchase(&open, "OPENED").await.data(200);
        assert_eq!(disputed["status"], "DISPUTED");
        let again = world.dispute_purchase(&open, "OPENED").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let waits = (json!("DISPUTED"), json!("PENDING"), Value::Null);
        assert_eq!(world.sale_stands().await, waits);
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        assert_eq!(world.released().await, 0);
        let back = world.act_on(&open, "refund", json!({"refund_ref": "D1"}));
        back.await.refused(409, "INVALID_STATE");
        is_page(&world.submit(&format!("{page}/reveal"), "").await, 409);
        assert!(is_page(&world.see(&page).await, 200).contains("disputed"));
        assert_eq!(world.sale_stands().await, waits);

        let won = world.dispute_purchase(&open, "WON").await.data(200);
        assert_eq!(won["status"], "COMPLETED");
        is_page(&world.submit(&format!("{page}/reveal"), "").await, 200);
        assert_eq!(world.released().await, 1);
        let earns = (json!("PAID"), json!("APPROVED"), Value::Null);
        assert_eq!(world.sale_stands().await, earns);
        assert_eq!(world.earnings_that_do_not_add_up(), "");

        world.dispute_purchase(&open, "OPENED").await.data(200);
        let lost = world.dispute_purchase(&open, "LOST").await.data(200);
        assert_eq!(
            (&lost["status"], &lost["refunded"]),
            (&json!("REFUNDED"), &json!("59.98"))
        );
        let again = world.dispute_purchase(&open, "LOST").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let gone = (json!("REFUNDED"), json!("REVERSED"), json!("DISPUTE"));
        assert_eq!(world.sale_stands().await, gone);
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        let refunds = "SELECT COUNT(*) FROM invoice_refunds";
        assert_eq!(world.scalar(refunds), "1");
        let noted = "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log
                     WHERE action LIKE 'invoice.dispute%'";
        assert_eq!(
            world.scalar(noted),
            "invoice.dispute_open invoice.dispute_win invoice.dispute_open invoice.dispute_lose"
        );
    });
}

#[test]
fn dispute_is_told_to_the_merchant_and_to_whose_sale_it_is() {
    with_world(async |world| {
        world.selling();
        let cookie = format!("consign_ref={}", world.token(CODE).await);
        world.invoiced(1, ANN, &cookie).await;
        let open = world.newest().await;
        world.pay(&open).await;
        let sales = world.dev_of(CODE, "GET", "sales").send().await.data(200);
        for outcome in ["OPENED", "WON", "OPENED", "OPENED", "LOST", "LOST"] {
            let done = world.dispute_purchase(&open, outcome).await;
            done.data(200);
        }
        let own = world.key(CODE);
        world.event(&own, "commission:reversed").await;
        let told = world.disputes_told("/reseller/v1/events", &own).await;
        let expected: Vec<_> = ["OPENED", "WON", "OPENED", "LOST"]
            .map(|outcome| {
                json!({"sale_id": sales[0]["id"], "outcome": outcome,
                    "relationship_id": world.reseller(CODE).id.to_string()})
            })
            .into();
        assert_eq!(told, expected, "each once, and before what follows from it");
        let merchant = world.merchant_key();
        let theirs = world.disputes_told("/dev/v1/events", &merchant).await;
        assert_eq!(theirs, expected);
        let other = world.key("demo-auto");
        let nothing = world.disputes_told("/reseller/v1/events", &other).await;
        assert_eq!(nothing, Vec::<Value>::new());
    });
}

#[test]
fn dispute_about_a_purchase_that_nobody_brought_is_one_too() {
    with_world(async |world| {
        world.invoiced(1, ANN, "").await;
        let open = world.newest().await;
        world.pay(&open).await;
        let part = json!({"refund_ref": "P1", "amount": "9.99"});
        world.act_on(&open, "refund", part).await.data(200);
        world.dispute_purchase(&open, "OPENED").await.data(200);
        let won = world.dispute_purchase(&open, "WON").await.data(200);
        assert_eq!(won["status"], "PARTIALLY_REFUNDED");
        world.dispute_purchase(&open, "OPENED").await.data(200);
        let lost = world.dispute_purchase(&open, "LOST").await.data(200);
        assert_eq!(
            (&lost["status"], &lost["refunded"]),
            (&json!("REFUNDED"), &json!("29.99"))
        );
        let late = world.dispute_purchase(&open, "WON").await;
        late.refused(409, "INVALID_STATE");
    });
}

#[test]
fn commission_that_was_paid_out_and_is_disputed_is_owed_by_what_comes() {
    with_world(async |world| {
        let cookie = world.brought_by_link().await;
        world.pays_out();
        world.invoiced(2, ANN, &cookie).await;
        let open = world.newest().await;
        world.pay(&open).await;
        assert_eq!(world.released().await, 1);
        let session = reseller(world).await;
        let asked = world.ask_payout(&session, "6.00").await.data(201);
        world.sql("UPDATE payouts SET approvable_at = now()");
        world.settle(&asked, "approve", &json!({})).await.data(200);
        let hash = json!({"tx_hash": format!("0x{}", "ab".repeat(32))});
        world.settle(&asked, "complete", &hash).await.data(200);
        let account = async || {
            let account = world.account(&session).await;
            sums(&account).map(str::to_owned)
        };
        assert_eq!(account().await, ["6.00", "6.00", "0.00", "0.00"]);
        let disputed = ["0.00", "6.00", "0.00", "-6.00"];
        world.dispute_purchase(&open, "OPENED").await.data(200);
        assert_eq!(account().await, disputed);
        world.dispute_purchase(&open, "WON").await.data(200);
        assert_eq!(world.released().await, 1);
        assert_eq!(account().await, ["6.00", "6.00", "0.00", "0.00"]);
        world.dispute_purchase(&open, "OPENED").await.data(200);
        world.dispute_purchase(&open, "LOST").await.data(200);
        assert_eq!(account().await, disputed);
        let more = world.ask_payout(&session, "5.00").await;
        more.refused(422, "AMOUNT_OUT_OF_RANGE");
        // What is earned next fills the gap.
        world.earned(20).await;
        assert_eq!(account().await, ["20.00", "6.00", "0.00", "14.00"]);
        assert_eq!(world.payouts_that_do_not_add_up(), "");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
    });
}
