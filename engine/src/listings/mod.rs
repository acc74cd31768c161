//! Listings: a product at the reseller's own price, delivered from the merchant's stock.
//!
//! Keeps: nothing is offered below what it costs the reseller, above the merchant's maximum, or after the
//! right to sell it is gone: a listing is judged when it is made or changed, reviewed when its causes
//! change, and judged once more at the moment in which it is offered.

mod change;
mod create;
mod facts;
mod listing;
mod review;
#[cfg(test)]
mod tests;

pub use change::{Changed, Edit, Wanted};
pub use create::NewListing;
pub use facts::{Access, Bounds, Facts, Reason, Variant, Ware, margin_percent};
pub use listing::{Listing, State, Status};

use crate::{money::Money, relationships::Barred};

/// Why a product is not listed, or not at this price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    ProgramDisabled,
    Barred(Barred),
    /// Without access to it, or the merchant sells none such.
    NotAllowed,
    /// It is not sold as serials, or the merchant does not let it be listed.
    NotEligible,
    OutOfRange {
        min: Money,
        max: Option<Money>,
    },
    /// It is over for good.
    Archived,
}
