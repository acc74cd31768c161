//! Counts the holds of one generation of an actor.
//!
//! A hold outlives its actor: the actor may panic while its hold is in a lane. The next generation is
//! loaded only when the count is zero, so what it reads from the database is settled.

use std::sync::Arc;

use super::sync::{AtomicUsize, Notify, Ordering};

/// How many holds of a generation are alive.
#[derive(Debug, Default)]
pub(crate) struct Latch {
    holds: AtomicUsize,
    zero: Notify,
}

/// One hold's share of the count; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct LatchGuard(Arc<Latch>);

impl Latch {
    pub(crate) fn hold(self: &Arc<Self>) -> LatchGuard {
        self.holds.fetch_add(1, Ordering::AcqRel);
        LatchGuard(Arc::clone(self))
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.holds.load(Ordering::Acquire) == 0
    }

    /// Returns once no hold is alive.
    pub(crate) async fn zero(&self) {
        loop {
            let released = self.zero.notified();
            if self.is_zero() {
                return;
            }
            released.await;
        }
    }
}

impl Drop for LatchGuard {
    fn drop(&mut self) {
        if self.0.holds.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.zero.notify_waiters();
        }
    }
}
