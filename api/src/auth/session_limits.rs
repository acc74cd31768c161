//! The buckets that calls of sessions are charged to.
//!
//! Keeps: only sessions that were used within the last minute have one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use engine::{clock::Timestamp, ids::SessionId};

use crate::layers::rate_limit::{Bucket, Class};

/// How long a bucket that nobody charges is kept: by then it is full again.
const IDLE: Duration = Duration::from_mins(1);

#[derive(Clone)]
struct Entry {
    bucket: Arc<Bucket>,
    used_at: Timestamp,
}

/// A bucket for each session that is in use.
#[derive(Default)]
pub(crate) struct SessionLimits(Mutex<HashMap<SessionId, Entry>>);

impl SessionLimits {
    pub(crate) fn bucket(&self, id: SessionId, now: Timestamp) -> Arc<Bucket> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.entry(id).or_insert_with(|| Entry {
            bucket: Arc::new(Bucket::new(Class::Session, 1, None)),
            used_at: now,
        });
        entry.used_at = now;
        Arc::clone(&entry.bucket)
    }

    /// Forgets buckets that are full.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| now < entry.used_at + IDLE);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use engine::{clock::EPOCH, random::SeededRandom};

    use super::*;

    #[test]
    fn session_has_one_bucket_until_it_is_full_again() {
        let (limits, random) = (SessionLimits::default(), SeededRandom::new(1));
        let id = SessionId::generate(EPOCH, &random);
        let first = limits.bucket(id, EPOCH);
        assert!(Arc::ptr_eq(&first, &limits.bucket(id, EPOCH)));
        limits.sweep(EPOCH + TimeDelta::seconds(59));
        assert!(Arc::ptr_eq(&first, &limits.bucket(id, EPOCH)));
        limits.sweep(EPOCH + TimeDelta::seconds(60));
        assert!(!Arc::ptr_eq(&first, &limits.bucket(id, EPOCH)));
    }
}
