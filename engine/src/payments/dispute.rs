//! Disputes about a customer's purchase: whoever paid wants the money back from whoever moved it.
//!
//! Keeps: a purchase is disputed once it was delivered, and nobody gives its money back beside the dispute. Where it
//! is lost, all that was not given back is gone.

use super::{Act, Invoice, NotTakenBack, Status, TakenBack};
use crate::{clock::Timestamp, money::Money};

/// What is known of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispute {
    Opened,
    Won,
    Lost,
}

impl Dispute {
    pub const ALL: [Self; 3] = [Self::Opened, Self::Won, Self::Lost];

    /// The word for it in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "OPENED",
            Self::Won => "WON",
            Self::Lost => "LOST",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The same about a top-up.
    pub const fn act(self) -> Act {
        match self {
            Self::Opened => Act::DisputeOpened,
            Self::Won => Act::DisputeWon,
            Self::Lost => Act::DisputeLost,
        }
    }
}

impl Invoice {
    /// Takes in what is known of a dispute about a customer's purchase; what a lost one takes is what was left.
    pub fn dispute(self, dispute: Dispute, now: Timestamp) -> Result<TakenBack, NotTakenBack> {
        let (delivered, disputed) = (self.is_delivered(), self.status == Status::Disputed);
        match dispute {
            Dispute::Opened if delivered => Ok(self.at(Status::Disputed, now)),
            Dispute::Won if disputed => {
                let back = self.undisputed();
                Ok(self.at(back, now))
            }
            Dispute::Lost if disputed => Ok(self.lost(now)),
            Dispute::Opened if disputed => Ok(TakenBack::Already(Box::new(self))),
            Dispute::Won if delivered => Ok(TakenBack::Already(Box::new(self))),
            Dispute::Lost if self.status == Status::Refunded => {
                Ok(TakenBack::Already(Box::new(self)))
            }
            Dispute::Opened | Dispute::Won | Dispute::Lost => {
                Err(NotTakenBack::Status(self.status))
            }
        }
    }

    /// Where a delivered purchase stands that nobody disputes.
    pub(super) fn undisputed(&self) -> Status {
        if self.refunded == Money::ZERO || self.left() >= self.amount {
            Status::Completed
        } else {
            Status::PartiallyRefunded
        }
    }

    fn lost(mut self, now: Timestamp) -> TakenBack {
        let left = self.left();
        let refunded = self.refunded.checked_add(left);
        self.refunded = refunded.expect("what is left is a part of what arrived");
        self.status = Status::Refunded;
        self.updated_at = now;
        TakenBack::To(Box::new(self), left)
    }
}
