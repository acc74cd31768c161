//! When an event is sent again, and when no more.

use chrono::TimeDelta;

use crate::{clock::Timestamp, random::Random};

/// Seconds between one attempt and the next.
const WAITS: [i64; 7] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600];
/// After so many attempts a delivery has failed.
pub const ATTEMPTS_MAX: u32 = 8;
/// So far a wait is from what it is meant to be, at most, so that many that failed at once do not come
/// back at once.
const JITTER_PERMILLE: i64 = 100;

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Another status than 2xx.
    Status,
    Timeout,
    /// No such host, no connection, no TLS.
    Unreachable,
    /// The address is none that anything is sent to.
    AddressNotAllowed,
    /// What was to be sent is not in the feed any more.
    EventGone,
}

impl Failure {
    const ALL: [Self; 5] = [
        Self::Status,
        Self::Timeout,
        Self::Unreachable,
        Self::AddressNotAllowed,
        Self::EventGone,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "STATUS",
            Self::Timeout => "TIMEOUT",
            Self::Unreachable => "UNREACHABLE",
            Self::AddressNotAllowed => "ADDRESS_NOT_ALLOWED",
            Self::EventGone => "EVENT_GONE",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.name() == name)
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    Failed(Failure),
}

/// When a delivery is tried again after so many failed attempts; none if it has failed for good. A trial
/// that somebody asked for is tried once.
pub fn next_attempt(
    attempts: u32,
    trial: bool,
    now: Timestamp,
    random: &dyn Random,
) -> Option<Timestamp> {
    if trial {
        return None;
    }
    let made = usize::try_from(attempts).ok()?;
    let wait = WAITS.get(made.checked_sub(1)?)?;
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    let spread = i64::from(u32::from_le_bytes(bytes)) % (2 * JITTER_PERMILLE + 1);
    let millis = wait * (1000 - JITTER_PERMILLE + spread);
    Some(now + TimeDelta::milliseconds(millis))
}
