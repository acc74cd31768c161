//! Prepaid money of one relationship: a live and a test balance.
//!
//! Keeps: `0 <= held <= posted`, and every hold ends in exactly one capture or void. Memory may look
//! poorer than the database, never richer: a credit enters after its commit. Nothing here waits for IO.

mod actor;
mod credit;
mod debit;
mod entry;
mod handle;
mod hold;
pub(crate) mod ledger;
pub(crate) mod messages;
mod order_ids;
mod source;
mod spending;
#[cfg(test)]
mod tests;

pub(crate) use actor::BalanceActor;
pub(crate) use credit::credit;
pub(crate) use debit::debit;
pub use entry::{Credit, CreditEntry, EntryKind};
pub(crate) use handle::{BalanceHandle, Balances};
pub(crate) use hold::{Account, CreditHold, MoneyHold};
pub use messages::Cover;
pub use source::{Loaded, Source};
pub use spending::Spending;
pub(crate) use spending::midnight_after;
