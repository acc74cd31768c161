//! The invoice of a purchase that is paid elsewhere.
//!
//! Keeps: it is what its purchase is: it has no life of its own that could say something else.

use super::{Status, StockRequest};
use crate::{
    clock::Timestamp,
    ids::InvoiceId,
    money::Money,
    payments::{Coin, Pay, ProviderKind},
};

/// How a request is to be paid from elsewhere, as it was when that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    pub id: InvoiceId,
    pub coin: Coin,
    pub provider: ProviderKind,
    pub pay: Pay,
}

/// Where the invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillStatus {
    Open,
    /// The serials are still to come.
    Paid,
    Completed,
    PartiallyRefunded,
    Refunded,
    Expired,
    Cancelled,
}

impl BillStatus {
    /// The word for it in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Paid => "PAID",
            Self::Completed => "COMPLETED",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
            Self::Refunded => "REFUNDED",
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl StockRequest {
    /// Where its invoice stands, if it has one.
    pub fn bill_status(&self, now: Timestamp) -> BillStatus {
        if self.refunded > Money::ZERO {
            return if self.refunded == self.total {
                BillStatus::Refunded
            } else {
                BillStatus::PartiallyRefunded
            };
        }
        match self.status_at(now) {
            Status::Requested | Status::Invoiced | Status::Paying => BillStatus::Open,
            Status::Paid | Status::Allocating => BillStatus::Paid,
            Status::Allocated | Status::Delivered | Status::Revoked => BillStatus::Completed,
            Status::Cancelled => BillStatus::Cancelled,
            Status::Expired => BillStatus::Expired,
        }
    }
}
