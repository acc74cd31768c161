//! Pure: whether a request is granted at once, waits for the merchant, or is refused.

use chrono::TimeDelta;

use super::Status;
use crate::{clock::Timestamp, programs};

/// What a request is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub delivered_at: Timestamp,
    /// It is not the reseller's any more, or took another's place.
    pub gone: bool,
    /// What was paid for it was given back.
    pub refunded: bool,
    /// The serial has a request that was not rejected.
    pub requested: bool,
    pub rule: programs::Replacement,
    /// Units that the relationship bought in the last [`super::SHARE_DAYS`] days.
    pub bought: u64,
    /// Of those days, units that were replaced or credited, or are about to be.
    pub replaced: u64,
}

/// Why there is no replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the time for it is over")]
    WindowOver,
    #[error("a replacement of this item was requested before")]
    AlreadyRequested,
    #[error("what was paid was given back")]
    Refunded,
    #[error("it was taken back, or took another's place")]
    Gone,
}

/// Whether a request is granted at once or waits for the merchant.
pub fn request(facts: &Facts, now: Timestamp) -> Result<Status, Refusal> {
    if facts.requested {
        return Err(Refusal::AlreadyRequested);
    }
    if facts.gone {
        return Err(Refusal::Gone);
    }
    if facts.refunded {
        return Err(Refusal::Refunded);
    }
    let window = TimeDelta::hours(i64::from(facts.rule.window_hours));
    if now - facts.delivered_at > window {
        return Err(Refusal::WindowOver);
    }
    let share = u128::from(facts.rule.percent_max.hundredths());
    let replaced = u128::from(facts.replaced) + 1;
    let within = replaced * 10_000 <= u128::from(facts.bought) * share;
    Ok(if facts.rule.automatic && within {
        Status::Issuing
    } else {
        Status::Requested
    })
}
