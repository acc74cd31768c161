//! Shelves that come to stand otherwise: counted from what is durable, told once.

use engine::{ids::ImportId, inventory::Crossing, journal::Rows};
use futures_util::future::join_all;
use persistence::inventory::levels;

use crate::ground::{Ground, Lane, at};

impl Ground {
    async fn look(&self) -> Vec<Crossing> {
        let look = levels::look(&self.db, self.merchant, None, 10)
            .await
            .unwrap();
        let mut told = Vec::new();
        for sku in look.moved {
            told.extend(
                levels::note(&self.db, self.merchant, sku, at(3))
                    .await
                    .unwrap(),
            );
        }
        told
    }

    /// Facts of shelves that wait to be told.
    async fn told_of_shelves(&self) -> i64 {
        sqlx::query_scalar(
            "SELECT COUNT(*) FROM event_outbox WHERE fact->>'fact' = 'product_stock'",
        )
        .fetch_one(&mut *self.db.read().await.unwrap())
        .await
        .unwrap()
    }

    /// Sells one serial of an upload.
    async fn sell_one(&self, lane: &mut Lane, version: i64, import: ImportId, ordinal: u32) {
        let order = format!("S-{version}");
        let serial = import.serial(ordinal);
        let mut sold = self.fulfillment(self.balances[0], version, &order, &[serial]);
        let after = 100_000 - 500 * (version - 1);
        sold.stamp.balance_after = engine::money::Money::from_minor(after).unwrap();
        lane.commit(Rows::Fulfillments(vec![sold])).await.unwrap();
    }
}

#[tokio::test]
async fn crossing_is_told_once_however_many_look() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let import = ground.stock(&mut lane, 3).await;
    let credit = ground.credit(ground.balances[0], 1, 100_000, "welcome");
    lane.commit(Rows::Credits(vec![credit])).await.unwrap();
    assert_eq!(ground.look().await, [], "the first look tells nothing");
    ground
        .execute("UPDATE products SET low_stock_threshold = 2")
        .await;

    ground.sell_one(&mut lane, 2, import, 0).await;
    assert_eq!(ground.look().await, [Crossing::Low]);
    assert_eq!(ground.look().await, []);
    // What lies below the mark of an upload is not counted again.
    ground.execute("UPDATE imports SET low_ordinal = 1").await;
    assert_eq!(ground.look().await, []);

    ground.sell_one(&mut lane, 3, import, 1).await;
    ground.sell_one(&mut lane, 4, import, 2).await;
    let looks = join_all((0..4).map(|_| ground.look())).await;
    assert_eq!(looks.concat(), [Crossing::Out]);
    ground.stock(&mut lane, 3).await;
    let looks = join_all((0..4).map(|_| ground.look())).await;
    assert_eq!(looks.concat(), [Crossing::Back]);
    assert!(ground.told_of_shelves().await >= 3);
}

#[tokio::test]
async fn crossing_whose_commit_fails_is_told_by_the_next_look() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    assert_eq!(ground.look().await, []);
    ground.stock(&mut lane, 1).await;
    ground
        .execute(
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RAISE EXCEPTION ''broken''; END';
             CREATE CONSTRAINT TRIGGER broken AFTER UPDATE ON shelf_levels
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION broken()",
        )
        .await;
    let noted = levels::note(&ground.db, ground.merchant, ground.sku, at(3)).await;
    assert!(noted.is_err());
    assert_eq!(ground.told_of_shelves().await, 0);
    ground.execute("DROP TRIGGER broken ON shelf_levels").await;
    assert_eq!(ground.look().await, [Crossing::Back]);
}
