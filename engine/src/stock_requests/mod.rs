//! Wholesale purchases: a reseller asks for serials, pays for them, and has them in an inventory of its own.
//!
//! Keeps: a purchase is allocated at most once, all of it or nothing. Paid from the balance, it *is* a
//! fulfillment under an order id of Consign's own: one entry, money and serials together. Paid otherwise, its
//! serials are a withdrawal under its own id. Either is decided in storage first and carried out
//! afterwards, so whatever crashes in between leaves one outcome.

mod item;
mod limits;
mod request;
#[cfg(test)]
mod tests;

pub use item::{Item, ItemStatus};
pub use limits::{Committed, within_limits};
pub use request::{
    BALANCE, Bill, Counts, Event, NOTE_CHARS_MAX, OPEN_MAX, RequestedBy, Status, Stepped,
    StockRequest, VALID_DAYS, WrongStatus,
};
