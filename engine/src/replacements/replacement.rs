//! One request for a replacement, and where it stands.

use crate::{
    catalog::Sku,
    clock::Timestamp,
    fulfillments::OrderId,
    ids::{FulfillmentId, ReplacementId, SerialId, StockRefundId, StockRequestId, WithdrawalId},
    money::Money,
    relationships::RelationshipScope,
};

/// Longest note, in characters.
pub const NOTE_CHARS_MAX: usize = 1000;
/// Over so many days the share of replaced units is counted.
pub const SHARE_DAYS: i64 = 30;

/// What is wrong with a serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Invalid,
    Used,
    Region,
    Duplicate,
    Other,
}

impl Reason {
    pub const ALL: [Self; 5] = [
        Self::Invalid,
        Self::Used,
        Self::Region,
        Self::Duplicate,
        Self::Other,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::Used => "USED",
            Self::Region => "REGION",
            Self::Duplicate => "DUPLICATE",
            Self::Other => "OTHER",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Where a replacement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It waits for the merchant.
    Requested,
    /// It is decided that a successor is taken off the shelf, and not known that it was.
    Issuing,
    /// It is decided that the price is given back, and not known that it was.
    Crediting,
    Issued,
    Credited,
    Rejected,
    /// Whoever asked took it back, before it was decided.
    Cancelled,
}

impl Status {
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Issuing,
        Self::Crediting,
        Self::Issued,
        Self::Credited,
        Self::Rejected,
        Self::Cancelled,
    ];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Issuing => "ISSUING",
            Self::Crediting => "CREDITING",
            Self::Issued => "ISSUED",
            Self::Credited => "CREDITED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// As it is told: what is not carried out yet is only requested.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Requested | Self::Issuing | Self::Crediting => "REQUESTED",
            Self::Issued => "ISSUED",
            Self::Credited => "CREDITED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecidedBy {
    Auto,
    Merchant,
}

impl DecidedBy {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "AUTO",
            Self::Merchant => "MERCHANT",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Auto, Self::Merchant]
            .into_iter()
            .find(|one| one.name() == name)
    }
}

/// By what a serial came to its reseller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bought {
    Fulfillment {
        id: FulfillmentId,
        order_id: OrderId,
    },
    /// It is an item of the reseller's inventory.
    Wholesale(StockRequestId),
}

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    pub id: ReplacementId,
    pub scope: RelationshipScope,
    pub bought: Bought,
    pub serial: SerialId,
    pub sku: Sku,
    pub unit_price: Money,
    pub reason: Reason,
    pub note: Option<String>,
    pub status: Status,
    pub decided_by: Option<DecidedBy>,
    pub decision_note: Option<String>,
    pub successor: Option<SerialId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Replacement {
    /// The withdrawal that takes the successor off its shelf.
    pub const fn withdrawal(&self) -> WithdrawalId {
        WithdrawalId::from_uuid(self.id.uuid())
    }

    /// What goes back for an item of an inventory, once.
    pub const fn stock_refund(&self) -> StockRefundId {
        StockRefundId::from_uuid(self.id.uuid())
    }

    /// The reference of the refund that gives the price back. No caller's reference begins so.
    pub fn refund_reference(&self) -> String {
        format!("consign:{}", self.id)
    }
}
