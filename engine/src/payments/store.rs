//! Shops of others that take money for a merchant, and invoices that such a shop shows.

use crate::{ids::StoreId, vault::Sealed};

/// A merchant's access to a shop of a BTCPay Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    pub id: StoreId,
    /// Where the server is, without a slash at the end.
    pub url: String,
    /// What the server calls the shop.
    pub name: String,
    pub token: Sealed,
    /// With which the server signs its notices; none: it sends none that are believed.
    pub notices: Option<Sealed>,
}

/// An invoice as the shop has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosted {
    pub store: StoreId,
    /// What the shop calls it.
    pub reference: String,
    /// Where to pay it.
    pub url: String,
}
