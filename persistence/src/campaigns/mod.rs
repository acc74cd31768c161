//! Embed campaigns: made and changed by their reseller or the merchant, and shown to who comes with a token.
//!
//! Keeps: what is shown, and to whom a sale belongs, is read from the row at that moment; a page that was
//! placed long ago shows no product that its reseller may no longer sell.

mod change;
mod create;
mod list;
mod offer;
mod rows;
mod scope;

pub use change::{change, rotate};
pub use create::create;
pub use list::{Viewed, list, one};
pub(crate) use offer::sells_in;
pub use offer::{Offer, Offered, find, offered, offers, on_sale, sells, sold, viewed};
pub use scope::Named;

use engine::ids::{ProductId, VariantId};

/// Why a campaign is not made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotChanged {
    Refused(engine::campaigns::Refusal),
    /// The merchant sells none such.
    UnknownProduct(ProductId),
    UnknownVariant(VariantId),
}
