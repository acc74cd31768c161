//! Listings over HTTP: quoted, made and changed by the reseller, archived by either side, reviewed by a job.
//!
//! Keeps: a price that a caller sends is only ever the reseller's own; what it may be between, and what is
//! earned by it, comes from the merchant's rows.

pub(crate) mod archive;
pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod quote;
mod refusal;
pub mod review;
mod shown;
pub(crate) mod snippet;

pub(crate) use shown::ListingView;
