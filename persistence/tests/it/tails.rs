//! What lanes hand over as they commit is what their rows say, and nothing depends on it.

use std::sync::Arc;

use engine::{events::Feed, journal::Rows, vault::Sealed};
use persistence::{
    Database, Sizes,
    events::{
        dispatch::step,
        list::{Event, Subject, list},
    },
    fulfillments::customers::{Unread, store, unread},
};

use crate::ground::{Ground, Lane, at};

const MANY: fn(u64) -> u64 = |waiting| waiting;

impl Ground {
    /// The same database as another process sees it.
    async fn elsewhere(&self) -> Database {
        Database::connect(self.db.connect_options(), Sizes::default())
            .await
            .unwrap()
    }

    /// An order for a customer.
    async fn deliver_to_a_customer(&self, lane: &mut Lane, version: i64) {
        let import = self.stock(lane, 1).await;
        let order = format!("order {version}");
        let mut fulfillment =
            self.fulfillment(self.balances[0], version, &order, &[import.serial(0)]);
        Arc::make_mut(&mut fulfillment.contents).email = Some(Sealed::from_bytes([7; 40]));
        lane.commit(Rows::Fulfillments(vec![fulfillment]))
            .await
            .unwrap();
    }

    async fn orders_told(&self) -> Vec<String> {
        let feed = Feed {
            merchant: self.merchant,
            relationship: None,
            test: false,
        };
        let told = list(&self.db, feed, (0, 100), None, at(9)).await.unwrap();
        let order = |event: Event| match event.subject {
            Subject::Entry(entry) => Some(entry.reference),
            Subject::Fact(_) => None,
        };
        told.events.into_iter().filter_map(order).collect()
    }
}

async fn orders(db: &Database) -> Vec<Unread> {
    unread(db, 64).await.unwrap()
}

#[tokio::test]
async fn customers_are_the_same_whether_handed_over_or_read() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.deliver_to_a_customer(&mut lane, 1).await;
    let elsewhere = ground.elsewhere().await;
    let handed = orders(&ground.db).await;
    assert_eq!(handed[0].orders.len(), 1);
    assert_eq!(handed, orders(&elsewhere).await);
    assert_eq!(
        handed,
        orders(&ground.db).await,
        "what was not stored is read"
    );

    // Another process stores it; what is handed over after that goes on where it ended.
    assert!(store(&elsewhere, &handed[0], Vec::new()).await.unwrap());
    ground.deliver_to_a_customer(&mut lane, 2).await;
    let handed = orders(&ground.db).await;
    assert_eq!(handed, orders(&elsewhere).await);
    assert_eq!(handed[0].orders[0].version, 2);
    assert!(store(&ground.db, &handed[0], Vec::new()).await.unwrap());
    assert!(!store(&elsewhere, &handed[0], Vec::new()).await.unwrap());
    assert!(orders(&ground.db).await.is_empty());
}

#[tokio::test]
async fn events_are_the_same_whether_handed_over_or_read() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let elsewhere = ground.elsewhere().await;
    for (version, db) in (1..).zip([&ground.db, &elsewhere, &ground.db, &elsewhere]) {
        ground.deliver_to_a_customer(&mut lane, version).await;
        step(db, lane.owner, MANY, at(9)).await.unwrap().unwrap();
    }
    let told = ground.orders_told().await;
    assert_eq!(told, ["order 1", "order 2", "order 3", "order 4"]);
}
