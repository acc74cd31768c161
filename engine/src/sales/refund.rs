//! A customer got money back: the same share of the commission is taken back.

use super::{CommissionStatus, Movement, Reason, Sale, Status};
use crate::{clock::Timestamp, money::Money};

/// More than is left of what was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    pub rest: Money,
}

/// A sale after a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    pub sale: Sale,
    pub amount: Money,
    /// How much of the commission went with it.
    pub taken_back: Money,
    pub movement: Option<Movement>,
}

impl Sale {
    /// What goes back of a sale when so much goes back of its line of an invoice; none if nothing does, or nothing is
    /// left.
    pub fn refund_of(self, amount: Money, now: Timestamp) -> Option<Refunded> {
        let rest = self.paid().checked_sub(self.refunded).unwrap_or_default();
        self.refund(Some(amount.min(rest)), now).ok()
    }

    /// Gives back so much, or the rest.
    ///
    /// After each refund the total that is reversed is the commission's share of all refunds, so a whole
    /// refund reverses the whole commission, in however many steps.
    pub fn refund(self, amount: Option<Money>, now: Timestamp) -> Result<Refunded, Excess> {
        self.less(amount, Reason::Refund, now)
    }

    pub(super) fn less(
        mut self,
        amount: Option<Money>,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Refunded, Excess> {
        let paid = self.paid();
        let rest = paid.checked_sub(self.refunded);
        let rest = rest.expect("no more is given back than was paid");
        let amount = amount.unwrap_or(rest);
        if amount > rest || amount <= Money::ZERO {
            return Err(Excess { rest });
        }
        let refunded = self.refunded.checked_add(amount);
        self.refunded = refunded.expect("no more than was paid");
        let whole = self.refunded == paid;
        if whole {
            self.status = Status::Refunded;
        } else if self.status != Status::Disputed {
            self.status = Status::PartiallyRefunded;
        }
        self.updated_at = now;
        let commission = &mut self.commission;
        let share = commission.amount.in_proportion(self.refunded, paid);
        let reversed = share.max(commission.reversed);
        let taken_back = reversed.checked_sub(commission.reversed);
        let taken_back = taken_back.expect("what is reversed only grows");
        let movement = commission.taken_back(taken_back);
        if movement.is_some() {
            commission.reversed = reversed;
            commission.reason = Some(reason);
            if whole {
                commission.status = CommissionStatus::Reversed;
            }
        }
        Ok(Refunded {
            movement: movement.filter(|_| taken_back > Money::ZERO),
            sale: self,
            amount,
            taken_back,
        })
    }
}
