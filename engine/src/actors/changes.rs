//! A count of changes: whoever read something under an earlier count may have read what is gone.
//!
//! Keeps: what was put out of force before a change was counted is seen by everybody who takes the
//! count afterwards. So a decision that is checked against the count it began under was either made
//! from what is in force, or before the change was told to anybody.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The count; cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<AtomicU64>);

/// A count as somebody saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen(u64);

impl Changes {
    /// The count now; to be taken before anything is read.
    pub(crate) fn seen(&self) -> Seen {
        Seen(self.0.load(Ordering::Acquire))
    }

    /// Counts a change; to be called once nobody can read the old any more.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}
