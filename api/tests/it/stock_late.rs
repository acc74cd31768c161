//! Money that a provider tells of after the end of a wholesale purchase: it buys what could be asked for now for no
//! more, and otherwise goes to the balance.

use serde_json::{Value, json};

use crate::{
    stock_told::{Told, money},
    support::{World, btcpay::with_double},
};

const CODE: &str = "demo-both";

impl World {
    /// What a unit costs from now on.
    async fn now_costs(&self, price: &str) {
        let id = self.product("Antivirus").id.to_string();
        let access = json!({"product_access": [
            {"product_id": id, "wholesale_price_override": price}
        ]});
        self.change_reseller(CODE, &access).await.data(200);
    }

    async fn give_up(&self, session: &str, request: &Value) {
        let path = format!("stock-requests/{}/cancel", request["id"].as_str().unwrap());
        let cancel = self.in_portal(session, "POST", &path).json(&json!({}));
        assert_eq!(cancel.send().await.data(200)["status"], "CANCELLED");
    }
}

impl Told<'_> {
    /// All of its price arrives: where it stands then, with its invoice.
    async fn is_paid(&self, payment: &str) -> [String; 2] {
        let shown = self.pays(&[(payment, self.total, "Settled")]).await;
        let [status, invoice, ..] = Told::stands(&shown);
        [status, invoice].map(str::to_owned)
    }
}

#[test]
fn late_money_buys_only_what_the_purchase_limits_leave_room_for() {
    with_double(async |world, double| {
        let session = world.as_reseller(CODE, "ann@example.com").await;
        let before = world.spendable().await;
        let first = Told::open(world, double).await;
        let second = Told::open(world, double).await;
        let third = Told::open(world, double).await;
        for given_up in [&first, &second] {
            world.give_up(&session, &given_up.request).await;
        }
        // Its time is over, whether or not that was noted. And all were asked for long ago.
        world.sql("UPDATE stock_requests SET created_at = created_at - interval '40 days'");
        for table in ["stock_requests", "invoices"] {
            let over = format!("UPDATE {table} SET expires_at = now() - interval '1 second'");
            world.sql(&over);
        }
        let total = first.total;
        let limit = json!({"purchase_limit_monthly": money(total)});
        world.change_reseller(CODE, &limit).await.data(200);
        assert_eq!(first.is_paid("a-0").await, ["ALLOCATED", "COMPLETED"]);
        assert_eq!(second.is_paid("b-0").await, ["CANCELLED", "REFUNDED"]);
        assert_eq!(third.is_paid("c-0").await, ["EXPIRED", "REFUNDED"]);
        let expired = |step: &Value| {
            step["stock_request_id"] == third.request["id"] && step["status"] == "EXPIRED"
        };
        world
            .told_exactly("stock_request:updated", expired, 1)
            .await;
        assert_eq!(world.spendable().await, before + 2 * total);
        assert_eq!(world.owned_items().await.len(), 2);
        let product = world.product("Antivirus").id.to_string();
        let one = json!({"product_id": product, "quantity": 1, "coin": "btc"});
        let refused = world.ask_stock(CODE, &one).await;
        let refused = refused.refused(403, "PURCHASE_LIMIT_EXCEEDED");
        let used = json!({"field": "used", "message": money(total)});
        assert_eq!(
            refused["details"][1], used,
            "what was bought late counts once"
        );
    });
}

#[test]
fn late_money_keeps_no_old_price_and_undoes_no_word_of_the_merchant() {
    with_double(async |world, double| {
        let session = world.as_reseller(CODE, "ann@example.com").await;
        let before = world.spendable().await;
        world.now_costs("20.00").await;
        let given_up = Told::open(world, double).await;
        world.give_up(&session, &given_up.request).await;
        assert_eq!(given_up.is_paid("a-0").await, ["ALLOCATED", "COMPLETED"]);

        let ended = Told::open(world, double).await;
        let cancel = world.transfer(&ended.request, "cancel", &json!({})).await;
        cancel.data(200);
        assert_eq!(ended.is_paid("b-0").await, ["CANCELLED", "REFUNDED"]);
        assert_eq!(world.spendable().await, before + 4000);

        let dearer = Told::open(world, double).await;
        dearer.expires().await;
        world.now_costs("20.01").await;
        assert_eq!(dearer.is_paid("c-0").await, ["EXPIRED", "REFUNDED"]);
        assert_eq!(world.spendable().await, before + 8000);

        // What costs less by now was paid at its own price; and the merchant may say yes to an old one.
        let cheaper = Told::open(world, double).await;
        let word = Told::open(world, double).await;
        for given_up in [&cheaper, &word] {
            world.give_up(&session, &given_up.request).await;
        }
        world.now_costs("19.99").await;
        assert_eq!(cheaper.is_paid("d-0").await, ["ALLOCATED", "COMPLETED"]);
        world.now_costs("50.00").await;
        let marked = world.transfer(&word.request, "mark-paid", &json!({})).await;
        assert_eq!(marked.data(200)["status"], "ALLOCATED");
        assert_eq!(world.spendable().await, before + 8000);

        let gone = Told::open(world, double).await;
        world.give_up(&session, &gone.request).await;
        let suspend = world.dev_of(CODE, "POST", "suspend");
        let suspend = suspend.json(&json!({"reason": "Ours"}));
        suspend.send().await.data(200);
        assert_eq!(gone.is_paid("e-0").await, ["CANCELLED", "REFUNDED"]);
        assert_eq!(world.owned_items().await.len(), 6);
    });
}
