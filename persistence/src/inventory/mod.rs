//! Serials as they are stored: immutable rows in the order of sale, and claims beside them.

pub mod import;
mod low_water;
mod source;

pub use source::PgInventory;
