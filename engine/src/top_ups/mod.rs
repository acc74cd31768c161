//! Top-ups: invoices that add to a balance.
//!
//! Keeps: an invoice is opened within the program's bounds and in a coin that the merchant takes. What
//! arrives for it is credited whatever the amount, once per payment.

mod open;
#[cfg(test)]
mod tests;

pub use open::{Facts, OPEN_MAX, Refusal, VALID_HOURS, Wanted, open};
