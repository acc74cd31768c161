//! Top-ups over HTTP: opened by the reseller or the merchant, marked paid by the merchant, read by both.
//!
//! Keeps: money enters a balance through [`complete`] only, under the payment's id, after the payment
//! was stored, and leaves it through [`owed`] when a top-up is taken back; what is cut off in between is
//! completed by a job.

pub(crate) mod cancel;
pub(crate) mod complete;
mod expire;
pub(crate) mod get;
pub(crate) mod letters;
pub(crate) mod list;
pub(crate) mod mark_paid;
pub(crate) mod open;
pub(crate) mod owed;
mod shown;
pub(crate) mod watch;

pub use complete::complete_waiting;
pub use expire::expire_due;
pub use owed::take_waiting;
pub(crate) use shown::{InvoiceLineView, PayView, TopUpView, missing};
pub use watch::look_at_all;
