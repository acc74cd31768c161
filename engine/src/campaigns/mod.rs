//! Embed campaigns: what a reseller sells inside somebody else's page, named there by a signed token.
//!
//! Keeps: reseller, products and prices come from the campaign's row and the merchant's, never from a page.
//! What is revoked stays so, and a token dies when the campaign's version rises.

mod campaign;
mod change;
mod create;
mod offer;
#[cfg(test)]
mod tests;

pub use campaign::{Campaign, NAME_CHARS_MAX, ORIGINS_MAX, SCOPE_MAX, Scope};
pub use change::{Changed, Edit};
pub use create::{LIVE_MAX, NewCampaign};
pub use offer::{Standing, sells, shows};

use crate::relationships::{Barred, Ware};

/// Why a campaign is not made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Barred(Barred),
    /// Links and embeds of the relationship do not cover it.
    ProductNotAllowed(Ware),
    /// There are as many live ones as there may be.
    TooMany,
    /// It is over for good.
    Revoked,
}
