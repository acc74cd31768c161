//! Carts that are paid and wait for stock: what is kept for them, and what for others.

use api::checkout::{carry_waiting, expire_due};
use engine::{catalog::Sku, ids::WithdrawalId};

use crate::{
    carts::YES,
    checkout::{after, is_page, location},
    support::{World, with_world},
};

impl World {
    /// Two things, in the order of their shelves.
    pub(crate) fn two_shelves(&self) -> [&'static str; 2] {
        let mut titles = ["Antivirus", "Closed"];
        titles.sort_by_key(|title| self.product(title).id);
        titles
    }

    /// Leaves so many on a shelf for others.
    pub(crate) async fn stocks(&self, title: &str, units: u64) {
        let free = self.free_of(title).await;
        if free > units {
            let surplus = u32::try_from(free - units).unwrap();
            self.claim_of(title, surplus).await;
        } else if free < units {
            let more = self.scalar("SELECT COUNT(*) FROM imports");
            let serials: Vec<_> = (free..units).map(|n| format!("MORE-{more}-{n}")).collect();
            let serials: Vec<_> = serials.iter().map(String::as_str).collect();
            self.import_into(title, &serials).await;
        }
    }

    /// Of which lines the merchant is told that they are short, so many times.
    async fn told_short(&self, times: usize) -> Vec<String> {
        let told = self
            .told_exactly("invoice:awaiting_stock", |_| true, times)
            .await;
        let products = told.iter().map(|short| short["product_id"].as_str());
        products.map(|id| id.unwrap().to_owned()).collect()
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
        engine.compare(self.cast.merchant, sku, id).await.unwrap();
    }
}

#[test]
fn cart_that_is_paid_and_waits_leaves_the_share_of_the_unpaid() {
    with_world(async |world| {
        let [first, second] = world.two_shelves();
        world.stocks(first, 45).await;
        world.cart_bought(&[(first, 17), (second, 3)], "").await;
        let open = world.newest().await;
        world.cart_bought(&[(first, 4)], "").await;
        let visit = world.cart(&[(first, 1)], "").await;
        is_page(&world.submit(&visit, YES).await, 409);
        world.loses(second, 3).await;
        world.stocks(second, 2).await;
        assert_eq!(world.pay(&open).await["status"], "AWAITING_STOCK");
        let unpaid = "SELECT SUM(quantity) FROM reservations WHERE unpaid AND ended_at IS NULL";
        assert_eq!(world.scalar(unpaid), "4");
        location(&world.submit(&visit, YES).await);
    });
}

#[test]
fn of_two_paid_carts_that_want_the_same_one_is_delivered() {
    for _ in 0..3 {
        with_world(async |world| {
            let [first, second] = world.two_shelves();
            let mut carts = Vec::new();
            for lines in [[(first, 1), (second, 1)], [(second, 1), (first, 1)]] {
                world.cart_bought(&lines, "").await;
                carts.push(world.newest().await);
            }
            let app = world.server.app();
            expire_due(app, after(61)).await.unwrap();
            for title in [first, second] {
                world.stocks(title, 1).await;
            }
            // There is enough for one of them.
            tokio::join!(world.pay(&carts[0]), world.pay(&carts[1]));
            let delivered = "SELECT COUNT(*) FROM invoices WHERE status = 'COMPLETED'";
            for minutes in [2, 4] {
                carry_waiting(app, after(minutes)).await.unwrap();
            }
            assert_eq!(world.scalar(delivered), "1");
            for title in [first, second] {
                world.stocks(title, 1).await;
            }
            for minutes in [6, 8] {
                carry_waiting(app, after(minutes)).await.unwrap();
            }
            assert_eq!(world.scalar(delivered), "2");
            assert_eq!(world.kept_lines(), "0");
        });
    }
}

#[test]
fn cart_that_waits_for_one_shelf_keeps_nothing_of_those_behind_it() {
    with_world(async |world| {
        let [first, second] = world.two_shelves();
        world.stocks(first, 4).await;
        world.stocks(second, 3).await;
        let page = world.cart_bought(&[(second, 2), (first, 4)], "").await;
        let open = world.newest().await;
        world.loses(first, 4).await;
        world.stocks(first, 3).await;
        assert_eq!(world.pay(&open).await["status"], "AWAITING_STOCK");
        assert_eq!(world.kept_lines(), "1");
        assert_eq!(world.free_of(second).await, 3);
        let names = [first, second].map(|title| world.product(title).id.to_string());
        assert_eq!(world.told_short(1).await, names[..1]);
        // Others buy of it. What comes of the first is kept, and then it waits for the other.
        world.stocks(second, 1).await;
        let app = world.server.app();
        world.import_into(first, &["FIRST"]).await;
        for minutes in [2, 4] {
            assert_eq!(carry_waiting(app, after(minutes)).await.unwrap(), 1);
            assert_eq!(world.newest().await["status"], "AWAITING_STOCK");
            assert_eq!(world.kept_lines(), "2");
            assert_eq!(world.free_of(first).await, 0);
        }
        assert_eq!(world.told_short(2).await, names);
        world.import_into(second, &["SECOND"]).await;
        assert_eq!(carry_waiting(app, after(6)).await.unwrap(), 1);
        assert_eq!(world.newest().await["status"], "COMPLETED");
        let shown = is_page(&world.submit(&format!("{page}/reveal"), "").await, 200);
        assert!(
            shown.contains("FIRST") && shown.contains("SECOND"),
            "{shown}"
        );
    });
}

#[test]
fn all_lines_are_reserved_or_none() {
    with_world(async |world| {
        let free = world.free_of("Antivirus").await;
        let visit = world
            .cart(&[("Antivirus", 2), ("Closed", 3), ("Gift", 1)], "")
            .await;
        world.claim_of("Closed", 1).await;
        let before = world.purchases_made();
        let page = is_page(&world.submit(&visit, YES).await, 409);
        assert!(
            page.contains("not enough of Closed beta invitation"),
            "{page}"
        );
        assert_eq!(
            (world.purchases_made(), world.kept_lines()),
            (before, "0".to_owned())
        );
        assert_eq!(world.free_of("Antivirus").await, free);
        assert_eq!(world.free_of("Closed").await, 2);
        // With what there is, it is bought, and kept.
        location(&world.set_quantity(&visit, "Closed", "2").await);
        location(&world.submit(&visit, YES).await);
        assert_eq!(world.kept_lines(), "3");
        assert_eq!(world.free_of("Antivirus").await, free - 2);
        assert_eq!(world.free_of("Closed").await, 0);
        let app = world.server.app();
        assert_eq!(expire_due(app, after(61)).await.unwrap(), 1);
        assert_eq!(world.kept_lines(), "0");
        assert_eq!(world.free_of("Antivirus").await, free);
        assert_eq!(world.free_of("Closed").await, 2);
    });
}

#[test]
fn what_is_short_of_one_line_keeps_the_others_back_until_all_is_there() {
    with_world(async |world| {
        let page = world
            .cart_bought(&[("Antivirus", 2), ("Closed", 3)], "")
            .await;
        let open = world.newest().await;
        let app = world.server.app();
        expire_due(app, after(61)).await.unwrap();
        world.claim_of("Closed", 2).await;
        let claims = world.scalar("SELECT COUNT(*) FROM serial_claims");
        let free = world.free_of("Antivirus").await;
        // Late money counts; nothing of it leaves a shelf before all of it can.
        assert_eq!(world.pay(&open).await["status"], "AWAITING_STOCK");
        let unchanged = || {
            assert_eq!(world.scalar("SELECT COUNT(*) FROM serial_claims"), claims);
            assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "0");
            assert_eq!(world.kept_lines(), "2");
        };
        unchanged();
        assert_eq!(
            world.free_of("Antivirus").await,
            free - 2,
            "they are kept for it"
        );
        is_page(&world.submit(&format!("{page}/reveal"), "").await, 409);
        let told = world.call("GET", "/dev/v1/events?types=invoice:awaiting_stock&wait=20");
        let told = told.key(&world.merchant_key()).send().await.data(200);
        assert_eq!(
            told.as_array().unwrap().len(),
            1,
            "of the line that is short: {told}"
        );
        assert_eq!(told[0]["data"]["product_id"], world.named("Closed"));
        let letter = world.letter("is waiting").await;
        assert!(
            letter.contains("2 x Antivirus") && letter.contains("3 x Closed"),
            "{letter}"
        );
        world.import_into("Closed", &["CART-1"]).await;
        assert_eq!(carry_waiting(app, after(2)).await.unwrap(), 1);
        unchanged();
        world.import_into("Closed", &["CART-2"]).await;
        assert_eq!(carry_waiting(app, after(4)).await.unwrap(), 1);
        assert_eq!(world.newest().await["status"], "COMPLETED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "5");
        assert_eq!(
            (world.kept_lines(), world.free_of("Closed").await),
            ("0".to_owned(), 0)
        );
        let page = is_page(&world.submit(&format!("{page}/reveal"), "").await, 200);
        assert!(page.contains("CART-1") && page.contains("CART-2"), "{page}");
    });
}

#[test]
fn delivery_that_a_crash_cut_off_between_two_lines_goes_on() {
    with_world(async |world| {
        world
            .cart_bought(&[("Antivirus", 2), ("Closed", 3)], "")
            .await;
        let open = world.newest().await;
        world.pay(&open).await;
        let claims = world.scalar("SELECT COUNT(*) FROM serial_claims");
        // As after a crash between the withdrawals and what is noted of them, on shelves that are empty since.
        world.claim_of("Antivirus", 198).await;
        world.sql("DELETE FROM sold_serials");
        world.sql("UPDATE invoices SET status = 'PAID', completed_at = NULL");
        let app = world.server.app();
        assert_eq!(carry_waiting(app, after(2)).await.unwrap(), 1);
        assert_eq!(world.newest().await["status"], "COMPLETED");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM sold_serials"), "5");
        let now = world.scalar("SELECT COUNT(*) - 198 FROM serial_claims");
        assert_eq!(now, claims);
    });
}
