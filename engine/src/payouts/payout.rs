//! One request to be paid, and where it stands.

use crate::{
    clock::Timestamp,
    ids::{MerchantId, PayoutId, RelationshipId},
    money::Money,
    programs::PayoutAsset,
};

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It waits for the merchant.
    Pending,
    /// It waits to be paid.
    Approved,
    Completed,
    Rejected,
    Cancelled,
}

impl Status {
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Approved,
        Self::Completed,
        Self::Rejected,
        Self::Cancelled,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Completed => "COMPLETED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether its amount is set aside.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Approved => true,
            Self::Completed | Self::Rejected | Self::Cancelled => false,
        }
    }
}

/// What shows that it was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing but the merchant's word.
    None,
    /// A hash that nobody looked at.
    Unverified,
    /// A transaction that paid it, as its chain says.
    Verified,
}

impl Proof {
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Unverified => "UNVERIFIED",
            Self::Verified => "VERIFIED",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    pub id: PayoutId,
    pub merchant: MerchantId,
    pub relationship: RelationshipId,
    pub amount: Money,
    pub to: PayoutAsset,
    pub address: String,
    pub note: Option<String>,
    pub status: Status,
    pub status_reason: Option<String>,
    /// The address is not new any more from then on.
    pub approvable_at: Timestamp,
    /// It was approved against what would have stopped it.
    pub forced: bool,
    pub tx_hash: Option<String>,
    /// Its chain says that it paid.
    pub verified: bool,
    /// How much of the asset was sent, as the merchant writes it.
    pub asset_amount: Option<String>,
    pub approved_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub rejected_at: Option<Timestamp>,
    pub cancelled_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Payout {
    pub fn proof(&self) -> Proof {
        match self.tx_hash {
            Some(_) if self.verified => Proof::Verified,
            Some(_) => Proof::Unverified,
            None => Proof::None,
        }
    }
}
