//! Something that changes during a run: what it may have been for one entry.
//!
//! Keeps: a value is ruled out only if another one was acknowledged, and asked for after it was in
//! force, before anybody asked for the entry.

use crate::index::Known;

/// Values with when each was asked for and acknowledged; the end of time if it never was.
pub(super) struct Values<T> {
    values: Vec<(u64, u64, T)>,
    /// What it was before the first change is not known.
    first_unknown: bool,
}

impl<T: Copy> Values<T> {
    /// One that never changed.
    pub(super) fn constant(value: T) -> Self {
        Self {
            values: vec![(0, 0, value)],
            first_unknown: false,
        }
    }

    /// One that was changed, from nobody knows what.
    pub(super) fn changed(values: Vec<(u64, u64, T)>) -> Self {
        Self {
            values,
            first_unknown: true,
        }
    }

    /// Whether some value that may have counted for this entry is as `fits` wants it.
    pub(super) fn may(&self, known: &Known<'_>, fits: impl Fn(T) -> bool) -> bool {
        let (from, until) = (known.caused_from, known.told_at);
        let replaced = |done: u64| {
            let mut later = self.values.iter();
            later.any(|(sent, acknowledged, _)| *sent > done && *acknowledged < from)
        };
        let first_counts = !self.values.iter().any(|(_, done, _)| *done < from);
        self.first_unknown && first_counts
            || self
                .values
                .iter()
                .any(|(sent, done, value)| fits(*value) && *sent <= until && !replaced(*done))
    }
}
