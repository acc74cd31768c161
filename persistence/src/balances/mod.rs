//! Prepaid money as it is stored: a ledger of entries, and nothing that repeats their sum.

pub(crate) mod rows;
mod source;

pub use source::PgBalances;
