//! Merchants: made, loaded with their data keys unwrapped, and what they say of themselves.

mod create;
mod settings;
mod source;

pub use create::{NewMerchant, create};
pub use settings::{change, settings};
pub use source::PgMerchants;
