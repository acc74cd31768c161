//! Carts that are paid and wait for stock: what is kept for them, and what for others.

use engine::{catalog::Sku, ids::WithdrawalId};

use crate::{
    carts::YES,
    checkout::{is_page, location},
    support::{World, with_world},
};

impl World {
    /// Two things, in the order of their shelves.
    fn two_shelves(&self) -> [&'static str; 2] {
        let mut titles = ["Antivirus", "Gift"];
        titles.sort_by_key(|title| self.product(title).id);
        titles
    }

    /// Takes all but so many off a shelf.
    async fn leave(&self, title: &str, units: u64) {
        let surplus = self.free_of(title).await - units;
        self.claim_of(title, u32::try_from(surplus).unwrap()).await;
    }

    /// The units of this line are not kept any more, as if they had turned out not to open.
    async fn loses(&self, title: &str, quantity: u32) {
        let which = format!("quantity = {quantity} AND ended_at IS NULL");
        let id = self.scalar(&format!(
            "SELECT withdrawal_id FROM reservations WHERE {which}"
        ));
        self.sql(&format!(
            "UPDATE reservations SET ended_at = now(), ending = 'EXPIRED' WHERE {which}"
        ));
        let sku = Sku {
            product: self.product(title).id,
            variant: None,
        };
        let id = WithdrawalId::from_uuid(id.parse().unwrap());
        let engine = &self.server.app().engine;
        engine.release(self.cast.merchant, sku, id).await.unwrap();
    }
}

#[test]
fn cart_that_is_paid_and_waits_leaves_the_share_of_the_unpaid() {
    with_world(async |world| {
        let [first, second] = world.two_shelves();
        world.leave(first, 45).await;
        world.cart_bought(&[(first, 17), (second, 3)], "").await;
        let open = world.newest().await;
        world.cart_bought(&[(first, 4)], "").await;
        let visit = world.cart(&[(first, 1)], "").await;
        is_page(&world.submit(&visit, YES).await, 409);
        world.loses(second, 3).await;
        world.leave(second, 2).await;
        assert_eq!(world.pay(&open).await["status"], "AWAITING_STOCK");
        let unpaid = "SELECT SUM(quantity) FROM reservations WHERE unpaid AND ended_at IS NULL";
        assert_eq!(world.scalar(unpaid), "4");
        location(&world.submit(&visit, YES).await);
    });
}
