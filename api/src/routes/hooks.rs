//! What others tell of their own accord, and what their shops ask for.

use axum::routing::MethodFilter;

use super::menu::Menu;
use crate::{connections::receive, metrics::Surface, payments::notice};

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Hooks)
        .post("/hooks/btcpay/{mer}", notice)
        .executes(MethodFilter::POST, "/hooks/dynamic/{con}", receive::BODY_BYTES_MAX, receive::hook)
}
