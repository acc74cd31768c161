//! Money that goes back of a cart, as a whole or line by line, before the delivery and after it.

use api::checkout::{carry_waiting, expire_due};
use engine::{
    catalog::Sku,
    ids::InvoiceLineId,
    inventory::{Pulled, Purpose, WithdrawalCall},
};
use serde_json::{Value, json};

use crate::{
    carts::ANN,
    checkout::{after, is_page, location},
    checkout_paid::reference_of,
    support::{
        Reply, World,
        btcpay::{payment, with_double},
        with_world,
    },
};

impl World {
    /// Gives back of the sale that the line at this place of the only cart made.
    pub(crate) async fn refund_line(&self, place: u32, body: &Value) -> Reply {
        let sale = format!("SELECT sale_id FROM sales WHERE place = {place}");
        let sale = engine::ids::SaleId::from_uuid(self.scalar(&sale).parse().unwrap());
        let path = format!("/dev/v1/resellers/sales/{sale}/refund");
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.json(body).send().await
    }

    /// Two of one thing and three of another that a link's reseller sold, paid when two were left of the other: the
    /// page of the invoice.
    async fn cart_that_waits(&self) -> String {
        let cookie = self.brought_by_link().await;
        let lines = [("Antivirus", 2), ("Closed", 3)];
        let page = self.cart_bought(&lines, &cookie).await;
        let open = self.newest().await;
        expire_due(self.server.app(), after(61)).await.unwrap();
        self.claim_of("Closed", 1).await;
        assert_eq!(self.pay(&open).await["status"], "AWAITING_STOCK");
        page
    }
}

#[test]
fn line_that_was_given_back_is_left_out_and_the_others_are_delivered() {
    with_world(async |world| {
        let page = world.cart_that_waits().await;
        // A part of it changes nothing.
        let part = json!({"refund_ref": "L1", "amount": "1.00"});
        world.refund_line(1, &part).await.data(200);
        let app = world.server.app();
        assert_eq!(carry_waiting(app, after(2)).await.unwrap(), 1);
        assert_eq!(world.newest().await["status"], "AWAITING_STOCK");
        let rest = json!({"refund_ref": "L2"});
        assert_eq!(
            world.refund_line(1, &rest).await.data(200)["status"],
            "REFUNDED"
        );
        assert_eq!(world.newest().await["status"], "AWAITING_STOCK");
        assert_eq!(world.free_of("Closed").await, 2, "they are everybody's");
        assert_eq!(carry_waiting(app, after(4)).await.unwrap(), 1);
        let done = world.newest().await;
        assert_eq!(done["status"], "PARTIALLY_REFUNDED");
        let delivered = "SELECT string_agg(w.quantity || '', ' ') FROM (
            SELECT CARDINALITY(serial_ids) AS quantity FROM withdrawals WHERE kind = 7) AS w";
        assert_eq!(world.scalar(delivered), "2");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "2");
        assert_eq!(world.kept_lines(), "0");
        let letter = world.letter("Your purchase: ").await;
        assert!(letter.contains("2 x Antivirus") && !letter.contains("Closed"));
        let shown = is_page(&world.submit(&format!("{page}/reveal"), "").await, 200);
        assert!(shown.contains("3, given back"), "{shown}");
        let (_, serials) = shown.split_once("<h2>Antivirus").unwrap();
        assert_eq!(serials.matches("<pre>").count(), 2);
        assert!(!serials.contains("<h2>"), "{shown}");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        // What goes back now went to the customer before.
        let whole = json!({"refund_ref": "L3"});
        let over = world.act_on(&done, "refund", whole).await.data(200);
        assert_eq!(over["status"], "REFUNDED");
        assert_eq!(over["refunded"], over["received"]);
    });
}

#[test]
fn cart_whose_lines_were_all_given_back_is_over() {
    with_world(async |world| {
        world.cart_that_waits().await;
        let half = json!({"refund_ref": "A1", "amount": "20.00"});
        let waits = world.newest().await;
        world.act_on(&waits, "refund", half).await.data(200);
        for (place, reference) in [(0, "A2"), (1, "A3")] {
            let waits = world.newest().await;
            assert_eq!(waits["status"], "AWAITING_STOCK");
            let rest = json!({"refund_ref": reference});
            world.refund_line(place, &rest).await.data(200);
        }
        let over = world.newest().await;
        assert_eq!(
            (&over["status"], &over["completed_at"]),
            (&json!("REFUNDED"), &Value::Null)
        );
        assert_eq!(over["refunded"], over["received"]);
        assert_eq!(world.kept_lines(), "0");
        let app = world.server.app();
        assert_eq!(carry_waiting(app, after(9)).await.unwrap(), 0);
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "0");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
    });
}

#[test]
fn line_that_left_its_shelf_before_a_crash_is_the_customers() {
    with_world(async |world| {
        let cookie = world.brought_by_link().await;
        let lines = [("Antivirus", 2), ("Closed", 3)];
        world.cart_bought(&lines, &cookie).await;
        world.pay(&world.newest().await).await;
        // As after a crash between the withdrawals and what is noted of them.
        world.sql("DELETE FROM sold_serials");
        world.sql("UPDATE invoices SET status = 'PAID', completed_at = NULL");
        let back = json!({"refund_ref": "C1"});
        world.refund_line(1, &back).await.data(200);
        let app = world.server.app();
        assert_eq!(carry_waiting(app, after(2)).await.unwrap(), 1);
        assert_eq!(world.newest().await["status"], "PARTIALLY_REFUNDED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "5");
    });
}

#[test]
fn of_a_cart_that_ends_what_had_left_its_shelf_alone_is_the_customers() {
    with_world(async |world| {
        let [first, second] = world.two_shelves();
        world.cart_bought(&[(second, 3), (first, 2)], "").await;
        let open = world.newest().await;
        let app = world.server.app();
        expire_due(app, after(61)).await.unwrap();
        world.stocks(second, 2).await;
        assert_eq!(world.pay(&open).await["status"], "AWAITING_STOCK");
        // As after a crash between the two withdrawals, which come in the order of their shelves.
        let line = world.scalar("SELECT line_id FROM invoice_lines WHERE place = 1");
        let call = WithdrawalCall {
            id: InvoiceLineId::from_uuid(line.parse().unwrap()).withdrawal(),
            merchant: world.cast.merchant,
            sku: Sku {
                product: world.product(first).id,
                variant: None,
            },
            by: None,
        };
        let left = app.engine.pull(call, Purpose::Sale, 2).await.unwrap();
        let Pulled::Serials(left) = left else {
            panic!("they are kept for it");
        };
        let back = json!({"refund_ref": "E1"});
        let over = world.act_on(&open, "refund", back).await.data(200);
        assert_eq!(over["status"], "REFUNDED");
        assert_ne!(over["completed_at"], Value::Null);
        assert_eq!((left.len(), world.kept_lines().as_str()), (2, "0"));
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "2");
        let stayed = "SELECT string_agg(place::text, ' ') FROM invoice_lines WHERE left_out";
        assert_eq!(world.scalar(stayed), "0", "whose the serials are not");
    });
}

#[test]
fn refund_before_the_delivery_frees_all_lines() {
    with_world(async |world| {
        world
            .cart_bought(&[("Antivirus", 2), ("Closed", 3)], "")
            .await;
        let open = world.newest().await;
        expire_due(world.server.app(), after(61)).await.unwrap();
        world.claim_of("Closed", 1).await;
        let free = world.free_of("Antivirus").await;
        assert_eq!(world.pay(&open).await["status"], "AWAITING_STOCK");
        let over = world
            .act_on(&open, "refund", json!({"refund_ref": "F1"}))
            .await
            .data(200);
        assert_eq!(
            (&over["status"], &over["completed_at"]),
            (&json!("REFUNDED"), &Value::Null)
        );
        assert_eq!(world.kept_lines(), "0");
        assert_eq!(world.free_of("Antivirus").await, free);
        assert_eq!(world.free_of("Closed").await, 2);
    });
}

#[test]
fn refunds_are_of_all_lines_or_of_the_line_of_a_sale() {
    with_world(async |world| {
        let cookie = world.brought_by_link().await;
        world
            .cart_bought(&[("Antivirus", 2), ("Gift", 3)], &cookie)
            .await;
        let open = world.newest().await;
        world.pay(&open).await;
        let sums = || {
            world.scalar(
                "SELECT string_agg(refunded || ' ' || reversed, ', ' ORDER BY place) FROM sales",
            )
        };
        // 89.98, of which 59.98 and 30.00.
        let part = world
            .act_on(
                &open,
                "refund",
                json!({"refund_ref": "R1", "amount": "8.99"}),
            )
            .await;
        assert_eq!(part.data(200)["status"], "PARTIALLY_REFUNDED");
        assert_eq!(sums(), "599 60, 300 30");
        let refund = async |body: Value| world.refund_line(1, &body).await;
        let more = refund(json!({"refund_ref": "R2", "amount": "27.01"})).await;
        more.refused(422, "AMOUNT_OUT_OF_RANGE");
        let rest = refund(json!({"refund_ref": "R2"})).await.data(200);
        assert_eq!(
            (&rest["status"], &rest["refunded"]),
            (&json!("REFUNDED"), &json!("30.00"))
        );
        assert_eq!(sums(), "599 60, 3000 300");
        let again = refund(json!({"refund_ref": "R2"})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        refund(json!({"refund_ref": "R3"}))
            .await
            .refused(422, "AMOUNT_OUT_OF_RANGE");
        let found = world.newest().await;
        assert_eq!(
            (&found["status"], &found["refunded"]),
            (&json!("PARTIALLY_REFUNDED"), &json!("35.99"))
        );
        let whole = world
            .act_on(&open, "refund", json!({"refund_ref": "R4"}))
            .await
            .data(200);
        assert_eq!(
            (&whole["status"], &whole["refunded"]),
            (&json!("REFUNDED"), &json!("89.98"))
        );
        assert_eq!(sums(), "5998 600, 3000 300");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        let noted = "SELECT (SELECT SUM(amount) FROM sale_refunds) || ' ' || (SELECT SUM(refunded) FROM invoice_lines)";
        assert_eq!(world.scalar(noted), "8998 8998");
    });
}

#[test]
fn reference_of_a_refund_is_of_one_line_or_of_all() {
    with_world(async |world| {
        let cookie = world.brought_by_link().await;
        world
            .cart_bought(&[("Antivirus", 2), ("Gift", 3)], &cookie)
            .await;
        let open = world.newest().await;
        world.pay(&open).await;
        let refund = async |place, body: &Value| world.refund_line(place, body).await;
        let gift = json!({"refund_ref": "R1", "amount": "30.00"});
        refund(1, &gift).await.data(200);
        for other in [&gift, &json!({"refund_ref": "R1"})] {
            refund(0, other).await.refused(409, "ALREADY_EXISTS");
        }
        let whole = world.act_on(&open, "refund", gift.clone()).await;
        whole.refused(409, "ALREADY_EXISTS");
        let again = refund(1, &gift).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let part = json!({"refund_ref": "R2", "amount": "5.00"});
        world.act_on(&open, "refund", part.clone()).await.data(200);
        refund(0, &part).await.refused(409, "ALREADY_EXISTS");
        let sums = "SELECT string_agg(refunded::text, ' ' ORDER BY place) FROM sales";
        assert_eq!(world.scalar(sums), "500 3000");
    });
}

#[test]
fn what_is_let_go_of_a_price_is_let_go_of_each_line() {
    with_double(async |world, double| {
        let cookie = world.brought_by_link().await;
        let visit = world.cart(&[("Antivirus", 1), ("Gift", 1)], &cookie).await;
        location(&world.submit(&visit, &format!("email={ANN}&coin=BTC")).await);
        let open = world.newest().await;
        let reference = reference_of(&open);
        // 39.99 is the price, and 20.00 arrives.
        double.pays(&reference, &json!([payment("a-0", "0.00032", "Settled")]));
        world.until_invoice((&open, &reference), "UNDERPAID").await;
        let taken = world.act_on(&open, "accept", json!({})).await.data(200);
        assert_eq!(taken["status"], "COMPLETED");
        let sold = "SELECT string_agg(s.amount || ' ' || s.discount || ' ' || l.missing, ', ' ORDER BY s.place)
            FROM sales AS s JOIN invoice_lines AS l ON l.invoice_id = s.invoice_id AND l.place = s.place";
        assert_eq!(world.scalar(sold), "2999 1499 1499, 1000 500 500");
        let whole = world
            .act_on(&open, "refund", json!({"refund_ref": "L1"}))
            .await;
        assert_eq!(whole.data(200)["refunded"], "20.00");
        let back = "SELECT string_agg(refunded::text, ' ' ORDER BY place) FROM sales";
        assert_eq!(world.scalar(back), "1500 500");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
    });
}

#[test]
fn dispute_about_a_cart_is_about_all_of_its_lines() {
    with_world(async |world| {
        let cookie = world.brought_by_link().await;
        let lines = [("Antivirus", 2), ("Gift", 3)];
        world.cart_bought(&lines, &cookie).await;
        let open = world.newest().await;
        world.pay(&open).await;
        let part = json!({"refund_ref": "D1", "amount": "10.00"});
        world.refund_line(1, &part).await.data(200);
        assert_eq!(world.released().await, 2);
        let stand = || {
            world.scalar(
                "SELECT string_agg(status || ' ' || commission_status || ' ' || refunded || ' ' || reversed,
                   ', ' ORDER BY place) FROM sales",
            )
        };
        world.dispute_purchase(&open, "OPENED").await.data(200);
        assert_eq!(stand(), "DISPUTED PENDING 0 0, DISPUTED PENDING 1000 100");
        assert_eq!(world.released().await, 0);
        let lost = world.dispute_purchase(&open, "LOST").await.data(200);
        assert_eq!(
            (&lost["status"], &lost["refunded"]),
            (&json!("REFUNDED"), &json!("89.98"))
        );
        assert_eq!(
            stand(),
            "REFUNDED REVERSED 5998 600, REFUNDED REVERSED 3000 300"
        );
        let noted = "SELECT (SELECT SUM(amount) FROM sale_refunds) || ' ' || (SELECT SUM(refunded) FROM invoice_lines)";
        assert_eq!(world.scalar(noted), "8998 8998");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
    });
}
