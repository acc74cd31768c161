//! Permits: never more out than there are, in all and per relationship, and none is lost.

use std::{sync::Arc, time::Duration};

use shuttle::{
    future::block_on,
    thread::{self, yield_now},
};

use crate::{
    explore::explore,
    ids::RelationshipId,
    permits::Permits,
    sync::{AtomicUsize, Ordering},
};

const ALL_MAX: usize = 2;
const OWN_MAX: usize = 1;
const WAIT: Duration = Duration::from_millis(250);

/// What is out, as those count who have it.
#[derive(Default)]
struct Out {
    all: AtomicUsize,
    own: [AtomicUsize; 3],
}

impl Out {
    fn take(&self, relationship: usize) {
        let all = self.all.fetch_add(1, Ordering::SeqCst) + 1;
        let own = self.own[relationship].fetch_add(1, Ordering::SeqCst) + 1;
        assert!(all <= ALL_MAX && own <= OWN_MAX, "{all} out, {own} of one");
    }

    fn give_back(&self, relationship: usize) {
        self.own[relationship].fetch_sub(1, Ordering::SeqCst);
        self.all.fetch_sub(1, Ordering::SeqCst);
    }
}

fn callers_come_while_permits_are_swept() {
    let permits = Arc::new(Permits::new(ALL_MAX, OWN_MAX, WAIT));
    let out = Arc::new(Out::default());
    let caller = |relationship: usize| {
        let (permits, out) = (Arc::clone(&permits), Arc::clone(&out));
        let id = RelationshipId(u32::try_from(relationship).expect("few"));
        move || {
            for _ in 0..2 {
                let Ok(permit) = block_on(permits.take(id)) else {
                    continue;
                };
                out.take(relationship);
                yield_now();
                out.give_back(relationship);
                drop(permit);
            }
        }
    };
    let mut tasks: Vec<_> = [0, 0, 1, 2].map(|of| thread::spawn(caller(of))).into();
    let sweeper = Arc::clone(&permits);
    tasks.push(thread::spawn(move || {
        for _ in 0..3 {
            sweeper.sweep();
        }
    }));
    for task in tasks {
        task.join().expect("it ends well");
    }
    assert_eq!(permits.in_use(), 0, "a permit was lost");
    permits.close();
    assert!(block_on(permits.take(RelationshipId(0))).is_err());
}

#[test]
fn permits_never_exceed_their_bounds_and_none_is_lost() {
    explore("permits", callers_come_while_permits_are_swept);
}
