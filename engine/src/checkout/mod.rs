//! What a customer buys on Consign's own pages: a visit, a price, an invoice, a delivery.
//!
//! Keeps: every price is the catalog's or a listing's, and those that are paid are those that were shown; all that
//! is in a cart is bought or nothing of it; who is owed a share is known when the invoice opens, and no later change
//! touches it. A page is opened by a token that only the root key can make.

mod cart;
mod erase;
mod line;
mod listed;
mod open;
mod quote;
mod refund;
mod session;
mod spread;
#[cfg(test)]
mod tests;
mod token;
mod unit;

pub use cart::{Cart, Change, Item, LINES_MAX, Uncartable};
pub use erase::OVER;
pub use line::Line;
pub use listed::{Deal, listed};
pub use open::{
    Facts, INVOICE_MINUTES, OPEN_OF_ADDRESS_MAX, OPEN_OF_CUSTOMER_MAX, Refusal, Wanted, open,
};
pub use quote::{QUANTITY_MAX, Quote, Unsold, answers, quote};
pub use refund::{Earlier, Going, WentBack, give_back};
pub use session::{Came, SESSION_MINUTES, Session, SessionStatus};
pub use spread::{going_back, paid, spread};
pub use token::{Page, address_digest, digest, token};
pub use unit::{Unit, chains};
