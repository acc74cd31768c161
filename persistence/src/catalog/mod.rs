//! Products and variants as they are stored.

pub(crate) mod source;

pub use source::PgCatalog;
