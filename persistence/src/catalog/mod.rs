//! Products and variants as they are stored.

pub mod list;
pub(crate) mod source;

pub use source::PgCatalog;
