//! Serials as they are stored: immutable rows in the order of sale, and claims beside them.

pub mod batches;
pub mod import;
pub mod levels;
pub mod list;
mod low_water;
pub mod movements;
pub mod note;
pub mod reservations;
mod source;
pub mod trace;
pub(crate) mod withdrawal;

pub use source::PgInventory;
