//! Events: what machines are told, by name, and who hears of it.
//!
//! Keeps: an event is a durable fact, told once to each side that it concerns, under one id. No serial,
//! key or e-mail address is in a fact. A stored fact stays readable for ever: one that changes its
//! fields gets another word.

mod fact;
mod kind;

pub use fact::{
    BalanceLow, CommissionApproved, CommissionReversed, ConnectionRefused, Fact,
    InvoiceAwaitingStock, InvoiceReplacementIssued, InvoiceUpdated, ItemReplacement,
    ListingBlocked, PayoutUpdated, PriceChanged, SaleCreated, SaleDisputed, SaleRefunded,
    ShelfChanged, StockGiven, StockStep, StockTaken, VerificationUpdated,
};
pub use kind::{Audience, Kind};

use crate::ids::{MerchantId, RelationshipId};

/// Whose events, numbered on their own: a merchant's, or one relationship's; test apart from live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Feed {
    pub merchant: MerchantId,
    pub relationship: Option<RelationshipId>,
    pub test: bool,
}
