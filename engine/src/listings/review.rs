//! Pure: whether a listing is offered, and what is to become of it when its causes changed.

use super::{Facts, Listing, State};
use crate::clock::Timestamp;

impl Listing {
    /// Whether it is offered to customers at this moment, whatever its next review will find.
    pub fn is_offered(&self, facts: &Facts) -> bool {
        let stopped = match self.state {
            State::Active => false,
            State::Blocked { paused, .. } => paused,
            State::Paused | State::Archived => true,
        };
        !stopped && facts.blocks(self.price).is_none()
    }

    /// The listing as it has to be; none if it is so already.
    pub fn reviewed(&self, facts: &Facts, now: Timestamp) -> Option<Self> {
        let blocks = facts.blocks(self.price);
        let state = match (self.state, blocks) {
            (State::Archived, _) | (State::Active | State::Paused, None) => self.state,
            (State::Active, Some(reason)) => State::Blocked {
                reason,
                paused: false,
            },
            (State::Paused, Some(reason)) => State::Blocked {
                reason,
                paused: true,
            },
            (State::Blocked { paused, .. }, Some(reason)) => State::Blocked { reason, paused },
            (State::Blocked { paused: false, .. }, None) => State::Active,
            (State::Blocked { paused: true, .. }, None) => State::Paused,
        };
        (state != self.state).then(|| Self {
            state,
            updated_at: now,
            ..self.clone()
        })
    }
}
