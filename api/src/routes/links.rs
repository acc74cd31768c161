//! Tracked links, for whoever follows one.

use super::menu::Menu;
use crate::{links::follow, metrics::Surface};

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Links)
        .get("/r/{code}", follow::public)
}
