//! How well a webhook answers: when it rests, and when it is given up.
//!
//! Keeps: an address where nothing succeeds gets one attempt at a time, with longer and longer rests up to
//! five minutes; one success ends that. It is given up only after days without any.

use chrono::TimeDelta;

use super::{AT_ONCE_MAX, Outcome};
use crate::clock::Timestamp;

/// Failures in a row after which an address rests between attempts.
const RESTS_FROM: u32 = 8;
const REST_SECONDS_MIN: i64 = 5;
const REST_SECONDS_MAX: i64 = 300;
/// Without a success for so long, and after so many failures, it is given up.
const DISABLED_AFTER_DAYS: i64 = 5;
const DISABLED_FROM: u32 = 20;

/// What is remembered of a webhook's answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// In a row.
    pub failures: u32,
    /// Since when there was no success.
    pub failing_since: Option<Timestamp>,
    pub rests_until: Option<Timestamp>,
}

/// What is to become of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Goes(Health),
    GivenUp(Health),
}

impl Health {
    /// How many attempts may be under way at once.
    pub const fn at_once(self) -> u32 {
        if self.failures < RESTS_FROM {
            AT_ONCE_MAX
        } else {
            1
        }
    }

    /// What it is after attempts that were under way together.
    pub fn after(self, outcomes: &[Outcome], now: Timestamp) -> Verdict {
        if outcomes.is_empty() {
            return Verdict::Goes(self);
        }
        if outcomes.contains(&Outcome::Delivered) {
            return Verdict::Goes(Self::default());
        }
        let failed = u32::try_from(outcomes.len()).unwrap_or(u32::MAX);
        let failures = self.failures.saturating_add(failed);
        let since = self.failing_since.unwrap_or(now);
        let next = Self {
            failures,
            failing_since: Some(since),
            rests_until: rest(failures).map(|rest| now + rest),
        };
        let over = now - since >= TimeDelta::days(DISABLED_AFTER_DAYS);
        if over && failures >= DISABLED_FROM {
            Verdict::GivenUp(next)
        } else {
            Verdict::Goes(next)
        }
    }
}

fn rest(failures: u32) -> Option<TimeDelta> {
    let doublings = failures.checked_sub(RESTS_FROM)?;
    let seconds = REST_SECONDS_MIN << doublings.min(16);
    Some(TimeDelta::seconds(seconds.min(REST_SECONDS_MAX)))
}
