//! Wholesale purchases: a reseller asks for serials, pays for them, and has them in an inventory of its own.
//!
//! Keeps: a purchase is allocated at most once, all of it or nothing. Paid from the balance, it *is* a
//! fulfillment under an order id of Consign's own: one entry, money and serials together. Paid otherwise, its
//! serials are a withdrawal under its own id. Either is decided in storage first and carried out
//! afterwards, so whatever crashes in between leaves one outcome. What goes back never exceeds what was paid.

mod bill;
mod item;
mod limits;
mod pay;
mod refund;
mod request;
#[cfg(test)]
mod tests;

pub use bill::Bill;
pub use item::{Item, ItemStatus};
pub use limits::{NotOpened, Unpaid, may_open, may_revive, within_limits};
pub use pay::{Arrived, NotAccepted, OncePaid, Reversed};
pub use refund::{GiveBack, Held, NotTaken, StockRefund, Taken};
pub use request::{
    BALANCE, Counts, Event, INVOICE_HOURS, NOTE_CHARS_MAX, OPEN_MAX, RequestedBy, Status, Stepped,
    StockRequest, UNPAID_A_DAY_MAX, VALID_DAYS, WrongStatus,
};
