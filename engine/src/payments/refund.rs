//! Money of a purchase's invoice that went back: its merchant gave it, or its provider took it.
//!
//! Keeps: never more goes back than arrived, and whoever got the whole price back is given nothing any more, nor
//! whoever's provider took back what the price is short of now: [`Status::Refunded`] is left for no other.

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
    /// A part of a price leaves what is still to be delivered as it is; what arrived and did not pay, or was more
    /// than the price, goes back without more.
    pub fn refund(
        mut self,
        wanted: Option<Money>,
        now: Timestamp,
    ) -> Result<(Self, Money), NotTakenBack> {
        let received = self.received().unwrap_or_default();
        let rest = self.left();
        let status = self.status;
        // Beside what was paid for, what arrived and bought nothing.
        if rest == Money::ZERO || matches!(status, Status::Disputed) {
            return Err(NotTakenBack::Status(status));
        }
        let amount = wanted.unwrap_or(rest);
        if amount <= Money::ZERO || amount > rest {
            return Err(NotTakenBack::Excess { rest });
        }
        let refunded = self.refunded.checked_add(amount);
        self.refunded = refunded.expect("no more is given back than arrived");
        let left = self.left();
        let kept = left >= self.amount;
        let price = left == Money::ZERO || (amount >= received.min(self.amount) && !kept);
        self.status = match status {
            Status::Paid
            | Status::AwaitingStock
            | Status::Completed
            | Status::PartiallyRefunded
                if price =>
            {
                Status::Refunded
            }
            Status::Completed if !kept => Status::PartiallyRefunded,
            Status::Open
            | Status::Confirming
            | Status::Underpaid
            | Status::Paid
            | Status::AwaitingStock
            | Status::Completed
            | Status::PartiallyRefunded
            | Status::Expired
            | Status::Cancelled
            | Status::Refunded
            | Status::Disputed => status,
        };
        self.updated_at = now;
        Ok((self, amount))
    }

    /// The invoice after a payment of this much did not come after all, as its provider says, and how much of it was
    /// still there to be taken.
    ///
    /// What was to be delivered for a price that is not there any more is not: nobody said that less is enough. What
    /// is left of the money is whoever's paid it. A purchase that is disputed stays so while anything is left.
    pub fn reverse(
        mut self,
        payment: Money,
        now: Timestamp,
    ) -> Result<(Self, Money), NotTakenBack> {
        let disputed = self.status == Status::Disputed;
        if disputed {
            self.status = self.undisputed();
        }
        let amount = payment.min(self.left());
        let (mut left, amount) = self.refund(Some(amount), now)?;
        let due = matches!(left.status, Status::Paid | Status::AwaitingStock);
        if due && !left.is_enough(left.missing()) {
            left.status = Status::Refunded;
        }
        if disputed && left.status != Status::Refunded {
            left.status = Status::Disputed;
        }
        Ok((left, amount))
    }

    /// Whether its price went back by refunds of so much since it was paid, the oldest first. Those that left all of
    /// the price were of what was paid beyond it.
    pub fn is_price_back(&self, refunds: &[Money]) -> bool {
        let sum = |sum: Money, amount: &Money| sum.checked_add(*amount).unwrap_or(Money::MAX);
        let since = refunds.iter().fold(Money::ZERO, sum);
        let before = self.refunded.checked_sub(since).unwrap_or_default();
        let received = self.received().unwrap_or_default();
        let arrived = received.checked_sub(before).unwrap_or_default();
        let price = arrived.min(self.amount);
        let mut beyond = arrived.checked_sub(price).unwrap_or_default();
        let mut refunds = refunds.iter().skip_while(|amount| {
            let of_beyond = **amount <= beyond;
            beyond = beyond.checked_sub(**amount).unwrap_or_default();
            of_beyond
        });
        let of_price = refunds.try_fold(Money::ZERO, |sum, amount| sum.checked_add(*amount));
        self.left() == Money::ZERO || of_price.is_none_or(|of_price| of_price >= price)
    }

    /// How much of the last that went back was of what was taken for the price, and not more than it.
    pub fn of_price(&self, price: Money, amount: Money) -> Money {
        let left = self.left();
        let before = left.checked_add(amount).unwrap_or(price);
        let went = before.min(price).checked_sub(left.min(price));
        went.unwrap_or_default()
    }
}
