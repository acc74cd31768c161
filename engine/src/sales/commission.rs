//! What the merchant owes for one sale, and its life: pending, approved, reversed.

use super::{Movement, Sale, Status};
use crate::{
    clock::Timestamp,
    money::{Money, Percent},
};

/// Where a commission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommissionStatus {
    /// On hold.
    Pending,
    /// Part of what may be paid out.
    Approved,
    Reversed,
}

impl CommissionStatus {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Approved, Self::Reversed];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Reversed => "REVERSED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Why a commission, or a part of it, was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The customer was the reseller.
    SelfPurchase,
    Refund,
    /// A dispute was lost.
    Dispute,
    Merchant,
}

impl Reason {
    pub const ALL: [Self; 4] = [
        Self::SelfPurchase,
        Self::Refund,
        Self::Dispute,
        Self::Merchant,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SelfPurchase => "SELF_PURCHASE",
            Self::Refund => "REFUND",
            Self::Dispute => "DISPUTE",
            Self::Merchant => "MERCHANT",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commission {
    /// None: it is the margin of a listing.
    pub percent: Option<Percent>,
    pub amount: Money,
    /// At most the amount.
    pub reversed: Money,
    pub status: CommissionStatus,
    pub hold_until: Timestamp,
    pub approved_at: Option<Timestamp>,
    pub reason: Option<Reason>,
    /// What the merchant said to its reversal.
    pub note: Option<String>,
}

/// The status does not allow the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongStatus(pub CommissionStatus);

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    To(Box<Sale>, Movement),
    /// It was there already: nothing is changed.
    Already(Box<Sale>),
}

impl Commission {
    /// What of it was not taken back.
    pub fn rest(&self) -> Money {
        let rest = self.amount.checked_sub(self.reversed);
        rest.expect("no more is reversed than there was")
    }

    /// What taking back so much moves, by where it stands.
    pub(super) fn taken_back(&self, amount: Money) -> Option<Movement> {
        match self.status {
            CommissionStatus::Pending => Some(Movement::Dropped(amount)),
            CommissionStatus::Approved => Some(Movement::ClawedBack(amount)),
            CommissionStatus::Reversed => None,
        }
    }
}

impl Sale {
    /// The merchant, or the end of the hold, approves what is left of the commission; nobody does while the sale
    /// is disputed.
    pub fn approve(mut self, now: Timestamp) -> Result<Stepped, WrongStatus> {
        if self.status == Status::Disputed {
            return Err(WrongStatus(self.commission.status));
        }
        match self.commission.status {
            CommissionStatus::Approved => Ok(Stepped::Already(Box::new(self))),
            CommissionStatus::Reversed => Err(WrongStatus(CommissionStatus::Reversed)),
            CommissionStatus::Pending => {
                let movement = Movement::Approved(self.commission.rest());
                self.commission.status = CommissionStatus::Approved;
                self.commission.approved_at = Some(now);
                self.updated_at = now;
                Ok(Stepped::To(Box::new(self), movement))
            }
        }
    }

    /// Whether its hold is over and nobody decided otherwise.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.commission.status == CommissionStatus::Pending
            && self.status != Status::Disputed
            && self.commission.hold_until <= now
    }

    /// The merchant takes back what is left of the commission.
    pub fn reverse(mut self, note: String, now: Timestamp) -> Result<Stepped, WrongStatus> {
        let rest = self.commission.rest();
        match self.commission.taken_back(rest) {
            None if self.commission.reason == Some(Reason::Merchant) => {
                Ok(Stepped::Already(Box::new(self)))
            }
            None => Err(WrongStatus(CommissionStatus::Reversed)),
            Some(movement) => {
                self.commission.reversed = self.commission.amount;
                self.commission.status = CommissionStatus::Reversed;
                self.commission.reason = Some(Reason::Merchant);
                self.commission.note = Some(note);
                self.updated_at = now;
                Ok(Stepped::To(Box::new(self), movement))
            }
        }
    }
}
