//! Pure: what its reseller, or the merchant, makes of a listing.
//!
//! Keeps: a listing can always be stopped; whatever offers it again is judged like a new one.

use super::{Facts, Listing, Refusal, State};
use crate::{clock::Timestamp, money::Money};

/// Where it is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Active,
    Paused,
    Archived,
}

impl Wanted {
    /// The word for it in the contract.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "ACTIVE" => Some(Self::Active),
            "PAUSED" => Some(Self::Paused),
            "ARCHIVED" => Some(Self::Archived),
            _ => None,
        }
    }
}

/// What is to be different; none of a field leaves it as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Edit {
    pub price: Option<Money>,
    pub wanted: Option<Wanted>,
}

/// A listing after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    To(Listing),
    /// It was so before.
    Already(Listing),
}

impl Listing {
    /// The listing as it would be.
    pub fn changed(self, facts: &Facts, edit: Edit, now: Timestamp) -> Result<Changed, Refusal> {
        let price = edit.price.unwrap_or(self.price);
        let state = match (self.state, edit.wanted) {
            (State::Archived, Some(Wanted::Archived)) | (_, None) if price == self.price => {
                return Ok(Changed::Already(self));
            }
            (State::Archived, _) => return Err(Refusal::Archived),
            (_, Some(Wanted::Archived)) => State::Archived,
            (State::Blocked { reason, .. }, Some(Wanted::Paused)) if edit.price.is_none() => {
                State::Blocked {
                    reason,
                    paused: true,
                }
            }
            (_, Some(Wanted::Paused)) | (State::Blocked { paused: true, .. }, None) => {
                State::Paused
            }
            (_, Some(Wanted::Active)) | (State::Blocked { paused: false, .. }, None) => {
                State::Active
            }
            (state @ (State::Active | State::Paused), None) => state,
        };
        if price == self.price && state == self.state {
            return Ok(Changed::Already(self));
        }
        let offers = state == State::Active || price != self.price;
        if offers && state != State::Archived {
            facts.bounds()?.allow(price)?;
        }
        Ok(Changed::To(Self {
            price,
            state,
            updated_at: now,
            ..self
        }))
    }

    /// The same, over for good, with the merchant's reason.
    pub fn archived(self, note: String, now: Timestamp) -> Changed {
        if self.state == State::Archived {
            return Changed::Already(self);
        }
        Changed::To(Self {
            state: State::Archived,
            note: Some(note),
            updated_at: now,
            ..self
        })
    }
}
