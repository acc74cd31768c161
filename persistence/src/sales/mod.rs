//! Sales that were attributed, their commissions, and the account of what each relationship earned.
//!
//! Keeps: whoever changes a relationship's earnings locks their row first, and stores the sums with what
//! they are the sums of.

pub mod decide;
pub(crate) mod dispute;
pub mod earnings;
pub mod list;
pub mod refund;
pub mod release;
pub mod report;
mod rows;

pub(crate) use report::{link_facts, record};
