//! Who carries a purchase out, a reseller's or a customer's: one at a time.
//!
//! Keeps: of two who mean the same purchase at once, the second finds what the first made of it. A crash
//! forgets turns; what makes a purchase once is its id, not them.

use engine::ids::{InvoiceId, StockRequestId};
use tokio::sync::{Mutex, MutexGuard};

/// More purchases at once share turns.
const TURNS: usize = 64;

/// See the module.
pub(crate) struct Turns([Mutex<()>; TURNS]);

/// The turn of one purchase, until it is dropped.
pub(crate) struct Turn<'a> {
    _held: MutexGuard<'a, ()>,
}

impl Default for Turns {
    fn default() -> Self {
        Self([const { Mutex::const_new(()) }; TURNS])
    }
}

impl Turns {
    pub(super) async fn take(&self, id: StockRequestId) -> Turn<'_> {
        self.at(id.uuid_bytes()).await
    }

    /// The turn of what a customer bought.
    pub(crate) async fn of_invoice(&self, id: InvoiceId) -> Turn<'_> {
        self.at(id.uuid_bytes()).await
    }

    async fn at(&self, id: &[u8]) -> Turn<'_> {
        // The end of an id is random.
        let last = id[15];
        Turn {
            _held: self.0[usize::from(last) % TURNS].lock().await,
        }
    }
}
