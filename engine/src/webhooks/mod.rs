//! Webhooks: addresses to which events are sent, and what follows from each attempt.
//!
//! Keeps: an event is tried until it was taken or its attempts are used up, and one address that does not
//! answer costs one attempt at a time. What happened is an argument here, and so is the time.

mod attempts;
mod health;
#[cfg(test)]
mod tests;

pub use attempts::{ATTEMPTS_MAX, Failure, Outcome, next_attempt};
pub use health::{Health, Verdict};

use crate::events::{Audience, Kind};

/// Webhooks of one merchant, and of one relationship.
pub const WEBHOOKS_MAX: usize = 20;
/// How long the secret before the last rotation signs beside the new one.
pub const OVERLAP_HOURS_DEFAULT: u32 = 24;
pub const OVERLAP_HOURS_MAX: u32 = 168;
/// Attempts of one webhook that are under way at once.
pub const AT_ONCE_MAX: u32 = 8;
/// Deliveries of one webhook that may wait to be repeated; beyond them events wait in the feed.
pub const WAITING_MAX: u32 = 10_000;
/// How long it is known what became of a delivery.
pub const LOG_DAYS: i64 = 14;

/// Whether events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    /// By its owner: events wait in the feed.
    Paused,
    /// Because everything failed for days.
    Disabled,
}

impl Status {
    const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Disabled];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Disabled => "DISABLED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Where one event on its way to one webhook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Pending,
    Retrying,
    Delivered,
    Failed,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Pending, Self::Retrying, Self::Delivered, Self::Failed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Retrying => "RETRYING",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// Which events a webhook is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    All,
    Only(Vec<Kind>),
}

impl Wanted {
    pub fn wants(&self, kind: Kind) -> bool {
        match self {
            Self::All => true,
            Self::Only(kinds) => kinds.contains(&kind),
        }
    }
}

/// Whether a side of the trade hears of this kind of event at all.
pub fn is_told(kind: Kind, reseller: bool) -> bool {
    match kind.audience() {
        Audience::Both => true,
        Audience::Merchant => !reseller,
        Audience::Reseller => reseller,
    }
}
