//! How often something may be tried under one name, such as an e-mail address.
//!
//! Keeps: a try is counted before it is made, so that many at once are no way around the bound; the
//! table has a fixed size, and two names that share a slot can only make each other's tries dearer.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use engine::clock::Timestamp;

const SLOTS: usize = 1 << 14;
/// Tries of one name in a window.
const TRIES_MAX: u64 = 10;
const WINDOW_SECONDS: i64 = 15 * 60;
/// Bits of a slot that count; the rest is the window.
const COUNT_BITS: u32 = 16;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// Tries by name and window.
pub(crate) struct Tries {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
    max: u64,
    window_seconds: i64,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self::of(TRIES_MAX, WINDOW_SECONDS)
    }

    /// With other bounds: at most so many in each window.
    pub(crate) fn of(max: u64, window_seconds: i64) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            max,
            window_seconds,
        }
    }

    /// Counts a try; false if there were too many.
    pub(crate) fn take(&self, name: &str, now: Timestamp) -> bool {
        let next = |stored: u64| {
            let tries = self.count(stored, now);
            (tries < self.max).then(|| self.window(now) << COUNT_BITS | (tries + 1))
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.slot(name).fetch_update(set, fetch, next).is_ok()
    }

    /// A try that succeeded does not count.
    pub(crate) fn give_back(&self, name: &str, now: Timestamp) {
        let next = |stored: u64| {
            let tries = self.count(stored, now);
            (tries > 0).then(|| self.window(now) << COUNT_BITS | (tries - 1))
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        let _none_was_counted = self.slot(name).fetch_update(set, fetch, next);
    }

    /// Nothing was tried.
    pub(crate) fn forget(&self, name: &str) {
        self.slot(name).store(0, Ordering::Relaxed);
    }

    fn slot(&self, name: &str) -> &AtomicU64 {
        let hash = self.hasher.hash_one(name) % SLOTS as u64;
        &self.slots[usize::try_from(hash).expect("a slot's number is small")]
    }

    fn count(&self, stored: u64, now: Timestamp) -> u64 {
        let same = stored >> COUNT_BITS == self.window(now);
        if same { stored & COUNT_MASK } else { 0 }
    }

    fn window(&self, now: Timestamp) -> u64 {
        let window = now.timestamp().div_euclid(self.window_seconds);
        window.unsigned_abs()
    }
}

/// How long the window of this time still is.
pub(crate) fn seconds_to_next(now: Timestamp) -> u64 {
    let passed = now.timestamp().rem_euclid(WINDOW_SECONDS);
    (WINDOW_SECONDS - passed).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use engine::clock::EPOCH;

    use super::*;

    #[test]
    fn ten_tries_in_a_quarter_of_an_hour_and_successes_are_free() {
        let tries = Tries::new();
        let name = "ann@example.com";
        for _succeeds in 0..100 {
            assert!(tries.take(name, EPOCH));
            tries.give_back(name, EPOCH);
        }
        assert_eq!((0..100).filter(|_| tries.take(name, EPOCH)).count(), 10);
        assert_eq!(seconds_to_next(EPOCH + TimeDelta::seconds(1)), 899);
        assert!(tries.take(name, EPOCH + TimeDelta::minutes(15)));
    }

    #[test]
    fn other_bounds_hold_in_their_own_windows() {
        let tries = Tries::of(3, 2);
        let at = |second| EPOCH + TimeDelta::seconds(second);
        assert_eq!((0..9).filter(|_| tries.take("192.0.2.1", at(1))).count(), 3);
        assert_eq!((0..9).filter(|_| tries.take("192.0.2.1", at(2))).count(), 3);
    }

    #[test]
    fn what_is_forgotten_may_be_tried_again() {
        let tries = Tries::new();
        while tries.take("ann@example.com", EPOCH) {}
        tries.forget("ann@example.com");
        assert!(tries.take("ann@example.com", EPOCH));
    }
}
