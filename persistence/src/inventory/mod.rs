//! Serials as they are stored: immutable rows in the order of sale, and claims beside them.

mod low_water;
mod source;

pub use source::PgInventory;
