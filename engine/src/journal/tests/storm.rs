//! Many orders, repeats and credits at once under random faults: afterwards everything adds up, every
//! order id has one answer, and every unknown is resolved. The seed is in the message.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::{
    fault::Fault,
    fulfillments::{Error, Fulfillment, Outcome},
    journal::{Failure, FenceFailure},
    random::SeededRandom,
    testing::{CommitFault, Scene, World, scene},
};

const SEEDS: u64 = 100;

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn fault(&self) -> Option<CommitFault> {
        match self.below(16) {
            0 => Some(CommitFault::Fails(Failure::Retry)),
            1 => Some(CommitFault::Fails(Failure::Unknown)),
            2 => Some(CommitFault::AnswerLost),
            3 => Some(CommitFault::LandsBeforeFence),
            4 => Some(CommitFault::LandsAfterFence),
            5 => Some(CommitFault::Fails(Failure::Full)),
            6 => Some(CommitFault::Fails(Failure::Item)),
            7 => Some(CommitFault::Silent { written: true }),
            8 => Some(CommitFault::Takes(Duration::from_millis(150))),
            _ => None,
        }
    }

    /// Something between one and three units of one or two products.
    fn lines(&self) -> Vec<(&'static str, u32)> {
        let quantity = || u32::try_from(1 + self.below(3)).expect("up to three");
        let lines = [("key", quantity()), ("pin", quantity())];
        let from = usize::from(self.below(2) == 0);
        lines[from..].to_vec()
    }
}

/// The body of an order follows from its id, so that a repeat is a repeat.
fn body(seed: u64, order: u64) -> Vec<(&'static str, u32)> {
    Dice(SeededRandom::new(seed * 1000 + order)).lines()
}

async fn order(scene: &Scene, seed: u64, order: u64, wait: u64) -> (u64, Outcome) {
    sleep(Duration::from_millis(wait)).await;
    let outcome = scene
        .fulfill(&format!("A-{order}"), &body(seed, order))
        .await;
    (order, outcome)
}

#[test]
fn everything_adds_up_after_a_storm() {
    for seed in 0..SEEDS {
        let world = World::new()
            .product("key", 60)
            .product("pin", 12)
            .balance("80.00");
        let world = world.configure(|config| config.lanes = 2);
        scene(&world, async |scene| {
            let dice = Dice(SeededRandom::new(seed));
            {
                let mut faults = scene.world.store.faults();
                faults.commits = (0..40).map(|_| dice.fault()).collect();
                let away = usize::try_from(dice.below(4)).expect("up to three");
                faults.fences.extend(vec![FenceFailure::Unavailable; away]);
                faults
                    .look_ups
                    .extend((dice.below(2) == 0).then_some(Fault::Unavailable));
            }
            let orders: Vec<_> = (0..60).map(|_| (dice.below(30), dice.below(400))).collect();
            let orders = orders
                .iter()
                .map(|(id, wait)| order(&scene, seed, *id, *wait));
            let credits = async {
                for reference in ["PAY-1", "PAY-2", "PAY-1"] {
                    sleep(Duration::from_millis(100)).await;
                    drop(scene.credit(reference, "10.00").await);
                }
            };
            let restock = async {
                sleep(Duration::from_millis(200)).await;
                let import = scene.world.store_import("pin", 5, false);
                drop(scene.engine.restock(import).await);
                import
            };
            let (outcomes, (), import) = tokio::join!(join_all(orders), credits, restock);

            scene.world.store.faults().commits.clear();
            sleep(Duration::from_mins(1)).await;
            scene.engine.restock(import).await.expect("healed");
            let again = (0..30).map(|id| order(&scene, seed, id, 0));
            let again = join_all(again).await;
            one_answer_each(seed, outcomes.into_iter().chain(again));
            scene.check_at_rest().await;
        });
    }
}

/// Every success of an order id is the same, and it is resolved in the end.
fn one_answer_each(seed: u64, outcomes: impl Iterator<Item = (u64, Outcome)>) {
    let mut delivered = BTreeMap::<u64, Arc<Fulfillment>>::new();
    let mut last = BTreeMap::new();
    for (order, outcome) in outcomes {
        let unknown = matches!(outcome, Err(Error::Faulted(Fault::OutcomeUnknown)));
        last.insert(order, (unknown, outcome.is_ok()));
        if let Ok(delivery) = outcome {
            let found = Arc::new(delivery.fulfillment().clone());
            let first = delivered.entry(order).or_insert_with(|| Arc::clone(&found));
            assert_eq!(*first, found, "seed {seed}, order {order}");
        }
    }
    for (order, (unknown, success)) in last {
        assert!(!unknown, "seed {seed}, order {order}");
        assert_eq!(
            success,
            delivered.contains_key(&order),
            "seed {seed}, order {order}"
        );
    }
}
