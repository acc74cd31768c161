//! Prepaid money of one relationship: a live and a test balance.
//!
//! Keeps: `0 <= held <= posted`, and every hold ends in exactly one capture or void. Memory may look
//! poorer than the database, never richer: a credit enters after its commit. Nothing here waits for IO.

mod entry;
mod source;

pub use entry::{Credit, CreditEntry, EntryKind};
pub use source::{Loaded, Source, Spending};
