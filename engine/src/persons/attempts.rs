//! Failed sign-ins, and the lock they lead to.

use chrono::TimeDelta;

use crate::clock::Timestamp;

/// Failures within [`WINDOW_MINUTES`] that lock an account.
const FAILURES_MAX: u32 = 10;
const WINDOW_MINUTES: i64 = 15;
const LOCK_MINUTES: i64 = 15;

/// What is remembered of failed sign-ins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    pub failures: u32,
    /// When the first of them was.
    pub since: Option<Timestamp>,
    pub locked_until: Option<Timestamp>,
}

impl Attempts {
    pub fn locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|end| now < end)
    }

    /// With one more failure. A failure while locked does not make the lock longer: otherwise anybody
    /// could keep an owner out for ever.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        if self.locked(now) {
            return self;
        }
        let recent = |since: &Timestamp| now < *since + TimeDelta::minutes(WINDOW_MINUTES);
        let since = self.since.filter(recent);
        let failures = since.map_or(1, |_| self.failures.saturating_add(1));
        if failures >= FAILURES_MAX {
            return Self {
                failures: 0,
                since: None,
                locked_until: Some(now + TimeDelta::minutes(LOCK_MINUTES)),
            };
        }
        Self {
            failures,
            since: since.or(Some(now)),
            locked_until: None,
        }
    }
}
