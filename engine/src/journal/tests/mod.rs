//! Lanes under everything that storage can answer, shown on the whole engine.

mod batches;
mod every_order;
mod failures;
mod tripwire;
mod unknown;

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::{
    fulfillments::Outcome,
    testing::{CommitFault, Scene, World},
};

/// One lane, a product, and money for all of it.
fn one_lane() -> World {
    let world = World::new().product("key", 100).balance("500.00");
    world.configure(|config| config.lanes = 1)
}

/// Sends orders of one unit as one batch, behind one that is under way; the script says what becomes
/// of this batch and of those after it.
async fn one_batch(
    scene: &Scene,
    orders: &[&str],
    script: impl IntoIterator<Item = Option<CommitFault>>,
) -> Vec<Outcome> {
    let store = &scene.world.store;
    store.hold_commits();
    let rest = async {
        store.commit_waits().await;
        let orders = orders
            .iter()
            .map(|order| scene.fulfill(order, &[("key", 1)]));
        let release = async {
            sleep(Duration::from_millis(1)).await;
            store.faults().commits = [None].into_iter().chain(script).collect();
            store.let_commits();
        };
        tokio::join!(join_all(orders), release).0
    };
    let (first, rest) = tokio::join!(scene.fulfill("first", &[("key", 1)]), rest);
    assert!(first.is_ok(), "the first one is alone: {first:?}");
    rest
}

/// How many entries each batch of the only lane wrote, oldest first.
fn batch_sizes(scene: &Scene) -> Vec<usize> {
    let tables = scene.world.store.tables();
    tables
        .batches
        .values()
        .map(|row| row.entries.len())
        .collect()
}
