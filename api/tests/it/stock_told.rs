//! Wholesale purchases whose payments a provider tells of: paid in parts, too little, too much, too late, and taken
//! back.

use api::{payments::ask_due, stock_requests::expire_due};
use serde_json::{Value, json};

use crate::{
    checkout::after,
    support::{
        Reply, World,
        btcpay::{Double, payment, with_double},
    },
};

const CODE: &str = "demo-both";

/// What of a coin is worth so many cents.
fn worth(cents: i64) -> String {
    format!("0.{:08}", cents * 16)
}

pub(crate) fn cents(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

pub(crate) fn money(cents: i64) -> Value {
    json!(format!("{}.{:02}", cents / 100, cents % 100))
}

/// A purchase, and its invoice at the double.
pub(crate) struct Told<'a> {
    world: &'a World,
    double: &'a Double,
    pub(crate) request: Value,
    reference: String,
    pub(crate) total: i64,
}

impl<'a> Told<'a> {
    /// Two units that the merchant invoices in the double's coin.
    pub(crate) async fn open(world: &'a World, double: &'a Double) -> Self {
        let product = world.product("Antivirus").id.to_string();
        let body = json!({"product_id": product, "quantity": 2, "coin": "btc"});
        let request = world.ask_stock(CODE, &body).await.data(201);
        let url = request["invoice"]["pay"]["url"].as_str().unwrap();
        let reference = url.rsplit('/').next().unwrap().to_owned();
        let total = cents(&request["total"]);
        Self {
            world,
            double,
            request,
            reference,
            total,
        }
    }

    /// The double says that this arrived, and is asked, however often.
    pub(crate) async fn pays(&self, payments: &[(&str, i64, &str)]) -> Value {
        let told = payments
            .iter()
            .map(|(id, cents, status)| payment(id, &worth(*cents), status));
        self.double
            .pays(&self.reference, &json!(told.collect::<Vec<_>>()));
        for _ in 0..2 {
            let due = "UPDATE hosted_invoices SET ask_at = now() - interval '1 second'";
            self.world.sql(due);
            ask_due(self.world.server.app(), after(0)).await.unwrap();
        }
        self.read().await
    }

    async fn read(&self) -> Value {
        self.world.read_transfer(&self.request).await
    }

    async fn act(&self, verb: &str, body: Value) -> Reply {
        let invoice = &self.request["invoice"];
        self.world.act_on(invoice, verb, body).await
    }

    pub(crate) async fn expires(&self) {
        let app = self.world.server.app();
        assert_eq!(expire_due(app, after(25 * 60)).await.unwrap(), 1);
    }

    /// The purchase, its invoice, and what of that arrived and went back.
    pub(crate) fn stands(shown: &Value) -> [&str; 4] {
        let invoice = &shown["invoice"];
        let (received, refunded) = (&invoice["received"], &invoice["refunded"]);
        [&shown["status"], &invoice["status"], received, refunded]
            .map(|value| value.as_str().unwrap())
    }
}

impl World {
    pub(crate) async fn spendable(&self) -> i64 {
        cents(&self.balance(&self.key(CODE)).await["available"])
    }

    fn stock_credits(&self) -> String {
        self.scalar(
            "SELECT COUNT(*) || ' of ' || COALESCE(SUM(amount), 0) FROM stock_refunds
             WHERE credited_at IS NOT NULL",
        )
    }
}

#[test]
fn purchase_is_paid_in_parts_at_a_server_and_allocated_once() {
    with_double(async |world, double| {
        let before = world.spendable().await;
        let told = Told::open(world, double).await;
        let (request, total) = (&told.request, told.total);
        assert_eq!(
            double.was_asked(&told.reference),
            (request["total"].clone(), json!(24 * 60))
        );
        assert_eq!(Told::stands(request), ["INVOICED", "OPEN", "0.00", "0.00"]);

        let seen = told.pays(&[("a-0", 500, "Processing")]).await;
        assert_eq!(Told::stands(&seen)[..3], ["INVOICED", "CONFIRMING", "0.00"]);
        let cancel = world.transfer(request, "cancel", &json!({})).await;
        let refused = cancel.refused(409, "INVALID_STATE");
        assert_eq!(
            refused["details"],
            json!([{"field": "status", "message": "INVOICED"},
                {"field": "invoice_status", "message": "CONFIRMING"}])
        );
        let early = told.act("accept", json!({})).await;
        early.refused(409, "INVALID_STATE");
        let part = told.pays(&[("a-0", 500, "Settled")]).await;
        assert_eq!(
            Told::stands(&part),
            ["INVOICED", "UNDERPAID", "5.00", "0.00"]
        );
        assert_eq!(world.owned_items().await, Vec::<Value>::new());
        // Half a percent less is enough, however often it is told.
        let rest = total - 500 - total / 200;
        let both = [("a-0", 500, "Settled"), ("b-0", rest, "Settled")];
        let done = told.pays(&both).await;
        let [status, invoice, received, refunded] = Told::stands(&done);
        assert_eq!(
            (status, invoice, refunded),
            ("ALLOCATED", "COMPLETED", "0.00")
        );
        assert_eq!(json!(received), money(total - total / 200));
        assert_eq!(done["invoice"]["overpaid"], "0.00");
        assert_eq!(done["invoice"]["missing"], money(total / 200));
        assert_eq!(world.owned_items().await.len(), 2);
        assert_eq!(world.scalar("SELECT COUNT(*) FROM payments"), "2");
        assert_eq!(world.spendable().await, before);
        let session = world.as_reseller(CODE, "ann@example.com").await;
        let path = format!("stock-requests/{}", request["id"].as_str().unwrap());
        let own = world.in_portal(&session, "GET", &path).send().await;
        assert_eq!(Told::stands(&own.data(200)), Told::stands(&done));

        // The merchant's word is the same money.
        let word = world.transfer(request, "mark-paid", &json!({})).await;
        assert_eq!(word.header("idempotent-replayed"), Some("true"));
        let other = json!({"reference": "WIRE-9"});
        let other = world.transfer(request, "mark-paid", &other).await;
        other.refused(409, "INVALID_STATE");
        for verb in ["complete", "cancel"] {
            told.act(verb, json!({}))
                .await
                .refused(409, "INVALID_STATE");
        }
        let dispute = told.act("dispute", json!({"outcome": "OPENED"})).await;
        dispute.refused(409, "INVALID_STATE");
        let spent = told.act("refund", json!({"refund_ref": "S1"})).await;
        spent.refused(409, "INVALID_STATE");
    });
}

#[test]
fn merchant_takes_too_little_for_a_purchase_and_no_more_goes_back_than_came() {
    with_double(async |world, double| {
        let before = world.spendable().await;
        let told = Told::open(world, double).await;
        told.pays(&[("a-0", 150, "Settled")]).await;
        let accepted = told.act("accept", json!({})).await.data(200);
        assert_eq!(
            (
                &accepted["status"],
                &accepted["purpose"],
                &accepted["received"]
            ),
            (&json!("COMPLETED"), &json!("STOCK_REQUEST"), &json!("1.50"))
        );
        let again = told.act("accept", json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(told.read().await["status"], "ALLOCATED");
        // What comes after that is more than the merchant asked for.
        let both = [("a-0", 150, "Settled"), ("b-0", 100, "Settled")];
        told.pays(&both).await;
        assert_eq!(world.stock_credits(), "1 of 100");
        let revoke = json!({"refund": "BALANCE"});
        let revoked = world.transfer(&told.request, "revoke", &revoke).await;
        revoked.data(200);
        assert_eq!(world.stock_credits(), "2 of 250");
        assert_eq!(world.spendable().await, before + 250);
        assert_eq!(told.read().await["invoice"]["status"], "REFUNDED");
    });
}

#[test]
fn what_arrived_and_bought_nothing_is_given_back_once() {
    with_double(async |world, double| {
        let told = Told::open(world, double).await;
        told.pays(&[("a-0", 150, "Settled")]).await;
        told.expires().await;
        let over = told.read().await;
        assert_eq!(Told::stands(&over), ["EXPIRED", "EXPIRED", "1.50", "0.00"]);
        let back = |reference: &str, amount: &str| {
            told.act("refund", json!({"refund_ref": reference, "amount": amount}))
        };
        back("U1", "1.51").await.refused(422, "AMOUNT_OUT_OF_RANGE");
        let part = back("U1", "1.00").await.data(200);
        assert_eq!(
            (&part["status"], &part["refunded"]),
            (&json!("EXPIRED"), &json!("1.00"))
        );
        // What went back is still to come.
        let missing = money(told.total - 50);
        assert_eq!(part["missing"], missing);
        assert_eq!(told.read().await["invoice"]["missing"], missing);
        let again = back("U1", "1.00").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        back("U1", "0.50").await.refused(409, "ALREADY_EXISTS");
        back("U2", "0.50").await.data(200);
        let none = told.act("accept", json!({})).await;
        none.refused(409, "INVALID_STATE");
        assert_eq!(world.stock_credits(), "0 of 0");
        assert_eq!(world.owned_items().await, Vec::<Value>::new());
    });
}

#[test]
fn rest_of_a_purchase_that_comes_late_buys_it_or_goes_to_the_balance() {
    with_double(async |world, double| {
        let before = world.spendable().await;
        let there = Told::open(world, double).await;
        let total = there.total;
        there.pays(&[("a-0", 500, "Settled")]).await;
        there.expires().await;
        // More than it costs is the reseller's.
        let both = [("a-0", 500, "Settled"), ("b-0", total, "Settled")];
        let late = there.pays(&both).await;
        assert_eq!(Told::stands(&late)[..2], ["ALLOCATED", "COMPLETED"]);
        assert_eq!(late["invoice"]["overpaid"], "5.00");
        assert_eq!(world.spendable().await, before + 500);

        let gone = Told::open(world, double).await;
        gone.pays(&[("c-0", 500, "Settled")]).await;
        gone.expires().await;
        world.sell_out().await;
        let both = [("c-0", 500, "Settled"), ("d-0", total, "Settled")];
        let vain = gone.pays(&both).await;
        assert_eq!(Told::stands(&vain)[..2], ["EXPIRED", "REFUNDED"]);
        assert_eq!(vain["invoice"]["refunded"], vain["invoice"]["received"]);
        let all = before + 500 + 500 + total;
        assert_eq!(world.spendable().await, all);
        // Whatever comes then is no purchase's.
        let more = [both[0], both[1], ("e-0", 70, "Settled")];
        gone.pays(&more).await;
        assert_eq!(world.spendable().await, all + 70);
        assert_eq!(world.owned_items().await.len(), 2);
    });
}

#[test]
fn payment_taken_back_before_the_serials_leave_ends_the_purchase() {
    with_double(async |world, double| {
        world.auto_allocate(false).await;
        let before = world.spendable().await;
        let told = Told::open(world, double).await;
        let rest = told.total - 500;
        let both = |second| [("a-0", 500, "Settled"), ("b-0", rest, second)];
        let paid = told.pays(&both("Settled")).await;
        assert_eq!(Told::stands(&paid)[..2], ["PAID", "PAID"]);
        let over = told.pays(&both("Invalid")).await;
        assert_eq!(Told::stands(&over)[..2], ["CANCELLED", "REFUNDED"]);
        assert_eq!(over["status_reason"], "PAYMENT_REVERSED");
        // What did come is the reseller's.
        assert_eq!(world.spendable().await, before + 500);
        let allocate = world.transfer(&told.request, "allocate", &json!({})).await;
        allocate.refused(409, "INVALID_STATE");
        assert_eq!(world.owned_items().await, Vec::<Value>::new());
        let kept = "SELECT COUNT(*) FROM reservations WHERE ended_at IS NULL";
        assert_eq!(world.scalar(kept), "0");
        // And when that is taken back as well, the balance gives it.
        let none = [("a-0", 500, "Invalid"), ("b-0", rest, "Invalid")];
        told.pays(&none).await;
        assert_eq!(world.spendable().await, before);
    });
}

#[test]
fn payment_taken_back_after_the_serials_left_is_the_balances_and_the_rest_is_owed() {
    with_double(async |world, double| {
        let told = Told::open(world, double).await;
        let done = told.pays(&[("a-0", told.total, "Settled")]).await;
        assert_eq!(done["status"], "ALLOCATED");
        world.spend_down_to("1.00").await;
        let gone = told.pays(&[("a-0", told.total, "Invalid")]).await;
        assert_eq!(Told::stands(&gone)[..2], ["ALLOCATED", "REFUNDED"]);
        assert_eq!(world.spendable().await, 0);
        let taken = "SELECT COUNT(*) || ' of ' || SUM(amount) FROM ledger_entries WHERE kind = 6";
        assert_eq!(world.scalar(taken), "1 of -100");
        let owed = (told.total - 100).to_string();
        assert_eq!(world.scalar("SELECT amount FROM debts"), owed);
        let entries = world.dev_of(CODE, "GET", "balance/ledger?kind=TOP_UP_REVERSAL");
        let entries = entries.send().await.data(200);
        let description = entries[0]["description"].as_str().unwrap();
        assert!(description.starts_with("Purchase "), "{description}");
        let suspended = "SELECT status FROM relationships WHERE code = 'demo-both'";
        assert_eq!(world.scalar(suspended), "SUSPENDED");
        let mail = world.letters().await;
        assert!(mail.iter().any(|one| one.subject.contains("are owed to")));
        // The reseller paid for the serials after all: what is taken back of them goes to the balance.
        let revoke = json!({"refund": "BALANCE"});
        let revoked = world.transfer(&told.request, "revoke", &revoke).await;
        assert_eq!(cents(&revoked.data(200)["refunded"]), told.total);
    });
}

#[test]
fn surplus_of_payments_that_were_taken_back_stays_in_no_balance() {
    with_double(async |world, double| {
        world.auto_allocate(false).await;
        let before = world.spendable().await;
        // The first of two pays the price, the second is in the balance.
        let twice = Told::open(world, double).await;
        let total = twice.total;
        let both = |first, second| [("a-0", total, first), ("b-0", total, second)];
        let paid = twice.pays(&both("Settled", "Settled")).await;
        assert_eq!(Told::stands(&paid)[..2], ["PAID", "PAID"]);
        assert_eq!(world.spendable().await, before + total);
        let once = twice.pays(&both("Settled", "Invalid")).await;
        assert_eq!(Told::stands(&once)[..2], ["PAID", "PAID"]);
        assert_eq!(world.spendable().await, before);
        let none = twice.pays(&both("Invalid", "Invalid")).await;
        assert_eq!(Told::stands(&none)[..2], ["CANCELLED", "REFUNDED"]);
        assert_eq!(none["invoice"]["refunded"], none["invoice"]["received"]);
        assert_eq!(world.spendable().await, before);

        let given = Told::open(world, double).await;
        let much = total + 700;
        given.pays(&[("c-0", much, "Settled")]).await;
        assert_eq!(world.spendable().await, before + 700);
        let allocated = world.transfer(&given.request, "allocate", &json!({})).await;
        assert_eq!(allocated.data(200)["status"], "ALLOCATED");
        world.spend_down_to("1.00").await;
        let gone = given.pays(&[("c-0", much, "Invalid")]).await;
        assert_eq!(Told::stands(&gone)[..2], ["ALLOCATED", "REFUNDED"]);
        assert_eq!(world.spendable().await, 0);
        let owed = (much - 100).to_string();
        assert_eq!(world.scalar("SELECT amount FROM debts"), owed);
    });
}

#[test]
fn purchase_that_cannot_be_had_asks_no_server() {
    with_double(async |world, double| {
        world.sell_out().await;
        let product = world.product("Antivirus").id.to_string();
        let body = json!({"product_id": product, "quantity": 1, "coin": "btc"});
        let refused = world.ask_stock(CODE, &body).await;
        refused.refused(409, "OUT_OF_STOCK");
        assert_eq!(double.count(), 0);
    });
}

#[test]
fn server_that_does_not_answer_opens_no_invoice_and_keeps_no_units() {
    with_double(async |world, double| {
        world.approve_stock("AUTO").await;
        let product = world.product("Antivirus").id.to_string();
        let waits = json!({"product_id": product, "quantity": 2});
        let waits = world.ask_stock(CODE, &waits).await.data(201);
        let session = world.as_reseller(CODE, "ann@example.com").await;
        let shelf = world.shelf("GET", "stock").send().await.data(200);
        double.is_away(true);
        let coin = json!({"coin": "btc"});
        let asked = json!({"product_id": product, "quantity": 2, "coin": "btc"});
        let portal = world.in_portal(&session, "POST", "stock-requests");
        for reply in [
            world.transfer(&waits, "invoice", &coin).await,
            world.ask_stock(CODE, &asked).await,
            portal.json(&asked).send().await,
        ] {
            reply.refused(502, "PROVIDER_UNAVAILABLE");
        }
        assert_eq!(world.scalar("SELECT COUNT(*) FROM invoices"), "0");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM stock_requests"), "1");
        assert_eq!(world.read_transfer(&waits).await["status"], "REQUESTED");
        let after = world.shelf("GET", "stock").send().await.data(200);
        assert_eq!(after, shelf);
        double.is_away(false);
        let invoiced = world.transfer(&waits, "invoice", &coin).await.data(200);
        assert_eq!(invoiced["status"], "INVOICED");
        let kept = world.shelf("GET", "stock").send().await.data(200);
        assert_ne!(kept, shelf);
    });
}
