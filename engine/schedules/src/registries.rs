//! The registry with actors that die, are put away and come back while orders are under way.

use std::{sync::Arc, time::Duration};

use shuttle::{
    future::{block_on, yield_now},
    thread,
};

use crate::{
    actor::{Handle, Stored, load},
    explore::{explore, notices},
    fault::Fault,
    metrics,
    registry::{Entry as _, Registry},
    sync::{Ordering, TaskTracker},
};

const KEY: u32 = 7;
const HYDRATIONS_MAX: usize = 1;
const DEADLINE: Duration = Duration::from_secs(2);
/// An order looks for its actor so often, if that dies meanwhile.
const ATTEMPTS: usize = 4;
/// How long an order is in its lane: about as long as it takes to bury an actor and to load the next.
const LANE_STEPS: usize = 8;

#[derive(Clone)]
struct Scene {
    registry: Registry<u32, Handle>,
    stored: Arc<Stored>,
    tasks: TaskTracker,
}

impl Scene {
    fn new() -> Self {
        metrics::quarantined();
        let tasks = TaskTracker::default();
        Self {
            registry: Registry::new("key", HYDRATIONS_MAX, DEADLINE, tasks.clone()),
            stored: Stored::new(8),
            tasks,
        }
    }

    async fn handle(&self) -> Result<Handle, Fault> {
        let load = |generation| async move {
            // Reading takes a while.
            yield_now().await;
            Ok(load(&self.stored, generation))
        };
        self.registry.resolve(KEY, load).await
    }

    /// One order: holds a unit, and commits it or gives it back.
    async fn order(&self, commits: bool) {
        for _ in 0..ATTEMPTS {
            let Ok(handle) = self.handle().await else {
                continue;
            };
            match handle.hold() {
                Ok(None) => return,
                Ok(Some(hold)) => {
                    // In a lane, undecided.
                    for _ in 0..LANE_STEPS {
                        yield_now().await;
                    }
                    if commits {
                        hold.commit();
                    }
                    return;
                }
                Err(_) => self.registry.bury(KEY, &handle),
            }
        }
    }

    async fn kill(&self) {
        if let Ok(handle) = self.handle().await {
            handle.poison();
        }
    }

    /// At rest the key is served, and memory says what is durable.
    async fn at_rest(&self) {
        self.tasks.ended().await;
        for _ in 0..64 {
            if let Ok(handle) = self.handle().await {
                if let Ok((posted, held)) = handle.read() {
                    let stored = self.stored.posted.load(Ordering::SeqCst);
                    assert_eq!((posted, held), (stored, 0), "memory and storage differ");
                    // Nobody waits for anybody when the scene ends.
                    return handle.poison();
                }
                self.registry.bury(KEY, &handle);
            }
            self.tasks.ended().await;
        }
        panic!("the key is served no more");
    }
}

/// Runs these at once, and looks at what they left.
fn at_once(tasks: Vec<Box<dyn FnOnce(Scene) + Send>>) {
    let scene = Scene::new();
    let tasks: Vec<_> = tasks
        .into_iter()
        .map(|task| {
            let scene = scene.clone();
            thread::spawn(move || task(scene))
        })
        .collect();
    for task in tasks {
        task.join().expect("it ends well");
    }
    block_on(scene.at_rest());
    assert_eq!(metrics::quarantined(), 0, "it died once or twice only");
}

fn orders_meet_an_actor_that_dies() {
    at_once(vec![
        Box::new(|scene| block_on(scene.order(true))),
        Box::new(|scene| block_on(scene.order(false))),
        Box::new(|scene| block_on(scene.kill())),
        Box::new(|scene| block_on(scene.order(true))),
    ]);
}

fn orders_meet_an_actor_that_is_put_away() {
    at_once(vec![
        Box::new(|scene| {
            block_on(scene.order(true));
            block_on(scene.order(true));
        }),
        Box::new(|scene| {
            for _ in 0..3 {
                block_on(scene.registry.sweep());
            }
        }),
        Box::new(|scene| block_on(scene.order(false))),
    ]);
}

fn all_of_it_at_once() {
    at_once(vec![
        Box::new(|scene| block_on(scene.order(true))),
        Box::new(|scene| {
            for _ in 0..2 {
                block_on(scene.registry.sweep());
            }
        }),
        Box::new(|scene| block_on(scene.kill())),
        Box::new(|scene| block_on(scene.order(true))),
    ]);
}

#[test]
fn successor_is_loaded_once_and_after_the_last_hold() {
    explore("rebuilding", orders_meet_an_actor_that_dies);
}

#[test]
fn actor_is_put_away_only_when_idle_and_comes_back_once() {
    explore("passivation", orders_meet_an_actor_that_is_put_away);
}

#[test]
fn rebuilding_and_passivation_do_not_meet() {
    explore("rebuilding and passivation", all_of_it_at_once);
}

#[test]
fn schedules_show_a_rule_that_is_broken() {
    for rule in [
        "hydrate_before_latch",
        "two_incarnations",
        "panic_keeps_actor",
    ] {
        notices(rule, orders_meet_an_actor_that_dies);
    }
}
