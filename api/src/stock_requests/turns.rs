//! Who carries a purchase out: one at a time.
//!
//! Keeps: of two who mean the same purchase at once, the second finds what the first made of it. A crash
//! forgets turns; what makes a purchase once is its id, not them.

use engine::ids::StockRequestId;
use tokio::sync::{Mutex, MutexGuard};

/// More purchases at once share turns.
const TURNS: usize = 64;

/// See the module.
pub(crate) struct Turns([Mutex<()>; TURNS]);

/// The turn of one purchase, until it is dropped.
pub(super) struct Turn<'a> {
    _held: MutexGuard<'a, ()>,
}

impl Default for Turns {
    fn default() -> Self {
        Self([const { Mutex::const_new(()) }; TURNS])
    }
}

impl Turns {
    pub(super) async fn take(&self, id: StockRequestId) -> Turn<'_> {
        // The end of an id is random.
        let last = id.uuid_bytes()[15];
        Turn {
            _held: self.0[usize::from(last) % TURNS].lock().await,
        }
    }
}
