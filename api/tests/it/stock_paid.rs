//! Wholesale purchases that are paid elsewhere: invoiced, paid once, allocated once, or given back.

use std::time::Duration;

use api::stock_requests::{
    carry::{allocate_waiting, carry_waiting},
    expire_due,
    give_back::give_back_waiting,
};
use chrono::TimeDelta;
use engine::{
    clock::{Clock as _, SystemClock},
    ids::StockRequestId,
    stock_requests::{Event, Status},
};
use futures_util::future::join_all;
use persistence::stock_requests::{Step, Steps, step};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{Call, Reply, World, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@example.com";
const PRODUCT: &str = "Antivirus";

impl World {
    /// A purchase that the merchant asks for; without a coin it waits.
    async fn want(&self, quantity: u32, coin: Option<&str>) -> Value {
        let product = self.product(PRODUCT).id.to_string();
        let body = json!({"product_id": product, "quantity": quantity, "coin": coin});
        self.ask_stock(CODE, &body).await.data(201)
    }

    async fn mark_stock_paid(&self, request: &Value, reference: &str) -> Reply {
        let body = json!({"reference": reference});
        self.transfer(request, "mark-paid", &body).await
    }

    pub(crate) fn shelf(&self, method: &'static str, path: &str) -> Call {
        let product = self.product(PRODUCT).id;
        let path = format!("/dev/v1/products/{product}/{path}");
        self.call(method, &path).key(&self.merchant_key())
    }

    /// Takes everything off the shelf.
    pub(crate) async fn sell_out(&self) {
        loop {
            let stock = self.shelf("GET", "stock").send().await.data(200);
            let left = stock["available_stock"].as_u64().unwrap();
            if left == 0 {
                return;
            }
            let some = json!({"amount": left.min(500)});
            let pulled = self.shelf("POST", "serials/claim");
            pulled.json(&some).send().await.data(200);
        }
    }

    pub(crate) async fn fill_up(&self, serials: &[&str]) {
        let call = self.shelf("POST", "serials");
        let stored = call.json(&json!({"serials": serials})).send().await;
        stored.data(201);
    }

    pub(crate) async fn auto_allocate(&self, how: bool) {
        let call = self.call("PATCH", "/dev/v1/reseller-program");
        let call = call.key(&self.merchant_key());
        let body = json!({"auto_allocate": how});
        call.json(&body).send().await.data(200);
    }

    /// All that money and serials could be lost from.
    fn stock_books(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) || ' of ' || COALESCE(SUM(amount), 0) FROM ledger_entries)
               || ', claims ' || (SELECT COUNT(*) FROM serial_claims)
               || ', items ' || (SELECT COUNT(*) FROM inventory_items)
               || ', refunds ' || (SELECT COUNT(*) || ' of ' || COALESCE(SUM(amount), 0)
                                   FROM stock_refunds)",
        )
    }
}

fn fresh(replies: &[Reply]) -> usize {
    let fresh = |reply: &&Reply| reply.header("idempotent-replayed").is_none();
    replies.iter().filter(fresh).count()
}

#[test]
fn invoiced_purchase_is_paid_once_and_allocated_once() {
    with_world(async |world| {
        let before = world.balance(&world.key(CODE)).await;
        let asked = world.want(2, Some("bank")).await;
        let invoice = &asked["invoice"];
        assert_eq!(
            (&asked["status"], &invoice["status"], &invoice["amount"]),
            (&json!("INVOICED"), &json!("OPEN"), &asked["total"])
        );
        assert_eq!(invoice["purpose"], "STOCK_REQUEST");
        assert!(invoice["pay"]["instructions"].is_string(), "{invoice}");
        assert_eq!(invoice["expires_at"], asked["expires_at"]);
        assert_eq!(world.owned_items().await, Vec::<Value>::new());

        let words = (0..6).map(|_| world.mark_stock_paid(&asked, "WIRE-1"));
        let replies = join_all(words).await;
        assert_eq!(fresh(&replies), 1);
        for reply in &replies {
            let paid = reply.data(200);
            assert_eq!(
                (&paid["status"], &paid["payment_reference"]),
                (&json!("ALLOCATED"), &json!("WIRE-1"))
            );
            assert_eq!(paid["invoice"]["status"], "COMPLETED");
            assert_eq!(paid["invoice"]["received"], asked["total"]);
            assert_eq!(paid["ledger_entry_id"], Value::Null);
        }
        assert_eq!(world.owned_items().await.len(), 2);
        let claims = "SELECT COUNT(*) FROM serial_claims WHERE kind = 6";
        assert_eq!(world.scalar(claims), "2");
        assert_eq!(world.balance(&world.key(CODE)).await, before);

        let state = world.stock_books();
        let other = world.mark_stock_paid(&asked, "WIRE-2").await;
        other.refused(409, "INVALID_STATE");
        let second = world.want(1, Some("bank")).await;
        let taken = world.mark_stock_paid(&second, "WIRE-1").await;
        taken.refused(409, "ALREADY_EXISTS");
        assert_eq!(world.read_transfer(&second).await["status"], "INVOICED");
        assert_eq!(world.stock_books(), state);
        let by_balance = world.buy_stock(CODE, PRODUCT, 1).await.data(201);
        let twice = world.mark_stock_paid(&by_balance, "WIRE-3").await;
        twice.refused(409, "INVALID_STATE");
    });
}

#[test]
fn units_of_an_invoice_are_kept_for_it_until_it_has_them_or_ends() {
    with_world(async |world| {
        let available = async || {
            let stock = world.shelf("GET", "stock").send().await.data(200);
            stock["available_stock"].as_u64().unwrap()
        };
        let all = available().await;
        let (kept, given_up) = (world.want(2, Some("bank")).await, world.want(3, None).await);
        assert_eq!(available().await, all - 2, "one that waits keeps none");
        let invoiced = world.transfer(&given_up, "invoice", &json!({})).await;
        invoiced.data(200);
        assert_eq!(available().await, all - 5);
        let cancelled = world.transfer(&given_up, "cancel", &json!({})).await;
        cancelled.data(200);
        assert_eq!(available().await, all - 2);
        world.sell_out().await;
        let product = world.product(PRODUCT).id.to_string();
        let one = json!({"product_id": product, "quantity": 1, "coin": "bank"});
        let short = world.ask_stock(CODE, &one).await;
        short.refused(409, "OUT_OF_STOCK");
        let paid = world.mark_stock_paid(&kept, "A").await.data(200);
        assert_eq!(paid["status"], "ALLOCATED");
        let rows = "SELECT string_agg(ending, ' ' ORDER BY ending) FROM reservations";
        assert_eq!(world.scalar(rows), "CANCELLED REDEEMED");
    });
}

#[test]
fn program_that_approves_by_itself_invoices_at_once_and_the_merchant_otherwise() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let product = world.product(PRODUCT).id.to_string();
        let ask = async |coin: &str| {
            let body = json!({"product_id": product, "quantity": 1, "coin": coin});
            let call = world.in_portal(&session, "POST", "stock-requests");
            call.json(&body).send().await
        };
        let waits = ask("bank").await.data(201);
        assert_eq!(
            (&waits["status"], &waits["invoice"], &waits["coin"]),
            (&json!("REQUESTED"), &Value::Null, &json!("BANK"))
        );
        ask("doge").await.refused(422, "VALIDATION_ERROR");
        let invoiced = world.transfer(&waits, "invoice", &json!({})).await;
        assert_eq!(invoiced.data(200)["invoice"]["coin"], "BANK");
        let again = world.transfer(&waits, "invoice", &json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let unknown = world
            .transfer(&waits, "invoice", &json!({"coin": "doge"}))
            .await;
        unknown.refused(422, "VALIDATION_ERROR");
        world.approve_stock("AUTO").await;
        assert_eq!(ask("bank").await.data(201)["status"], "INVOICED");
        let balance = world
            .transfer(&waits, "invoice", &json!({"coin": "BALANCE"}))
            .await;
        balance.refused(409, "INVALID_STATE");
    });
}

#[test]
fn what_resellers_reserve_without_paying_leaves_most_of_the_shelf_to_others() {
    with_world(async |world| {
        world.approve_stock("AUTO").await;
        world.auto_allocate(false).await;
        world.sell_out().await;
        let serials: Vec<_> = (0..60).map(|number| format!("NEW-{number}")).collect();
        let serials: Vec<_> = serials.iter().map(String::as_str).collect();
        world.fill_up(&serials).await;
        let session = world.as_reseller(CODE, EMAIL).await;
        let product = world.product(PRODUCT).id.to_string();
        let ask = async |quantity: u32| {
            let body = json!({"product_id": product, "quantity": quantity, "coin": "bank"});
            let call = world.in_portal(&session, "POST", "stock-requests");
            call.json(&body).send().await
        };
        let first = ask(21).await.data(201);
        assert_eq!(first["status"], "INVOICED", "an order is served");
        ask(5).await.refused(409, "OUT_OF_STOCK");
        let unpaid = "SELECT string_agg(quantity || ' ' || unpaid, ', ' ORDER BY quantity)
                      FROM reservations WHERE ended_at IS NULL";
        assert_eq!(world.scalar(unpaid), "21 true");
        assert_eq!(world.want(5, Some("bank")).await["status"], "INVOICED");
        let paid = world.mark_stock_paid(&first, "A").await.data(200);
        assert_eq!(paid["status"], "PAID");
        assert_eq!(world.scalar(unpaid), "5 false, 21 false");
        assert_eq!(ask(5).await.data(201)["status"], "INVOICED");
        let allocated = world.transfer(&first, "allocate", &json!({})).await;
        allocated.data(200);
    });
}

#[test]
fn paid_purchases_wait_for_serials_and_the_oldest_is_served_first() {
    with_world(async |world| {
        let (first, second) = (world.want(2, None).await, world.want(1, None).await);
        world.sell_out().await;
        for (request, reference) in [(&first, "A"), (&second, "B")] {
            let paid = world.mark_stock_paid(request, reference).await.data(200);
            assert_eq!(paid["status"], "PAID");
        }
        let none = world.transfer(&first, "allocate", &json!({})).await;
        none.refused(409, "OUT_OF_STOCK");
        let session = world.as_reseller(CODE, EMAIL).await;
        let path = format!("stock-requests/{}/cancel", first["id"].as_str().unwrap());
        let cancel = world.in_portal(&session, "POST", &path).json(&json!({}));
        cancel.send().await.refused(409, "INVALID_STATE");

        let app = world.server.app();
        world.fill_up(&["LATE-1"]).await;
        allocate_waiting(app).await.unwrap();
        assert_eq!(world.read_transfer(&second).await["status"], "PAID");
        world.fill_up(&["LATE-2", "LATE-3"]).await;
        served(world, &first).await;
        served(world, &second).await;
        assert_eq!(world.owned_items().await.len(), 3);
    });
}

#[test]
fn what_comes_is_kept_for_a_paid_purchase_until_it_is_cancelled() {
    with_world(async |world| {
        let (waits, later) = (world.want(2, None).await, world.want(1, None).await);
        world.sell_out().await;
        // Whoever was paid first waits in front, whoever asked first.
        for (request, reference) in [(&later, "A"), (&waits, "B")] {
            let paid = world.mark_stock_paid(request, reference).await.data(200);
            assert_eq!(paid["status"], "PAID");
        }
        let again = world.transfer(&waits, "allocate", &json!({})).await;
        again.refused(409, "OUT_OF_STOCK");
        world.fill_up(&["LATE-1"]).await;
        served(world, &later).await;
        world.fill_up(&["LATE-2"]).await;
        let available = async || {
            let stock = world.shelf("GET", "stock").send().await.data(200);
            stock["available_stock"].as_u64().unwrap()
        };
        assert_eq!(available().await, 0, "it is half of what was paid");
        let short = world.buy_stock(CODE, PRODUCT, 1).await;
        short.refused(409, "OUT_OF_STOCK");
        let cancelled = world.transfer(&waits, "cancel", &json!({})).await;
        assert_eq!(cancelled.data(200)["refunded"], waits["total"]);
        assert_eq!(available().await, 1);
        world.buy_stock(CODE, PRODUCT, 1).await.data(201);
        let rows = "SELECT string_agg(ending, ' ' ORDER BY ending) FROM reservations";
        assert_eq!(world.scalar(rows), "CANCELLED REDEEMED");
    });
}

/// Gives out what is paid, unless the server's own round comes first.
async fn served(world: &World, request: &Value) {
    let allocated = async {
        while world.read_transfer(request).await["status"] != "ALLOCATED" {
            allocate_waiting(world.server.app()).await.unwrap();
        }
    };
    timeout(Duration::from_mins(1), allocated).await.unwrap();
}

#[test]
fn two_members_who_allocate_at_once_give_one_set_of_serials() {
    with_world(async |world| {
        world.auto_allocate(false).await;
        let asked = world.want(3, None).await;
        let unpaid = world.transfer(&asked, "allocate", &json!({})).await;
        unpaid.refused(409, "INVALID_STATE");
        let paid = world.mark_stock_paid(&asked, "A").await.data(200);
        assert_eq!(paid["status"], "PAID");
        allocate_waiting(world.server.app()).await.unwrap();
        assert_eq!(world.read_transfer(&asked).await["status"], "PAID");
        let nothing = json!({});
        let calls = (0..6).map(|_| world.transfer(&asked, "allocate", &nothing));
        let replies = join_all(calls).await;
        assert_eq!(fresh(&replies), 1);
        for reply in replies {
            assert_eq!(reply.data(200)["counts"]["available"], 3);
        }
        assert_eq!(world.owned_items().await.len(), 3);
    });
}

#[test]
fn allocation_that_was_cut_off_is_carried_out_once() {
    with_world(async |world| {
        let asked = world.want(2, Some("bank")).await;
        world.mark_stock_paid(&asked, "A").await.data(200);
        let items = world.owned_items().await;
        let state = world.stock_books();
        // As after a crash between the withdrawal and what is stored of it.
        world.sql("DELETE FROM inventory_items");
        world.sql(
            "UPDATE stock_requests SET status = 'ALLOCATING', allocated_at = NULL,
               attempted_at = attempted_at - interval '2 minutes'",
        );
        assert_eq!(world.read_transfer(&asked).await["status"], "PAID");
        let carried = async {
            while world.read_transfer(&asked).await["status"] != "ALLOCATED" {
                carry_waiting(world.server.app()).await.unwrap();
            }
        };
        timeout(Duration::from_mins(1), carried).await.unwrap();
        assert_eq!(world.stock_books(), state);
        let serials = |items: &[Value]| -> Vec<Value> {
            let mut all: Vec<_> = items.iter().map(|item| item["id"].clone()).collect();
            all.sort_by_key(ToString::to_string);
            all
        };
        assert_eq!(serials(&world.owned_items().await), serials(&items));
    });
}

#[test]
fn paid_purchase_that_is_cancelled_goes_to_the_balance_once() {
    with_world(async |world| {
        let asked = world.want(2, None).await;
        world.sell_out().await;
        world.mark_stock_paid(&asked, "A").await.data(200);
        let total = asked["total"].clone();
        let reason = json!({"reason": "sold out for good"});
        let calls = (0..4).map(|_| world.transfer(&asked, "cancel", &reason));
        let replies = join_all(calls).await;
        assert_eq!(fresh(&replies), 1);
        for reply in replies {
            let cancelled = reply.data(200);
            assert_eq!(
                (&cancelled["status"], &cancelled["refunded"]),
                (&json!("CANCELLED"), &total)
            );
        }
        let entries = world.dev_of(CODE, "GET", "balance/ledger?kind=STOCK_REFUND");
        let entries = entries.send().await.data(200);
        assert_eq!(entries.as_array().unwrap().len(), 1);
        assert_eq!(
            (&entries[0]["amount"], &entries[0]["reference_type"]),
            (&total, &json!("stock_refund"))
        );
        let id = asked["id"].as_str().unwrap();
        assert_eq!(entries[0]["description"], format!("Stock request {id}"));
        let state = world.stock_books();
        let again = world.mark_stock_paid(&asked, "A").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.data(200)["status"], "CANCELLED");
        world.fill_up(&["NEW-1", "NEW-2"]).await;
        allocate_waiting(world.server.app()).await.unwrap();
        assert_eq!(world.stock_books(), state, "what went back buys nothing");
    });
}

#[test]
fn refund_that_was_cut_off_is_credited_once() {
    with_world(async |world| {
        let asked = world.want(2, None).await;
        world.auto_allocate(false).await;
        world.mark_stock_paid(&asked, "A").await.data(200);
        let credits = || {
            world.scalar(
                "SELECT COUNT(*) || ' of ' || COALESCE(SUM(amount), 0) FROM ledger_entries
                 WHERE kind = 7",
            )
        };
        // As after a crash between what is stored and the credit.
        world.sql(
            "INSERT INTO stock_refunds (refund_id, stock_request_id, merchant_id, relationship_id,
               balance_id, amount, created_at)
             SELECT stock_request_id, stock_request_id, merchant_id, relationship_id, balance_id,
               unit_price * quantity, now() - interval '2 minutes' FROM stock_requests",
        );
        world.sql(
            "UPDATE stock_requests SET status = 'CANCELLED', refunded = unit_price * quantity",
        );
        let app = world.server.app();
        for _ in 0..2 {
            give_back_waiting(app, SystemClock.now()).await.unwrap();
            world.sql("UPDATE stock_refunds SET credited_at = NULL");
        }
        give_back_waiting(app, SystemClock.now()).await.unwrap();
        let total = world.scalar("SELECT unit_price * quantity FROM stock_requests");
        assert_eq!(credits(), format!("1 of {total}"));
    });
}

#[test]
fn money_that_comes_late_buys_what_is_still_there_or_goes_to_the_balance() {
    with_world(async |world| {
        let expired = async || {
            let asked = world.want(2, Some("bank")).await;
            world.sql(
                "UPDATE stock_requests SET expires_at = now() - interval '1 second'
                 WHERE status = 'INVOICED'",
            );
            let now = SystemClock.now() + TimeDelta::seconds(1);
            expire_due(world.server.app(), now).await.unwrap();
            let read = world.read_transfer(&asked).await;
            assert_eq!(
                (&read["status"], &read["invoice"]["status"]),
                (&json!("EXPIRED"), &json!("EXPIRED"))
            );
            asked
        };
        let (there, gone) = (expired().await, expired().await);
        let stored = "SELECT string_agg(status, ' ') FROM stock_requests";
        assert_eq!(world.scalar(stored), "EXPIRED EXPIRED");
        let unpayable = world
            .transfer(&there, "invoice", &json!({"coin": "BALANCE"}))
            .await;
        unpayable.refused(409, "INVALID_STATE");
        let bought = world.mark_stock_paid(&there, "A").await.data(200);
        assert_eq!(bought["status"], "ALLOCATED");
        world.sell_out().await;
        for _ in 0..2 {
            let back = world.mark_stock_paid(&gone, "B").await.data(200);
            assert_eq!(
                (
                    &back["status"],
                    &back["refunded"],
                    &back["invoice"]["status"]
                ),
                (&json!("EXPIRED"), &gone["total"], &json!("REFUNDED"))
            );
        }
        assert_eq!(world.owned_items().await.len(), 2);
        let balance = world.balance(&world.key(CODE)).await["balance"].clone();
        let credits = world.scalar("SELECT COUNT(*) FROM ledger_entries WHERE kind = 7");
        assert_eq!(credits, "1", "{balance}");
    });
}

#[test]
fn purchase_whose_end_is_stored_before_its_payment_is_judged_by_its_end() {
    with_world(async |world| {
        let asked = world.want(2, Some("bank")).await;
        world.sql("UPDATE stock_requests SET expires_at = now() - interval '1 second'");
        let (app, now) = (
            world.server.app(),
            SystemClock.now() + TimeDelta::seconds(1),
        );
        expire_due(app, now).await.unwrap();
        // Judged before that: its units were kept then, and are somebody else's by now.
        world.sell_out().await;
        let paid = Step {
            if_over: Some(Event::PaidInVain),
            ..Step::of(Event::Paid)
        };
        let id = StockRequestId::parse(asked["id"].as_str().unwrap()).unwrap();
        let of = (world.cast.merchant, None);
        let stepped = step(&app.database, of, id, paid, now).await.unwrap();
        let Some(Steps::To(request, Some(refund))) = stepped else {
            panic!("it is over: {stepped:?}");
        };
        assert_eq!(
            (request.status, refund.amount),
            (Status::Expired, request.total)
        );
    });
}

#[test]
fn purchase_that_was_to_be_paid_at_once_ends_in_one_step_with_its_refusal() {
    with_world(async |world| {
        let asked = world.want(2, None).await;
        let all = world.balance(&world.key(CODE)).await["available"].clone();
        let debit =
            json!({"amount": all, "type": "WITHDRAWAL", "description": "out", "reference": "w"});
        let debit = world.dev_of(CODE, "POST", "balance/debit").json(&debit);
        debit.send().await.data(201);
        // As after a crash between the decision and the refusal.
        world.sql(
            "UPDATE stock_requests SET status = 'PAYING', at_once = true,
               attempted_at = attempted_at - interval '2 minutes'",
        );
        let carried = async {
            while world.read_transfer(&asked).await["status"] != "CANCELLED" {
                carry_waiting(world.server.app()).await.unwrap();
            }
        };
        timeout(Duration::from_mins(1), carried).await.unwrap();
        let read = world.read_transfer(&asked).await;
        assert_eq!(read["status_reason"], "INSUFFICIENT_BALANCE");
    });
}

#[test]
fn paid_purchase_with_units_of_its_own_gets_them_however_empty_the_shelf_is() {
    with_world(async |world| {
        world.auto_allocate(false).await;
        let kept = world.want(2, Some("bank")).await;
        world.sell_out().await;
        let paid = world.mark_stock_paid(&kept, "A").await.data(200);
        assert_eq!(paid["status"], "PAID");
        world.auto_allocate(true).await;
        served(world, &kept).await;
        assert_eq!(world.owned_items().await.len(), 2);
    });
}
