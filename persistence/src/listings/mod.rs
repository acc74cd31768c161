//! Listings: made and changed by their reseller, archived by either side, reviewed when what they hang on
//! changes.
//!
//! Keeps: one lives for each product, or variant, of a relationship; that one is blocked, the event and the
//! mail that say so are stored together. Whoever offers or shows one judges it by the rows of that moment.

mod change;
mod create;
mod list;
mod offer;
mod review;
mod rows;

pub use change::{Deed, change};
pub use create::{NotListed, create};
pub use list::{Listed, facts, list, one};
pub(crate) use offer::judged;
pub use offer::{Offer, find};
pub use review::{Blocked, due, review};
pub use rows::Judged;
