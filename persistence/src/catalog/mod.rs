//! Products and variants as they are stored.

pub mod get;
pub(crate) mod source;
pub mod update;

pub use source::PgCatalog;
