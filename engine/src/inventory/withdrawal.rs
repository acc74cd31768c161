//! Serials that leave the shelf without an order.
//!
//! Keeps: a withdrawal is a claim like any other, so a serial that was withdrawn is never sold, and one
//! that was sold is never withdrawn. It has an id of its own: asked for again, it is not made again.

use crate::{
    audit::Actor,
    catalog::Sku,
    ids::{MerchantId, SerialId, WithdrawalId},
};

/// Most serials of one withdrawal.
pub const WITHDRAWN_MAX: usize = 500;

/// Why serials leave the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The merchant takes them back unread: their texts may be imported again.
    Removal,
    /// The merchant uses them elsewhere, and is shown their texts.
    Pull,
    /// One of them replaces a serial that was delivered and is no good.
    Replacement,
    /// A reseller bought them to sell them on, and did not pay from its balance.
    Stock,
    /// A customer paid an invoice for them.
    Sale,
}

impl Purpose {
    pub const ALL: [Self; 5] = [
        Self::Removal,
        Self::Pull,
        Self::Replacement,
        Self::Stock,
        Self::Sale,
    ];

    /// The kind of its claims.
    pub const fn number(self) -> i16 {
        match self {
            Self::Removal => 3,
            Self::Pull => 4,
            Self::Replacement => 5,
            Self::Stock => 6,
            Self::Sale => 7,
        }
    }

    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.number() == number)
    }
}

/// Serials of one SKU that leave the shelf together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    pub id: WithdrawalId,
    pub merchant: MerchantId,
    pub sku: Sku,
    pub purpose: Purpose,
    pub serials: Vec<SerialId>,
    /// Who did it, where this is the first record of that: told to the audit log with the commit, and in
    /// none that is read.
    pub by: Option<Actor>,
}

/// Which withdrawal is asked for, from whose shelf and by whom. The SKU must be the merchant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalCall {
    pub id: WithdrawalId,
    pub merchant: MerchantId,
    pub sku: Sku,
    pub by: Option<Actor>,
}

/// Why a serial stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// An order or another withdrawal has it in its hands, or its upload is not on sale yet.
    Held,
    /// It was sold, withdrawn or quarantined.
    Claimed,
    /// It is on the shelf of another product or variant of the merchant.
    OtherProduct,
    Unknown,
}

/// What became of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub removed: Vec<SerialId>,
    pub kept: Vec<(SerialId, Kept)>,
}

/// What became of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pulled {
    Serials(Vec<SerialId>),
    /// There are fewer; nothing was pulled.
    OutOfStock,
}
