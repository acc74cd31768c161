//! What others tell of their own accord.

use super::menu::Menu;
use crate::{metrics::Surface, payments::notice};

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Hooks)
        .post("/hooks/btcpay/{mer}", notice)
}
