//! Money that goes back of a cart, as a whole or line by line, before the delivery and after it.

use api::checkout::{carry_waiting, expire_due};
use serde_json::{Value, json};

use crate::{
    carts::CODE,
    checkout::{after, is_page},
    support::{Reply, World, with_world},
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
        self.selling();
        let cookie = format!("consign_ref={}", self.token(CODE).await);
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
        let letter = world.letter("Your purchase").await;
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
        world.selling();
        let cookie = format!("consign_ref={}", world.token(CODE).await);
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
