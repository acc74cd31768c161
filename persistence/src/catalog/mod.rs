//! Products and variants as they are stored.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub(crate) mod source;
pub(crate) mod store;
pub mod update;

pub use source::PgCatalog;
