//! How many wholesale purchases may wait for money, or come to nothing; and that nobody is asked how to pay one that
//! there is no room for.

use serde_json::{Value, json};

use crate::{
    stock_told::Told,
    support::{Reply, World, btcpay::with_double},
};

const CODE: &str = "demo-both";

impl World {
    /// So many more of the purchases that there are, as they stand.
    fn repeat_purchases(&self, times: u32) {
        self.sql(&format!(
            "INSERT INTO stock_requests (stock_request_id, merchant_id, relationship_id, balance_id,
               product_id, quantity, unit_price, price_version, requested_by, status, expires_at,
               attempted_at, created_at, updated_at)
             SELECT gen_random_uuid(), merchant_id, relationship_id, balance_id, product_id, quantity,
               unit_price, price_version, requested_by, status, expires_at, attempted_at, created_at,
               updated_at
             FROM stock_requests, generate_series(1, {times})"
        ));
    }

    /// One unit, asked for by its reseller and by its merchant.
    async fn ask_both(&self, session: &str) -> [Reply; 2] {
        let product = self.product("Antivirus").id.to_string();
        let body = json!({"product_id": product, "quantity": 1, "coin": "btc"});
        let portal = self.in_portal(session, "POST", "stock-requests");
        let own = portal.json(&body).send().await;
        [own, self.ask_stock(CODE, &body).await]
    }
}

fn says(refused: &[Reply; 2], what: &str) {
    for reply in refused {
        let message = &reply.refused(409, "INVALID_STATE")["message"];
        assert!(message.as_str().unwrap().contains(what), "{message}");
    }
}

#[test]
fn server_is_asked_for_no_invoice_that_there_is_no_room_for() {
    with_double(async |world, double| {
        world.approve_stock("AUTO").await;
        let session = world.as_reseller(CODE, "ann@example.com").await;
        let limit = |limit: Value| json!({"purchase_limit_daily": limit});
        let narrow = limit(json!("0.01"));
        world.change_reseller(CODE, &narrow).await.data(200);
        for reply in world.ask_both(&session).await {
            reply.refused(403, "PURCHASE_LIMIT_EXCEEDED");
        }
        assert_eq!(double.count(), 0);
        let wide = limit(Value::Null);
        world.change_reseller(CODE, &wide).await.data(200);

        Told::open(world, double).await;
        world.repeat_purchases(19);
        says(&world.ask_both(&session).await, "20 open stock requests");
        // However they ended, and whoever ended them.
        world.sql("UPDATE stock_requests SET status = 'CANCELLED'");
        world.repeat_purchases(4);
        says(&world.ask_both(&session).await, "100 stock requests");
        assert_eq!(double.count(), 1);
        assert_eq!(world.scalar("SELECT COUNT(*) FROM stock_requests"), "100");
        world.sql(
            "UPDATE stock_requests SET created_at = created_at - interval '1 day'
             WHERE number = (SELECT MAX(number) FROM stock_requests)",
        );
        let [own, merchants] = world.ask_both(&session).await;
        own.data(201);
        merchants.refused(409, "INVALID_STATE");
        // What is paid is none of them.
        world.sql("UPDATE stock_requests SET paid_at = now() WHERE status = 'CANCELLED'");
        Told::open(world, double).await;
        assert_eq!(double.count(), 3);
    });
}
