//! Prepaid money as it is stored: a ledger of entries, and nothing that repeats their sum.

pub mod forecast;
pub mod ledger;
pub(crate) mod rows;
mod source;
pub mod statement;

pub use source::PgBalances;
