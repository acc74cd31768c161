//! One tracked link.

use super::Status;
use crate::{
    clock::Timestamp,
    ids::{LinkId, ProductId, RelationshipId},
};

pub const NAME_CHARS_MAX: usize = 80;

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To the merchant's shop.
    Shop,
    /// To one of its products.
    Product(ProductId),
    /// To an address that the merchant allows.
    Url(String),
}

/// A link without what came by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub id: LinkId,
    pub relationship: RelationshipId,
    pub name: String,
    /// Of all links of the installation, the only one with this code.
    pub code: String,
    pub target: Target,
    pub status: Status,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Link {
    /// Whether it is the one that its relationship began with, whose code is the relationship's.
    pub fn is_own(&self) -> bool {
        self.id == self.relationship.link()
    }
}
