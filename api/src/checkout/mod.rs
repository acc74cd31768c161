//! Pages on which customers buy: a product, what a widget or a listing sells, a visit with its cart, an invoice.
//! They need no script.
//!
//! Keeps: nothing that a browser sends is a price or says who brought the customer; a page shows what it
//! shows to whoever has its address, which nobody can guess.

pub(crate) mod campaign;
mod carry;
pub(crate) mod cart;
pub(crate) mod confirm;
pub(crate) mod create;
pub(crate) mod delivery;
mod end;
mod form;
mod frame;
pub(crate) mod invoice;
mod letters;
pub(crate) mod listing;
mod look;
pub(crate) mod pay;
pub(crate) mod product;
mod qr;
pub(crate) mod refund;
pub(crate) mod replace;
mod session;

pub use carry::carry_waiting;
pub(crate) use end::release;
pub use end::{expire_due, forget_visits};
use engine::{
    checkout::{Page, token},
    ids::{CheckoutId, InvoiceId, ProductId},
    vault::Opened,
};
pub use replace::carry_replacing;

use crate::state::App;

/// Where a product is shown at its price.
pub(crate) fn product_path(id: ProductId) -> String {
    format!("/checkout/p/{id}")
}

/// Where a visit goes on.
fn session_path(app: &App, id: CheckoutId) -> String {
    let token = token(app.engine.vault(), Page::Checkout, id.uuid());
    format!("/checkout/{}", token.expose())
}

/// What opens the page of an invoice.
fn invoice_token(app: &App, id: InvoiceId) -> Opened {
    token(app.engine.vault(), Page::Invoice, id.uuid())
}

/// What opens the page of what was bought with an invoice.
fn delivery_token(app: &App, id: InvoiceId) -> Opened {
    token(app.engine.vault(), Page::Delivery, id.uuid())
}

/// Where the page of an invoice is.
fn invoice_path(app: &App, id: InvoiceId) -> String {
    format!("/invoice/{}", invoice_token(app, id).expose())
}
