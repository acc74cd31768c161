//! The account of one relationship's earnings: what is on hold, approved, reversed, paid and asked for.

use crate::money::Money;

/// Sums over all commissions and payouts of one relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earnings {
    /// Commissions whose hold is not over, net of reversals.
    pub pending: Money,
    /// Approved commissions, net of reversals.
    pub approved: Money,
    /// Everything that was ever reversed.
    pub reversed: Money,
    pub paid_out: Money,
    /// Asked for and not decided or not paid yet.
    pub open_payouts: Money,
}

/// What one step moves. Amounts are above zero, or nothing moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// A sale brought a commission, which is on hold.
    Earned(Money),
    /// The hold of a commission is over.
    Approved(Money),
    /// An approved commission is on hold again.
    Held(Money),
    /// A commission on hold shrinks.
    Dropped(Money),
    /// An approved commission is taken back.
    ClawedBack(Money),
    /// A payout was asked for.
    Reserved(Money),
    /// An open payout ends unpaid.
    Released(Money),
    /// An open payout was paid.
    PaidOut(Money),
}

/// What an entry of the earnings' own ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Commission,
    Reversal,
    Payout,
}

impl EntryKind {
    pub const ALL: [Self; 3] = [Self::Commission, Self::Reversal, Self::Payout];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commission => "COMMISSION",
            Self::Reversal => "REVERSAL",
            Self::Payout => "PAYOUT",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Movement {
    /// The entry that tells of it: what changes the total of approved commissions less payouts.
    pub fn entry(self) -> Option<(EntryKind, Money)> {
        let (kind, amount) = match self {
            Self::Approved(amount) => (EntryKind::Commission, amount),
            Self::ClawedBack(amount) | Self::Held(amount) => (EntryKind::Reversal, -amount),
            Self::PaidOut(amount) => (EntryKind::Payout, -amount),
            Self::Earned(_) | Self::Dropped(_) | Self::Reserved(_) | Self::Released(_) => {
                return None;
            }
        };
        (amount != Money::ZERO).then_some((kind, amount))
    }
}

impl Earnings {
    /// After a movement; none if a sum would be beyond the bound of amounts.
    pub fn moved(self, movement: Movement) -> Option<Self> {
        let mut after = self;
        match movement {
            Movement::Earned(amount) => {
                after.pending = self.pending.checked_add(amount)?;
                // So that approving it later cannot fail.
                after.approved.checked_add(after.pending)?;
            }
            Movement::Approved(amount) => {
                after.pending = self.pending.checked_sub(amount)?;
                after.approved = self.approved.checked_add(amount)?;
            }
            Movement::Held(amount) => {
                after.approved = self.approved.checked_sub(amount)?;
                after.pending = self.pending.checked_add(amount)?;
            }
            Movement::Dropped(amount) => {
                after.pending = self.pending.checked_sub(amount)?;
                after.reversed = self.reversed_by(amount);
            }
            Movement::ClawedBack(amount) => {
                after.approved = self.approved.checked_sub(amount)?;
                after.reversed = self.reversed_by(amount);
            }
            Movement::Reserved(amount) => {
                after.open_payouts = self.open_payouts.checked_add(amount)?;
            }
            Movement::Released(amount) => {
                after.open_payouts = self.open_payouts.checked_sub(amount)?;
            }
            Movement::PaidOut(amount) => {
                after.open_payouts = self.open_payouts.checked_sub(amount)?;
                after.paid_out = self.paid_out.checked_add(amount)?;
            }
        }
        Some(after)
    }

    /// It only grows, and nothing depends on it: at the bound of amounts it stays.
    fn reversed_by(&self, amount: Money) -> Money {
        self.reversed.checked_add(amount).unwrap_or(Money::MAX)
    }

    /// Approved commissions less what was paid: what the entries add up to.
    pub fn total(&self) -> Money {
        less(self.approved, self.paid_out)
    }

    /// What a payout may be asked for. Below zero after a reversal; later commissions fill it first.
    pub fn available(&self) -> Money {
        less(self.total(), self.open_payouts)
    }
}

/// Two sums of at most the bound each: twice the bound below zero is told as the bound.
fn less(from: Money, what: Money) -> Money {
    from.checked_sub(what).unwrap_or(-what)
}
