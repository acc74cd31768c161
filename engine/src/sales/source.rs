//! What brought a sale, and what follows from it for what is owed.

use std::fmt;

use uuid::Uuid;

use crate::{
    ids::{CampaignId, LinkId, ListingId},
    money::{Money, Percent},
};

/// What brought a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Link(LinkId),
    Campaign(CampaignId),
    Listing(ListingId),
}

impl Source {
    /// The word for it in the contract and in storage.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Link(_) => "LINK",
            Self::Campaign(_) => "CAMPAIGN",
            Self::Listing(_) => "LISTING",
        }
    }

    /// What a link of this kind stands for.
    pub fn of(kind: &str, link: Uuid) -> Option<Self> {
        match kind {
            "LINK" => Some(Self::Link(LinkId::from_uuid(link))),
            "CAMPAIGN" => Some(Self::Campaign(CampaignId::from_uuid(link))),
            "LISTING" => Some(Self::Listing(ListingId::from_uuid(link))),
            _ => None,
        }
    }

    /// The link under which its sales are attributed.
    pub const fn link(self) -> LinkId {
        match self {
            Self::Link(id) => id,
            Self::Campaign(id) => id.link(),
            Self::Listing(id) => id.link(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(id) => id.fmt(f),
            Self::Campaign(id) => id.fmt(f),
            Self::Listing(id) => id.fmt(f),
        }
    }
}

/// What a sale is owed: a part of what is left of it after discount and tax, or what is above a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    Percent(Percent),
    /// The margin of a listing.
    Above {
        /// What a unit costs the reseller.
        wholesale: Money,
    },
}

impl Rate {
    /// What so many units are owed that were sold for this much; nothing if they cost more than that.
    pub(super) fn of(self, net: Money, quantity: u32) -> Money {
        match self {
            Self::Percent(percent) => net.part(percent),
            Self::Above { wholesale } => {
                let cost = wholesale.checked_mul(quantity);
                let margin = cost.and_then(|cost| net.checked_sub(cost));
                margin.unwrap_or_default().max(Money::ZERO)
            }
        }
    }

    /// The percentage, if it is one.
    pub const fn percent(self) -> Option<Percent> {
        match self {
            Self::Percent(percent) => Some(percent),
            Self::Above { .. } => None,
        }
    }
}
