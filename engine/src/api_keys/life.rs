//! What a key may be made with, and what becomes of it.
//!
//! Keeps: a key that may use dynamic URLs has a daily cap; who may not buy has no key that buys; of a
//! chain of rotated keys at most two are alive.

use chrono::{Months, TimeDelta};

use super::{ApiKey, Scope, Scopes};
use crate::{clock::Timestamp, money::Money};

/// Keys of one owner that are alive at once.
pub const LIVE_MAX: usize = 20;
/// How long a rotated key may work beside its successor, and for how long if nobody says.
pub const OVERLAP_HOURS_MAX: u32 = 168;
pub const OVERLAP_HOURS_DEFAULT: u32 = 24;
/// How far ahead the end of a key may lie.
const MONTHS_MAX: Months = Months::new(24);
/// How long before its end the owner of a key hears of it.
pub const EXPIRY_TOLD_DAYS: i64 = 7;

/// What a key is at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Active,
    /// It was rotated and works for a while yet.
    Retiring,
    Expired,
    Revoked,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Retiring => "RETIRING",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
        }
    }
}

/// Why nobody may have such a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    NoScope,
    /// A scope of the other sort of key.
    ForeignScope(Scope),
    /// It buys, and its owner may not.
    ModeExcludes(Scope),
    /// It may use dynamic URLs and has no daily cap.
    CapMissing,
    /// It ends before it begins, or too far ahead.
    Expiry,
}

/// Whose key it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    Merchant,
    /// Who buys by key.
    Buyer,
    /// A reseller whose mode excludes that.
    Reader,
}

/// Checks what a key is to be.
pub fn check(
    holder: Holder,
    scopes: Scopes,
    cap: Option<Money>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Unfit> {
    let own: Scopes = match holder {
        Holder::Buyer | Holder::Reader => Scope::of_resellers().collect(),
        Holder::Merchant => Scope::of_merchants().collect(),
    };
    if scopes.iter().next().is_none() {
        return Err(Unfit::NoScope);
    }
    if let Some(foreign) = scopes.iter().find(|scope| !own.has(*scope)) {
        return Err(Unfit::ForeignScope(foreign));
    }
    if holder == Holder::Reader
        && let Some(buys) = scopes.iter().find(|scope| !scope.reads())
    {
        return Err(Unfit::ModeExcludes(buys));
    }
    if scopes.has(Scope::DynamicWrite) && cap.is_none() {
        return Err(Unfit::CapMissing);
    }
    let last = now.checked_add_months(MONTHS_MAX).unwrap_or(now);
    if expires_at.is_some_and(|end| end <= now || end > last) {
        return Err(Unfit::Expiry);
    }
    Ok(())
}

/// Why a key has no successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRotated {
    /// It is not active.
    State(State),
    /// The one before it still works.
    PredecessorLives,
}

impl ApiKey {
    pub fn state(&self, now: Timestamp) -> State {
        if self.revoked_at.is_some() {
            State::Revoked
        } else if !self.is_live(now) {
            State::Expired
        } else if self.retires_at.is_some() {
            State::Retiring
        } else {
            State::Active
        }
    }

    /// Until when the key works once it has a successor.
    pub fn rotated(
        &self,
        predecessor: Option<&Self>,
        overlap_hours: u32,
        now: Timestamp,
    ) -> Result<Timestamp, NotRotated> {
        match self.state(now) {
            State::Active => {}
            other => return Err(NotRotated::State(other)),
        }
        if predecessor.is_some_and(|key| key.is_live(now)) {
            return Err(NotRotated::PredecessorLives);
        }
        Ok(now + TimeDelta::hours(overlap_hours.into()))
    }
}
