//! Relationships as they are stored: terms, product access, keys.

pub mod export;
pub mod find;
pub mod list;
pub(crate) mod rows;
pub(crate) mod source;
pub mod step;
pub mod update;

pub use source::PgRelationships;
