//! A delivered serial is no good: another takes its place, or its price is given back.
//!
//! Keeps: a serial has at most one successor or one credit, ever. What was decided is stored before it is
//! carried out, under an id that the successor's withdrawal and the credit's refund have as their
//! reference: so it is carried out once, whatever crashes in between.

mod purchase;
mod replacement;
mod request;
#[cfg(test)]
mod tests;

pub use purchase::{InvoiceReplacement, NotReplaced, Wanted, Which, of_purchase};
pub use replacement::{Bought, DecidedBy, NOTE_CHARS_MAX, Reason, Replacement, SHARE_DAYS, Status};
pub use request::{Facts, Refusal, request};
