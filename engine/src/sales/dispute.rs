//! A dispute about what was sold: what is owed for it waits until it is decided.
//!
//! Keeps: nothing of a disputed sale is part of what may be paid out. One that is won earns again by the end of its
//! hold; one that is lost earns nothing.

use super::{CommissionStatus, Movement, Reason, Refunded, Sale, Status};
use crate::{clock::Timestamp, money::Money};

impl Sale {
    /// Whoever paid wants the money back. None if that is known, or all went back.
    pub fn dispute(mut self, now: Timestamp) -> Option<(Self, Option<Movement>)> {
        match self.status {
            Status::Paid | Status::PartiallyRefunded => {}
            Status::Refunded | Status::Disputed => return None,
        }
        self.status = Status::Disputed;
        self.updated_at = now;
        let approved = self.commission.status == CommissionStatus::Approved;
        let held = approved.then(|| Movement::Held(self.commission.rest()));
        if approved {
            self.commission.status = CommissionStatus::Pending;
            self.commission.approved_at = None;
        }
        Some((self, held))
    }

    /// The dispute was won. None if there is none.
    pub fn keep(mut self, now: Timestamp) -> Option<Self> {
        if self.status != Status::Disputed {
            return None;
        }
        self.status = if self.refunded == Money::ZERO {
            Status::Paid
        } else {
            Status::PartiallyRefunded
        };
        self.updated_at = now;
        Some(self)
    }

    /// The dispute was lost: all that did not go back before goes. None if nothing is left.
    pub fn lose(self, now: Timestamp) -> Option<Refunded> {
        self.less(None, Reason::Dispute, now).ok()
    }
}
