//! Money that is given back for an invoice after it was paid, and disputes about it.
//!
//! Keeps: what is given back never exceeds what was credited, and what a step finds done is not done twice.

use super::{Invoice, Status};
use crate::{clock::Timestamp, money::Money};

/// What became of a payment after it counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The merchant returned this much; none is the rest.
    Refund(Option<Money>),
    DisputeOpened,
    DisputeWon,
    /// All that was not given back is gone.
    DisputeLost,
    /// A payment of this much did not come after all, as its provider says; what of it was given back already is
    /// not taken again.
    Reversed(Money),
}

/// An invoice after an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenBack {
    /// What the act takes of what was credited; zero if it only says where the invoice stands.
    To(Box<Invoice>, Money),
    /// Nothing is changed.
    Already(Box<Invoice>),
}

/// Why nothing is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTakenBack {
    Status(Status),
    /// There is less left than this.
    Excess {
        rest: Money,
    },
}

impl Invoice {
    /// What was credited and not given back.
    pub fn rest(&self) -> Money {
        let credited = self.credited().unwrap_or_default();
        let rest = credited.checked_sub(self.refunded);
        rest.unwrap_or_default().max(Money::ZERO)
    }

    /// Takes an act in from where it stands.
    pub fn take_back(self, act: Act, now: Timestamp) -> Result<TakenBack, NotTakenBack> {
        let (settled, disputed) = match self.status {
            Status::Completed | Status::PartiallyRefunded => (true, false),
            Status::Disputed => (false, true),
            Status::Open
            | Status::Confirming
            | Status::Underpaid
            | Status::Paid
            | Status::AwaitingStock
            | Status::Expired
            | Status::Cancelled
            | Status::Refunded => (false, false),
        };
        let rest = self.rest();
        match act {
            Act::Refund(wanted) if settled => {
                let amount = wanted.unwrap_or(rest);
                if amount <= Money::ZERO || amount > rest {
                    return Err(NotTakenBack::Excess { rest });
                }
                Ok(self.less(amount, now))
            }
            Act::Reversed(_) if (settled || disputed) && rest == Money::ZERO => {
                Ok(TakenBack::Already(Box::new(self)))
            }
            Act::Reversed(amount) if settled => Ok(self.less(amount.min(rest), now)),
            Act::Reversed(amount) if disputed => {
                let mut left = self.less(amount.min(rest), now);
                if let TakenBack::To(invoice, _) = &mut left
                    && invoice.status == Status::PartiallyRefunded
                {
                    invoice.status = Status::Disputed;
                }
                Ok(left)
            }
            Act::DisputeOpened if settled => Ok(self.at(Status::Disputed, now)),
            Act::DisputeWon if disputed => {
                let back = if self.refunded == Money::ZERO {
                    Status::Completed
                } else {
                    Status::PartiallyRefunded
                };
                Ok(self.at(back, now))
            }
            Act::DisputeLost if disputed => Ok(self.less(rest, now)),
            Act::DisputeOpened if disputed => Ok(TakenBack::Already(Box::new(self))),
            Act::DisputeWon if settled => Ok(TakenBack::Already(Box::new(self))),
            Act::DisputeLost | Act::Reversed(_) if self.status == Status::Refunded => {
                Ok(TakenBack::Already(Box::new(self)))
            }
            Act::Refund(_)
            | Act::DisputeOpened
            | Act::DisputeWon
            | Act::DisputeLost
            | Act::Reversed(_) => Err(NotTakenBack::Status(self.status)),
        }
    }

    pub(super) fn at(mut self, status: Status, now: Timestamp) -> TakenBack {
        self.status = status;
        self.updated_at = now;
        TakenBack::To(Box::new(self), Money::ZERO)
    }

    fn less(mut self, amount: Money, now: Timestamp) -> TakenBack {
        let refunded = self.refunded.checked_add(amount);
        self.refunded = refunded.expect("no more is given back than was credited");
        self.status = if self.rest() == Money::ZERO {
            Status::Refunded
        } else {
            Status::PartiallyRefunded
        };
        self.updated_at = now;
        TakenBack::To(Box::new(self), amount)
    }
}
