//! Sales that a reseller brought, the commission that each is owed, and the account of what was earned.
//!
//! Keeps: a sale has one commission, which is earned once, held, and then approved or reversed, never
//! more of it than there was. Every step says what it moves in the [`Earnings`], so their sums are those
//! of the commissions and payouts at any time. Rounding: half-even, once per amount.

mod commission;
mod dispute;
mod earnings;
mod refund;
mod report;
mod sale;
mod source;
#[cfg(test)]
mod tests;

pub use commission::{Commission, CommissionStatus, Reason, Stepped, WrongStatus};
pub use earnings::{Earnings, EntryKind, Movement};
pub use refund::{Excess, Refunded};
pub use report::{
    Facts, Reported, Share, Unattributed, attribute, is_itself, mailbox, report, sold,
};
pub use sale::{NOTE_CHARS_MAX, QUANTITY_MAX, Sale, Status, masked};
pub use source::{Rate, Source};
