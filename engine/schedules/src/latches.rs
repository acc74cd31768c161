//! The latch: whoever waits for the last hold is woken by it, and never before it is gone.

use std::sync::Arc;

use shuttle::{future::block_on, thread};

use crate::{
    Latch,
    explore::explore,
    sync::{AtomicUsize, Ordering},
};

fn holds_end_while_two_wait() {
    let latch = Arc::new(Latch::default());
    let alive = Arc::new(AtomicUsize::new(3));
    let holders: Vec<_> = (0..3)
        .map(|_| {
            let (guard, alive) = (latch.hold(), Arc::clone(&alive));
            thread::spawn(move || {
                alive.fetch_sub(1, Ordering::SeqCst);
                drop(guard);
            })
        })
        .collect();
    let waiters: Vec<_> = (0..2)
        .map(|_| {
            let (latch, alive) = (Arc::clone(&latch), Arc::clone(&alive));
            thread::spawn(move || {
                block_on(latch.zero());
                assert!(latch.is_zero());
                assert_eq!(alive.load(Ordering::SeqCst), 0, "woken too early");
            })
        })
        .collect();
    for task in holders.into_iter().chain(waiters) {
        task.join().expect("it ends well");
    }
}

#[test]
fn latch_wakes_who_waits_when_its_last_hold_ends() {
    explore("latch", holds_end_while_two_wait);
}
