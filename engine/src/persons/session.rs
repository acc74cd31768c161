//! How long a session lasts, and how long a repeated password counts.

use chrono::TimeDelta;

use crate::clock::Timestamp;

/// A session without a call for this long has ended.
pub const IDLE_MINUTES_MAX: i64 = 30;
/// A session ends after this long however busy it is.
pub const AGE_MAX_HOURS: i64 = 12;
/// How long a password or code that was repeated counts.
pub const STEP_UP_MINUTES: i64 = 10;

/// What decides whether a session is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimes {
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    /// When password or code were repeated last.
    pub stepped_up_at: Option<Timestamp>,
}

impl SessionTimes {
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.created_at + TimeDelta::hours(AGE_MAX_HOURS)
            && now < self.last_used_at + TimeDelta::minutes(IDLE_MINUTES_MAX)
    }

    /// Until when the step-up counts; none if it does not count now.
    pub fn stepped_up_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.stepped_up_at? + TimeDelta::minutes(STEP_UP_MINUTES);
        (now < until).then_some(until)
    }
}
