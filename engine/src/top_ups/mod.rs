//! Top-ups: invoices that add to a balance, and what a reseller sets about its balance.
//!
//! Keeps: an invoice is opened within the program's bounds and in a coin that the merchant takes. What
//! arrives for it is credited whatever the amount, once per payment. What is taken back of it and is not there
//! any more is owed.

mod alert;
mod automatic;
mod debt;
mod open;
#[cfg(test)]
mod tests;

pub use alert::Alert;
pub use automatic::{Automatic, EXPIRED_MAX, Ended, History, Standing};
pub use debt::{Debt, Taken};
pub use open::{
    Facts, OPEN_MAX, Refusal, UNPAID_A_DAY_MAX, VALID_HOURS, Wanted, may_open, may_set, open,
};
