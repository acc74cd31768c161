//! Databases that went back in time, before a start and under a process that serves.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::sleep;
use uuid::Uuid;

use super::one_lane;
use crate::{
    actors::Arbiters,
    engine::{Engine, Ports, StartError},
    journal::{Journal as _, Mark, Owner, Rewound, Tripped, Tripwire, TripwireFailure},
    testing::{World, outcomes::fresh, scene},
};

/// Longer than numbers take to be remembered, and a heartbeat to be refused.
const A_WHILE: Duration = Duration::from_secs(2);

/// What a machine remembers; none: it cannot be read.
struct Notes(Mutex<Option<Vec<Mark>>>);

impl Notes {
    fn set(&self, marks: Option<Vec<Mark>>) -> Option<Vec<Mark>> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut noted, marks)
    }
}

impl Tripwire for Notes {
    fn remembered(&self) -> BoxFuture<'_, Result<Vec<Mark>, TripwireFailure>> {
        Box::pin(async {
            let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let noted = noted.clone();
            noted.ok_or_else(|| TripwireFailure("no disk".to_owned()))
        })
    }

    fn remember<'a>(&'a self, marks: &'a [Mark]) -> BoxFuture<'a, Result<(), TripwireFailure>> {
        Box::pin(async {
            self.set(Some(marks.to_vec()));
            Ok(())
        })
    }
}

async fn start(world: &World, notes: &Arc<Notes>) -> Result<Engine, StartError> {
    let ports = Ports {
        tripwire: Some(notes.clone()),
        ..world.ports()
    };
    let (config, vault) = (world.config.clone(), world.vault.clone());
    Engine::start(config, vault, ports, Arbiters::current()).await
}

/// A world whose lane was left at its second batch by an engine that remembered it.
async fn remembered(world: &World) -> Arc<Notes> {
    let notes = Arc::new(Notes(Mutex::new(Some(Vec::new()))));
    let engine = start(world, &notes).await.expect("nothing is remembered");
    for order in ["A-1", "A-2"] {
        fresh(engine.fulfill(world.request(order, &[("key", 1)])).await);
    }
    sleep(A_WHILE).await;
    engine.drain().await;
    notes
}

#[test]
fn start_on_a_database_that_went_back_in_time_is_refused_and_marks_it() {
    scene(&one_lane(), async |scene| {
        scene.engine.drain().await;
        let world = &scene.world;
        let old = world.store.tables().clone();
        let notes = remembered(world).await;
        let mut marks = notes.set(None).expect("something is remembered");
        let last = marks.pop().expect("a lane");
        assert_eq!((last.lane, marks.len()), (0, 0));
        notes.set(Some(vec![last]));

        let newer = std::mem::replace(&mut *world.store.tables(), old);
        let found = world.store.tables().lanes[&0].seq;
        let refused = start(world, &notes).await.map(drop);
        let tripped = Tripped::Rewound(Rewound {
            lane: 0,
            found,
            remembered: last.seq,
        });
        assert!(
            matches!(&refused, Err(StartError::Tripped(why)) if *why == tripped),
            "{refused:?}"
        );
        assert!(found < last.seq);
        // Nor does anybody else begin, who remembers nothing.
        assert!(world.start(Arbiters::current()).await.is_err());

        *world.store.tables() = newer;
        let engine = start(world, &notes).await.expect("the newer state");
        engine.drain().await;
    });
}

#[test]
fn start_is_refused_while_what_is_remembered_cannot_be_read() {
    scene(&one_lane(), async |scene| {
        scene.engine.drain().await;
        let notes = remembered(&scene.world).await;
        notes.set(None);
        let refused = start(&scene.world, &notes).await.map(drop);
        assert!(
            matches!(refused, Err(StartError::Tripped(Tripped::Unreadable(_)))),
            "{refused:?}"
        );
        assert_eq!(scene.world.store.tables().halted, None);
    });
}

#[test]
fn owner_that_storage_has_forgotten_halts_and_one_that_was_replaced_does_not() {
    for forgotten in [true, false] {
        scene(&one_lane(), async |scene| {
            let store = &scene.world.store;
            store.free_lease();
            if forgotten {
                store.tables().owners.clear();
            }
            let next = Owner(Uuid::from_u128(2));
            let lease = store.take_over(next, 1).await.expect("the shard is free");
            scene.engine.lost().await;
            sleep(A_WHILE).await;
            assert_eq!(scene.engine.is_halted(), forgotten);
            assert_eq!(store.tables().halted.is_some(), forgotten);
            drop(lease);
        });
    }
}
