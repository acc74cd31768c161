//! Money of a customer's invoice that its merchant gave back.
//!
//! Keeps: never more goes back than arrived, and whoever got the whole price back is given nothing any more:
//! [`Status::Refunded`] is left for no other.

use super::{Invoice, NotTakenBack, Status};
use crate::{clock::Timestamp, money::Money};

impl Invoice {
    /// Whether what was bought is the customer's to read.
    pub fn is_delivered(&self) -> bool {
        let given = matches!(self.status, Status::Completed | Status::PartiallyRefunded);
        given && self.completed_at.is_some()
    }

    /// The invoice after so much of it went back, or the rest, and how much that is.
    ///
    /// A part of a price leaves what is still to be delivered as it is.
    pub fn refund(
        mut self,
        wanted: Option<Money>,
        now: Timestamp,
    ) -> Result<(Self, Money), NotTakenBack> {
        let received = self.received().unwrap_or_default();
        let rest = received.checked_sub(self.refunded).unwrap_or_default();
        let open = match self.status {
            Status::Paid | Status::AwaitingStock => true,
            Status::Completed | Status::PartiallyRefunded => false,
            // What was paid beyond the price.
            Status::Refunded if rest > Money::ZERO => false,
            Status::Open
            | Status::Confirming
            | Status::Expired
            | Status::Cancelled
            | Status::Refunded
            | Status::Disputed => return Err(NotTakenBack::Status(self.status)),
        };
        let amount = wanted.unwrap_or(rest);
        if amount <= Money::ZERO || amount > rest {
            return Err(NotTakenBack::Excess { rest });
        }
        let refunded = self.refunded.checked_add(amount);
        self.refunded = refunded.expect("no more is given back than arrived");
        if self.refunded >= received.min(self.amount) {
            self.status = Status::Refunded;
        } else if !open {
            self.status = Status::PartiallyRefunded;
        }
        self.updated_at = now;
        Ok((self, amount))
    }
}
