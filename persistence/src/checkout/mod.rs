//! Visits of customers and their invoices, as they are stored.
//!
//! Keeps: a visit becomes one invoice, in the transaction that freezes the prices of its lines and who is owed a share;
//! whoever changes an invoice locks its row first. A page finds its row by the digest of its token only.

mod deliver;
mod dispute;
mod end;
mod find;
mod listed;
mod open;
mod pay;
mod refund;
mod replace;
mod rows;
mod session;
mod wait;

pub use deliver::{Due, delivered, due, keep, reveal, sold, take_waiting};
pub use dispute::dispute;
pub use end::{Ended, Freed, cancel, expire};
pub use find::{Bought, Purchase, by_delivery_token, by_token, lines, widget_of};
pub use open::{Customer, Opened, Opening, OpeningLine, has_room, open};
pub use pay::{NotAccepted, NotPaid, Said, accept, settle};
pub use refund::{Cause, Giving, Refund, refund};
pub(crate) use refund::{insert as insert_refund, known as known_refund};
pub use replace::{
    Replace, Replacing, Standing, replace, replaced, replacing, take_replacing, unreplaced,
};
pub use session::{NewSession, change, find as find_session, insert, reprice, sweep};
pub use wait::{Short, Waits, wait};
