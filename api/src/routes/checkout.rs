//! What customers see: pages, and the forms on them.

use super::menu::Menu;
use crate::{
    checkout::{campaign, cart, confirm, delivery, invoice, listing, product},
    metrics::Surface,
};

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Checkout)
        .get("/checkout/p/{product}",       product::page)
        .post_form("/checkout/p/{product}", product::begin)
        .get("/checkout/c/{campaign}",      campaign::page)
        .post_form("/checkout/c/{campaign}", campaign::begin)
        .get("/checkout/l/{listing}",       listing::page)
        .post_form("/checkout/l/{listing}", listing::begin)
        .get("/checkout/{token}",           confirm::page)
        .post_form("/checkout/{token}",     confirm::confirm)
        .post_form("/checkout/{token}/cart", cart::change)
        .post_form("/checkout/{token}/add", cart::add)
        .get("/invoice/{token}",            invoice::page)
        .get("/invoice/{token}/status",     invoice::status)
        .post_form("/invoice/{token}/reveal", delivery::reveal_by_invoice)
        .get("/delivery/{token}",           delivery::page)
        .post_form("/delivery/{token}/reveal", delivery::reveal)
}
