//! Prepaid money as it is stored: a ledger of entries. What repeats their sums is believed only where the
//! ledger confirms it.

pub mod forecast;
pub mod ledger;
pub mod purchases;
pub(crate) mod rows;
mod source;
pub mod statement;
mod whose;

pub use source::PgBalances;
pub(crate) use whose::{Whose, whose};
