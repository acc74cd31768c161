//! A serial that a reseller bought to sell it on.

use crate::{
    catalog::Sku,
    clock::Timestamp,
    ids::{SerialId, StockRequestId},
    relationships::RelationshipScope,
    vault::Sealed,
};

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemStatus {
    Available,
    /// It was sent to a customer.
    Delivered,
    /// The merchant took it back.
    Revoked,
    /// It was no good.
    Replaced,
}

impl ItemStatus {
    pub const ALL: [Self; 4] = [
        Self::Available,
        Self::Delivered,
        Self::Revoked,
        Self::Replaced,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Delivered => "DELIVERED",
            Self::Revoked => "REVOKED",
            Self::Replaced => "REPLACED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// One serial of an inventory, still sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub serial: SerialId,
    /// Its place in lists.
    pub number: i64,
    pub request: StockRequestId,
    pub scope: RelationshipScope,
    pub sku: Sku,
    pub sealed: Sealed,
    pub status: ItemStatus,
    /// The customer's address, sealed.
    pub email: Option<Sealed>,
    /// A keyed digest of it.
    pub email_digest: Option<[u8; 16]>,
    pub delivered_at: Option<Timestamp>,
    /// When its text left Consign for the first time.
    pub handed_over_at: Option<Timestamp>,
    pub exported_at: Option<Timestamp>,
    pub revealed_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// What took its place.
    pub successor: Option<SerialId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
