//! Relationships as they are stored: terms, product access, keys.

pub mod find;
pub(crate) mod rows;
pub(crate) mod source;

pub use source::PgRelationships;
