//! A customer's visit before there is an invoice.

use std::collections::BTreeMap;

use super::Cart;
use crate::{
    clock::Timestamp,
    ids::{CampaignId, CheckoutId, InvoiceId, ListingId, MerchantId},
    links::Attribution,
    vault::Sealed,
};

/// How long a visit waits for the customer's yes.
pub const SESSION_MINUTES: i64 = 60;

/// Where a visit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    Open,
    /// The customer said yes.
    Invoiced,
    Expired,
}

impl SessionStatus {
    /// The word for it in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Invoiced => "INVOICED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// By what a customer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// By a link, be it a campaign's, whether or not it is owed anything.
    Link(Attribution),
    /// From the widget of a campaign: what it sells is its sale, at the merchant's price.
    Campaign(CampaignId),
    /// To buy at the price of a listing.
    Listing(ListingId),
}

impl Came {
    /// Whether the visit began in a widget, and may go on in its frame.
    pub const fn is_widget(self) -> bool {
        match self {
            Self::Link(_) => false,
            Self::Campaign(_) | Self::Listing(_) => true,
        }
    }
}

/// What a customer is about to buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: CheckoutId,
    pub merchant: MerchantId,
    pub cart: Cart,
    pub came: Option<Came>,
    /// The address, if it is known already.
    pub customer: Option<Sealed>,
    /// Where the customer goes on afterwards, or instead: hosts that the merchant allowed.
    pub success_url: Option<String>,
    pub cancel_url: Option<String>,
    /// What the merchant's shop sent with it; its invoice has it too.
    pub metadata: BTreeMap<String, String>,
    /// What the customer said yes to.
    pub invoice: Option<InvoiceId>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

impl Session {
    pub fn status_at(&self, now: Timestamp) -> SessionStatus {
        match self.invoice {
            Some(_) => SessionStatus::Invoiced,
            None if now >= self.expires_at => SessionStatus::Expired,
            None => SessionStatus::Open,
        }
    }
}
