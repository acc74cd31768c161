//! Port: the time.
//!
//! Nothing decides by reading a clock itself. Wall time only stamps and counts UTC days; waits and
//! deadlines use the runtime's monotonic time, which a test can pause.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// A point in wall time, UTC.
pub type Timestamp = DateTime<Utc>;

/// The Unix epoch.
pub const EPOCH: Timestamp = DateTime::UNIX_EPOCH;

/// Wall time, cut to whole microseconds: what Postgres stores is what was answered.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    fn now(&self) -> Timestamp {
        DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).expect("a date of our time")
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.timestamp_micros())))
    }

    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a test's time fits");
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        DateTime::from_timestamp_micros(self.0.load(Ordering::Relaxed)).expect("a test's time fits")
    }
}

/// When a caller stops waiting. Monotonic; it is passed along, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(wait: Duration) -> Self {
        Self(instant() + wait)
    }

    pub fn passed(self) -> bool {
        instant() >= self.0
    }

    pub fn instant(self) -> Instant {
        self.0
    }

    /// The earlier of this deadline and `wait` from now.
    #[must_use]
    pub fn at_most(self, wait: Duration) -> Self {
        self.min(Self::after(wait))
    }
}

/// The runtime's monotonic time: for measuring and waiting only.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the monotonic clock"
)]
pub fn instant() -> Instant {
    Instant::now()
}
