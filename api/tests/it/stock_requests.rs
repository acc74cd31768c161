//! Wholesale purchases: paid from the balance, allocated once whatever is cut off.

use std::time::Duration;

use api::stock_requests::carry::carry_waiting;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{Call, Reply, World, order_of, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@example.com";
const CUSTOMER: &str = "Carl@customer.example";

impl World {
    /// A purchase by the merchant in a reseller's name, paid from its balance.
    pub(crate) async fn buy_stock(&self, code: &str, product: &str, quantity: u32) -> Reply {
        let product = self.product(product).id.to_string();
        let body = json!({"product_id": product, "quantity": quantity, "coin": "balance"});
        self.ask_stock(code, &body).await
    }

    pub(crate) async fn ask_stock(&self, code: &str, body: &Value) -> Reply {
        let call = self.dev_of(code, "POST", "stock-purchases");
        call.json(body).send().await
    }

    pub(crate) async fn approve_stock(&self, how: &str) {
        let call = self.call("PATCH", "/dev/v1/reseller-program");
        let call = call.key(&self.merchant_key());
        let body = json!({"stock_approval": how});
        call.json(&body).send().await.data(200);
    }

    pub(crate) fn in_portal(&self, session: &str, method: &'static str, path: &str) -> Call {
        let reseller = self.reseller(CODE).id;
        let path = format!("/programs/{reseller}/{path}");
        self.page(method, &path).header("cookie", session)
    }

    pub(crate) async fn transfer(&self, request: &Value, verb: &str, body: &Value) -> Reply {
        let path = format!("stock-transfers/{}/{verb}", request["id"].as_str().unwrap());
        self.dev_of(CODE, "POST", &path).json(body).send().await
    }

    pub(crate) async fn read_transfer(&self, request: &Value) -> Value {
        let path = format!("stock-transfers/{}", request["id"].as_str().unwrap());
        self.dev_of(CODE, "GET", &path).send().await.data(200)
    }

    pub(crate) async fn owned_items(&self) -> Vec<Value> {
        let items = self.dev_of(CODE, "GET", "inventory").send().await.data(200);
        items.as_array().unwrap().clone()
    }

    /// Everything that a purchase changes, to be the same after a refusal.
    fn purchases(&self) -> String {
        let items = self.scalar(
            "SELECT (SELECT COALESCE(string_agg(status, ',' ORDER BY number), 'none') FROM stock_requests)
               || ' ' || (SELECT COALESCE(string_agg(status, ',' ORDER BY number), 'none')
                          FROM inventory_items)
               || ' ' || (SELECT COUNT(*) FROM mails WHERE kind <> 'news')",
        );
        format!("{items} {}", self.state())
    }
}

#[test]
fn purchase_from_the_balance_is_one_debit_with_its_serials() {
    with_world(async |world| {
        let before = world.balance(&world.key(CODE)).await;
        let claims = world.scalar("SELECT COUNT(*) FROM serial_claims");
        let bought = world.buy_stock(CODE, "Antivirus", 3).await.data(201);
        assert_eq!(bought["status"], "ALLOCATED");
        assert_eq!(bought["counts"]["available"], 3);
        assert_eq!(bought["requested_by"], "MERCHANT");
        let after = world.balance(&world.key(CODE)).await;
        assert_ne!(before["balance"], after["balance"]);
        let entries = world.dev_of(CODE, "GET", "balance/ledger?kind=STOCK_PURCHASE");
        let entries = entries.send().await.data(200);
        assert_eq!(entries.as_array().unwrap().len(), 1);
        assert_eq!(entries[0]["id"], bought["ledger_entry_id"]);
        assert_eq!(entries[0]["reference_type"], "stock_request");
        assert_eq!(entries[0]["reference_id"], bought["id"]);
        assert_eq!(entries[0]["external_order_id"], Value::Null);
        let total = bought["total"].as_str().unwrap();
        assert_eq!(entries[0]["amount"], format!("-{total}"));
        let grown = format!("SELECT COUNT(*) - {claims} FROM serial_claims WHERE kind = 1");
        assert_eq!(world.scalar(&grown), "3");
        let orders = world.call("GET", "/reseller/v1/fulfillments");
        let orders = orders.key(&world.key(CODE)).send().await.data(200);
        assert_eq!(orders, json!([]), "it is no order of the shop");
        assert_eq!(world.read_transfer(&bought).await, bought);
        let listed = world.dev_of(CODE, "GET", "stock-transfers?status=allocated&page=1");
        let listed = listed.send().await.json();
        assert_eq!(
            (&listed["data"], &listed["pagination"]["total"]),
            (&json!([bought]), &json!(1))
        );
        let items = world.owned_items().await;
        assert_eq!(items.len(), 3);
        for item in &items {
            assert_eq!(
                (&item["status"], &item["stock_request_id"]),
                (&json!("AVAILABLE"), &bought["id"])
            );
            assert!(item["serial"].as_str().unwrap().starts_with('…'), "masked");
        }
    });
}

#[test]
fn reseller_asks_and_the_merchant_lets_the_balance_pay_once() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let product = world.product("Antivirus").id.to_string();
        let body = json!({"product_id": product, "quantity": 2, "coin": "BALANCE", "note": "soon"});
        let asked = world.in_portal(&session, "POST", "stock-requests");
        let asked = asked.json(&body).send().await.data(201);
        assert_eq!(
            (&asked["status"], &asked["note"]),
            (&json!("REQUESTED"), &json!("soon"))
        );
        assert_eq!(world.owned_items().await, Vec::<Value>::new());
        let nothing = json!({});
        let calls = (0..6).map(|_| world.transfer(&asked, "invoice", &nothing));
        for reply in join_all(calls).await {
            assert_eq!(reply.data(200)["status"], "ALLOCATED");
        }
        let entries = "SELECT COUNT(*) FROM ledger_entries WHERE channel = 7";
        assert_eq!(world.scalar(entries), "1");
        let late = world.transfer(&asked, "cancel", &json!({})).await;
        late.refused(409, "INVALID_STATE");
        world.approve_stock("AUTO").await;
        let at_once = world.in_portal(&session, "POST", "stock-requests");
        let at_once = at_once.json(&body).send().await.data(201);
        assert_eq!(
            (&at_once["status"], &at_once["requested_by"]),
            (&json!("ALLOCATED"), &json!("RESELLER"))
        );
        let summary = world
            .in_portal(&session, "GET", "inventory/summary")
            .send()
            .await
            .data(200);
        assert_eq!(summary[0]["counts"]["available"], 4);
        let one = format!("stock-requests/{}", asked["id"].as_str().unwrap());
        let read = world
            .in_portal(&session, "GET", &one)
            .send()
            .await
            .data(200);
        assert_eq!(read["counts"]["available"], 2);
    });
}

#[test]
fn purchase_under_one_key_is_made_once() {
    with_world(async |world| {
        let product = world.product("Antivirus").id.to_string();
        let body = json!({"product_id": product, "quantity": 2, "coin": "BALANCE"});
        let buy = |body: Value| {
            let call = world.dev_of(CODE, "POST", "stock-purchases");
            call.header("idempotency-key", "buy-1").json(&body).send()
        };
        let first = buy(body.clone()).await.data(201);
        // What a crash before the answer leaves: the request, and no answer that is kept.
        world.sql("DELETE FROM idempotency_keys");
        let again = buy(body.clone()).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200), first);
        world.sql("DELETE FROM idempotency_keys");
        let other = buy(json!({"product_id": product, "quantity": 3, "coin": "BALANCE"})).await;
        other.refused(422, "IDEMPOTENCY_MISMATCH");
        assert_eq!(world.owned_items().await.len(), 2);
    });
}

#[test]
fn purchase_that_was_cut_off_is_carried_out_once() {
    with_world(async |world| {
        let bought = world.buy_stock(CODE, "Antivirus", 2).await.data(201);
        let state = world.state();
        // As after a crash between the debit and what is stored of it.
        world.sql("DELETE FROM inventory_items");
        world.sql(
            "UPDATE stock_requests SET status = 'PAYING', entry_id = NULL, allocated_at = NULL,
               paid_at = NULL, attempted_at = attempted_at - interval '2 minutes'",
        );
        assert_eq!(world.read_transfer(&bought).await["status"], "REQUESTED");
        let cancelled = world.transfer(&bought, "cancel", &json!({})).await;
        cancelled.refused(409, "INVALID_STATE");
        let read = carry(world, &bought).await;
        assert_eq!(read["ledger_entry_id"], bought["ledger_entry_id"]);
        assert_eq!(world.owned_items().await.len(), 2);
        assert_eq!(world.state(), state, "nothing is debited or claimed again");

        // As after a crash between the decision and the debit.
        let product = world.product("Antivirus").id.to_string();
        let asked = world
            .ask_stock(CODE, &json!({"product_id": product, "quantity": 1}))
            .await;
        let asked = asked.data(201);
        world.sql(
            "UPDATE stock_requests SET status = 'PAYING',
               attempted_at = attempted_at - interval '2 minutes' WHERE status = 'REQUESTED'",
        );
        carry(world, &asked).await;
        assert_eq!(world.owned_items().await.len(), 3);
    });
}

/// Carries out what was cut off, unless the server's own round comes first, and reads it.
async fn carry(world: &World, bought: &Value) -> Value {
    let allocated = async {
        loop {
            carry_waiting(world.server.app()).await.unwrap();
            let read = world.read_transfer(bought).await;
            if read["status"] == "ALLOCATED" {
                return read;
            }
        }
    };
    timeout(Duration::from_mins(1), allocated).await.unwrap()
}

#[test]
fn purchase_that_cannot_be_paid_any_more_goes_back_to_where_it_was() {
    with_world(async |world| {
        let product = world.product("Antivirus").id.to_string();
        let asked = world
            .ask_stock(CODE, &json!({"product_id": product, "quantity": 5}))
            .await;
        let asked = asked.data(201);
        let session = world.as_reseller(CODE, EMAIL).await;
        let all = world.balance(&world.key(CODE)).await["available"].clone();
        let debit =
            json!({"amount": all, "type": "WITHDRAWAL", "description": "out", "reference": "w"});
        let debited = world
            .dev_of(CODE, "POST", "balance/debit")
            .json(&debit)
            .send()
            .await;
        debited.data(201);
        let before = world.purchases();
        let refused = world
            .transfer(&asked, "invoice", &json!({"coin": "BALANCE"}))
            .await;
        refused.refused(402, "INSUFFICIENT_BALANCE");
        assert_eq!(world.purchases(), before);
        let at_once = world.buy_stock(CODE, "Antivirus", 5).await;
        at_once.refused(402, "INSUFFICIENT_BALANCE");
        assert_eq!(world.purchases(), before);
        let path = format!("stock-requests/{}/cancel", asked["id"].as_str().unwrap());
        let cancel = || {
            world
                .in_portal(&session, "POST", &path)
                .json(&json!({"reason": "no"}))
                .send()
        };
        let cancelled = cancel().await.data(200);
        assert_eq!(
            (&cancelled["status"], &cancelled["status_reason"]),
            (&json!("CANCELLED"), &json!("no"))
        );
        assert_eq!(cancel().await.header("idempotent-replayed"), Some("true"));
        let late = world.transfer(&asked, "invoice", &json!({})).await;
        late.refused(409, "INVALID_STATE");
    });
}

#[test]
fn serials_that_were_paid_are_the_resellers_whatever_was_stored_meanwhile() {
    with_world(async |world| {
        let app = world.server.app();
        let bought = world.buy_stock(CODE, "Antivirus", 2).await.data(201);
        let state = world.state();
        // As after a cancellation that a debit on its way did not see.
        world.sql("DELETE FROM inventory_items");
        world.sql(
            "UPDATE stock_requests SET status = 'PAYING', entry_id = NULL, allocated_at = NULL,
               paid_at = NULL, attempted_at = attempted_at - interval '2 minutes'",
        );
        let db = &app.database;
        let scope = persistence::relationships::find::find_scope(
            db,
            world.cast.merchant,
            world.reseller(CODE).id,
            false,
        );
        let scope = scope.await.unwrap().unwrap();
        let id = engine::ids::StockRequestId::parse(bought["id"].as_str().unwrap()).unwrap();
        let old = persistence::stock_requests::find(db, scope, id);
        let old = old.await.unwrap().unwrap();
        world.sql("UPDATE stock_requests SET status = 'CANCELLED'");
        let given = persistence::stock_requests::Serials {
            serials: world
                .scalar("SELECT string_agg(serial_id::text, ' ') FROM serial_claims WHERE kind = 1")
                .split(' ')
                .map(|id| engine::ids::SerialId::from_uuid(id.parse().unwrap()))
                .collect(),
            entry: None,
        };
        let now = app.engine.clock().now();
        let stored = persistence::stock_requests::allocated(db, &old, given, now).await;
        assert_eq!(stored.unwrap().counts.available, 2);
        assert_eq!(world.read_transfer(&bought).await["status"], "ALLOCATED");
        assert_eq!(world.owned_items().await.len(), 2);
        assert_eq!(world.state(), state);
    });
}

#[test]
fn requests_that_wait_for_money_are_bounded_and_so_are_mails_to_one_address() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let product = world.product("Antivirus").id.to_string();
        let one = json!({"product_id": product, "quantity": 1});
        for _ in 0..20 {
            world.ask_stock(CODE, &one).await.data(201);
        }
        let beyond = world.ask_stock(CODE, &one).await;
        beyond.refused(409, "INVALID_STATE");
        world.sql("UPDATE stock_requests SET status = 'CANCELLED'");
        world.buy_stock(CODE, "Antivirus", 1).await.data(201);
        let item = world.owned_items().await.remove(0);
        let deliver = format!("inventory/{}/deliver", item["id"].as_str().unwrap());
        let deliver = || {
            let call = world.in_portal(&session, "POST", &deliver);
            call.json(&json!({"email": CUSTOMER})).send()
        };
        deliver().await.data(200);
        deliver().await.data(200);
        let noted = "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log
                     WHERE action LIKE 'inventory.%'";
        assert_eq!(
            world.scalar(noted),
            "inventory.deliver inventory.show_again"
        );
        let resend = format!("inventory/{}/resend", item["id"].as_str().unwrap());
        let mut sent = 0;
        loop {
            let reply = world.in_portal(&session, "POST", &resend).send().await;
            if reply.status != 200 {
                reply.refused(429, "RATE_LIMITED");
                break;
            }
            sent += 1;
            assert!(sent < 20, "mails without a bound");
        }
        let mails = "SELECT COUNT(*) FROM mails WHERE kind = 'inventory-item'";
        assert_eq!(world.scalar(mails), (sent + 1).to_string());
    });
}

#[test]
fn purchases_that_are_not_right_change_nothing() {
    with_world(async |world| {
        let product = world.product("Antivirus").id.to_string();
        let before = world.purchases();
        for (body, status, code) in [
            (
                json!({"product_id": product, "quantity": 0}),
                422,
                "QUANTITY_OUT_OF_RANGE",
            ),
            (
                json!({"product_id": product, "quantity": 1001}),
                422,
                "QUANTITY_OUT_OF_RANGE",
            ),
            (
                json!({"product_id": product, "quantity": 900}),
                409,
                "OUT_OF_STOCK",
            ),
            (
                json!({"product_id": product, "quantity": 1, "coin": "DOGE"}),
                422,
                "VALIDATION_ERROR",
            ),
            (
                json!({"product_id": product, "quantity": 1, "unit_price": "0.01"}),
                422,
                "VALIDATION_ERROR",
            ),
            (json!({"product_id": product}), 422, "VALIDATION_ERROR"),
            (
                json!({"product_id": "prd_00000000000000000000000000", "quantity": 1}),
                404,
                "NOT_FOUND",
            ),
        ] {
            let refused = world.ask_stock(CODE, &body).await;
            refused.refused(status, code);
        }
        let one = json!({"product_id": product, "quantity": 1});
        world
            .ask_stock("demo-auto", &one)
            .await
            .refused(403, "MODE_NOT_ALLOWED");
        let limit = json!({"purchase_limit_daily": 1});
        let path = format!("/dev/v1/resellers/{}", world.reseller(CODE).id);
        let limited = world.call("PATCH", &path).key(&world.merchant_key());
        limited.json(&limit).send().await.data(200);
        world
            .ask_stock(CODE, &one)
            .await
            .refused(403, "PURCHASE_LIMIT_EXCEEDED");
        assert_eq!(world.purchases(), before);
    });
}

#[test]
fn purchase_limits_are_one_for_orders_and_for_stock_that_waits() {
    with_world(async |world| {
        let product = world.product("Antivirus").id.to_string();
        let two = json!({"product_id": product, "quantity": 2});
        let asked = world.ask_stock(CODE, &two).await.data(201);
        let price = world.scalar("SELECT unit_price FROM stock_requests");
        let price: i64 = price.parse().unwrap();
        world.sql(&format!(
            "UPDATE relationships SET purchase_limit_daily = {}, version = version + 1",
            2 * price
        ));
        world.terms_changed(CODE).await;
        let (key, wanted) = (world.key(CODE), world.product("Antivirus"));
        let refused = world.order(&key, &order_of("LIMIT-1", wanted)).await;
        refused.refused(403, "PURCHASE_LIMIT_EXCEEDED");
        // What waited is not counted twice when the balance pays it.
        let paid = world
            .transfer(&asked, "invoice", &json!({"coin": "BALANCE"}))
            .await;
        assert_eq!(paid.data(200)["status"], "ALLOCATED");
        let full = world.order(&key, &order_of("LIMIT-1", wanted)).await;
        full.refused(403, "PURCHASE_LIMIT_EXCEEDED");

        world.sql(&format!(
            "UPDATE relationships SET purchase_limit_daily = {}, version = version + 1",
            4 * price
        ));
        world.terms_changed(CODE).await;
        let waits = world.ask_stock(CODE, &two).await.data(201);
        let refused = world.order(&key, &order_of("LIMIT-1", wanted)).await;
        refused.refused(403, "PURCHASE_LIMIT_EXCEEDED");
        world.transfer(&waits, "cancel", &json!({})).await.data(200);
        world
            .order(&key, &order_of("LIMIT-1", wanted))
            .await
            .data(201);
    });
}

#[test]
fn feeds_tell_what_was_bought_and_the_shelf_tells_where_it_went() {
    with_world(async |world| {
        let bought = world.buy_stock(CODE, "Antivirus", 2).await.data(201);
        let seen = world.told(3).await;
        let of =
            |event: &str| seen.iter().find(|one| one["event"] == event).unwrap()["data"].clone();
        assert_eq!(of("stock_request:updated")["status"], "ALLOCATED");
        assert_eq!(of("inventory:allocated")["quantity"], 2);
        let debited = of("balance:debited");
        assert_eq!(
            (&debited["reference"], &debited["ledger_entry_id"]),
            (&bought["id"], &bought["ledger_entry_id"])
        );
        let product = world.product("Antivirus").id;
        let movements = format!("/dev/v1/products/{product}/stock-movements?type=reseller_stock");
        let moved = world
            .call("GET", &movements)
            .key(&world.merchant_key())
            .send()
            .await
            .data(200);
        assert_eq!(
            (&moved[0]["quantity"], &moved[0]["reference_id"]),
            (&json!(-2), &bought["id"])
        );
        let assigned = format!("/dev/v1/products/{product}/serials?status=ASSIGNED");
        let assigned = world
            .call("GET", &assigned)
            .key(&world.merchant_key())
            .send()
            .await
            .json();
        assert_eq!(assigned["pagination"]["total"], 2);
    });
}

impl World {
    /// The last events of the reseller's feed that are no credits, once there are so many.
    async fn told(&self, count: usize) -> Vec<Value> {
        let types = "stock_request:updated,inventory:allocated,balance:debited";
        let mut after = 0;
        let mut seen = Vec::new();
        while seen.len() < count {
            let path = format!("/dev/v1/events?after={after}&wait=20&types={types}");
            let page = self
                .call("GET", &path)
                .key(&self.merchant_key())
                .send()
                .await
                .json();
            after = page["pagination"]["next_after"].as_i64().unwrap();
            let events = page["data"].as_array().unwrap();
            assert!(!events.is_empty(), "the feed stays silent: {seen:?}");
            seen.extend(events.iter().cloned());
        }
        seen
    }
}
