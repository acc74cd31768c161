//! One listing.

use super::Reason;
use crate::{
    clock::Timestamp,
    ids::{ListingId, ProductId, RelationshipId, VariantId},
    money::Money,
};

/// The word for where a listing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Paused,
    Blocked,
    Archived,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Blocked, Self::Archived];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Blocked => "BLOCKED",
            Self::Archived => "ARCHIVED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Where a listing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Active,
    Paused,
    /// By us, until the cause is gone or the price is another; then it is as it was before.
    Blocked {
        reason: Reason,
        paused: bool,
    },
    /// For good.
    Archived,
}

impl State {
    pub const fn status(self) -> Status {
        match self {
            Self::Active => Status::Active,
            Self::Paused => Status::Paused,
            Self::Blocked { .. } => Status::Blocked,
            Self::Archived => Status::Archived,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub id: ListingId,
    pub relationship: RelationshipId,
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub price: Money,
    pub state: State,
    /// Why the merchant archived it.
    pub note: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
