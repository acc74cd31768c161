//! Fulfillments as they are stored: a ledger entry of the kind that delivers, and its claims.

pub mod customers;
pub mod get;
pub mod list;
pub mod replays;
mod reveal;
pub(crate) mod rows;
pub(crate) mod source;

pub use reveal::reveal;
