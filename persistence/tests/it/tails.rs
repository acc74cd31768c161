//! What lanes hand over as they commit is what their rows say, and nothing depends on it.

use std::sync::Arc;

use engine::{
    events::Feed,
    journal::{Owner, Rows},
    vault::Sealed,
};
use persistence::{
    Database, Sizes,
    events::{
        dispatch::{has_news, lag, step},
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
async fn customers_of_whom_something_was_not_stored_are_read_again() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let elsewhere = ground.elsewhere().await;
    ground.deliver_to_a_customer(&mut lane, 1).await;
    assert_eq!(orders(&ground.db).await[0].orders.len(), 1);
    ground.deliver_to_a_customer(&mut lane, 2).await;
    let second = orders(&ground.db).await;
    assert_eq!(second[0].orders.len(), 1, "what follows, not asked for");
    let stored = store(&ground.db, &second[0], Vec::new()).await.unwrap();
    assert!(!stored, "the first is not");
    let both = orders(&ground.db).await;
    assert_eq!(both[0].orders.len(), 2);
    assert!(store(&ground.db, &both[0], Vec::new()).await.unwrap());

    ground.deliver_to_a_customer(&mut lane, 3).await;
    let third = orders(&ground.db).await;
    assert!(store(&elsewhere, &third[0], Vec::new()).await.unwrap());
    assert!(!store(&ground.db, &third[0], Vec::new()).await.unwrap());
    ground.deliver_to_a_customer(&mut lane, 4).await;
    let fourth = orders(&ground.db).await;
    assert_eq!(fourth, orders(&elsewhere).await);
    assert_eq!(fourth[0].orders.len(), 1);
}

#[tokio::test]
async fn who_owns_nothing_keeps_nothing_to_tell() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.deliver_to_a_customer(&mut lane, 1).await;
    assert!(has_news(&ground.db));
    let nobody = Owner(uuid::Uuid::nil());
    assert_eq!(step(&ground.db, nobody, MANY, at(9)).await.unwrap(), None);
    assert!(!has_news(&ground.db));
    let told = step(&ground.db, lane.owner, MANY, at(9)).await.unwrap();
    let found = told.unwrap().found;
    assert_eq!(ground.orders_told().await, ["order 1"]);
    assert_eq!(found.facts, 1, "the restock's");
    assert!(lag(&ground.db).await.unwrap().is_none());
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
