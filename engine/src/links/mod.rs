//! Tracked links: where they lead, who may change them, and whom a visitor was sent by, as a token that
//! only names the link.
//!
//! Keeps: a token says which link and when, and nothing else; it counts only if it was made here. Whose
//! the link is and what it earns is read from its row when a sale is reported. What is revoked stays so,
//! and every relationship keeps the link it began with.

mod attribution;
mod change;
mod create;
mod link;
#[cfg(test)]
mod tests;

pub use attribution::{Attribution, VISITOR_HOURS, Visitor, visitor};
pub use change::{Changed, Edit};
pub use create::{LIVE_MAX, NewLink};
pub use link::{Link, NAME_CHARS_MAX, Target};

use crate::{
    ids::ProductId,
    relationships::{Barred, Mode, Status as RelationshipStatus},
};

/// Whether a link attributes what it brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Paused,
    /// For good: its tokens count no more either.
    Revoked,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Revoked];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Revoked => "REVOKED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Why a link is not made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Barred(Barred),
    /// The merchant has none such, or links of the relationship do not cover it.
    ProductNotAllowed(ProductId),
    /// There are as many live ones as there may be.
    TooMany,
    /// It is over for good.
    Revoked,
    /// The link that a relationship began with.
    Own,
}

/// Whether who comes by a link now is noted as sent by its reseller.
pub fn attributes(
    status: Status,
    (of_relationship, mode): (RelationshipStatus, Mode),
    enabled: bool,
) -> bool {
    let active = status == Status::Active && of_relationship == RelationshipStatus::Active;
    active && mode.allows_links() && enabled
}
