//! What decides about a listing, and what follows from it for a price.

use super::Refusal;
use crate::{
    catalog::{ProductKind, Status as ProductStatus},
    money::Money,
    relationships::{Barred, Mode, Prices, Status as RelationshipStatus},
};

/// Why a listing is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    BelowFloor,
    AboveMaximum,
    AccessRevoked,
    NotEligible,
    Relationship,
    Program,
}

impl Reason {
    pub const ALL: [Self; 6] = [
        Self::BelowFloor,
        Self::AboveMaximum,
        Self::AccessRevoked,
        Self::NotEligible,
        Self::Relationship,
        Self::Program,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BelowFloor => "BELOW_FLOOR",
            Self::AboveMaximum => "ABOVE_MAXIMUM",
            Self::AccessRevoked => "ACCESS_REVOKED",
            Self::NotEligible => "NOT_ELIGIBLE",
            Self::Relationship => "RELATIONSHIP",
            Self::Program => "PROGRAM",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What is listed, as its merchant sells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ware {
    pub kind: ProductKind,
    pub status: ProductStatus,
    /// Whether resellers may list the product at all.
    pub listable: bool,
    /// Of a product with variants one of them is sold: its status, or none if none is named.
    pub variant: Variant,
}

/// Which of its variants is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// The product has none.
    Without,
    /// It has some, and none of them is named.
    Unnamed,
    Named(ProductStatus),
}

/// What the access of a relationship says about listings of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub listable: bool,
    pub min_resale_price: Option<Money>,
    pub max_resale_price: Option<Money>,
}

/// Everything that decides about one listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Of the program.
    pub enabled: bool,
    pub relationship: RelationshipStatus,
    /// Shown to the reseller while the relationship is not active.
    pub status_reason: Option<String>,
    pub mode: Mode,
    pub ware: Ware,
    /// To the variant, else to the product; none if there is none.
    pub access: Option<Access>,
    pub prices: Prices,
}

/// Within which prices something may be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What a unit costs the reseller.
    pub wholesale: Money,
    pub min: Money,
    pub max: Option<Money>,
}

impl Facts {
    /// The bounds of the price, or why there is none.
    pub fn bounds(&self) -> Result<Bounds, Refusal> {
        if !self.enabled {
            return Err(Refusal::ProgramDisabled);
        }
        if self.relationship != RelationshipStatus::Active {
            let reason = self.status_reason.clone();
            return Err(Refusal::Barred(Barred::Inactive { reason }));
        }
        if !self.mode.allows_listings() {
            return Err(Refusal::Barred(Barred::Mode));
        }
        let access = self.access.ok_or(Refusal::NotAllowed)?;
        if !self.ware.is_sold() {
            return Err(Refusal::NotAllowed);
        }
        if self.ware.kind != ProductKind::Serials || !self.ware.listable || !access.listable {
            return Err(Refusal::NotEligible);
        }
        let wholesale = self.prices.wholesale().ok_or(Refusal::NotAllowed)?;
        let floor = access.min_resale_price.unwrap_or_default();
        Ok(Bounds {
            wholesale,
            min: wholesale.max(floor),
            max: access.max_resale_price,
        })
    }

    /// Why nothing is offered at this price, if nothing is.
    pub fn blocks(&self, price: Money) -> Option<Reason> {
        match self.bounds() {
            Ok(bounds) => bounds.blocks(price),
            Err(refusal) => Some(match refusal {
                Refusal::ProgramDisabled => Reason::Program,
                Refusal::Barred(_) => Reason::Relationship,
                Refusal::NotAllowed if self.access.is_none() => Reason::AccessRevoked,
                Refusal::NotAllowed
                | Refusal::NotEligible
                | Refusal::OutOfRange { .. }
                | Refusal::Archived => Reason::NotEligible,
            }),
        }
    }
}

impl Ware {
    fn is_sold(self) -> bool {
        let variant = match self.variant {
            Variant::Without => true,
            Variant::Unnamed => false,
            Variant::Named(status) => status == ProductStatus::Active,
        };
        variant && self.status == ProductStatus::Active
    }
}

impl Bounds {
    pub fn blocks(&self, price: Money) -> Option<Reason> {
        if price < self.min {
            Some(Reason::BelowFloor)
        } else if self.max.is_some_and(|max| price > max) {
            Some(Reason::AboveMaximum)
        } else {
            None
        }
    }

    /// Whether something may be listed at this price.
    pub fn allow(&self, price: Money) -> Result<(), Refusal> {
        match self.blocks(price) {
            None => Ok(()),
            Some(_) => Err(Refusal::OutOfRange {
                min: self.min,
                max: self.max,
            }),
        }
    }

    /// What the reseller earns by a unit at this price; below zero under the floor.
    pub fn margin(&self, price: Money) -> Option<Money> {
        price.checked_sub(self.wholesale)
    }
}

/// A margin as hundredths of a percent of the price, rounded; nothing of a price of nothing.
pub fn margin_percent(margin: Money, price: Money) -> u16 {
    if price <= Money::ZERO || margin <= Money::ZERO {
        return 0;
    }
    let share = (i128::from(margin.minor()) * 10_000 + i128::from(price.minor()) / 2)
        / i128::from(price.minor());
    u16::try_from(share).unwrap_or(10_000)
}
