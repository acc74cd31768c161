//! Documents, for everybody.

use super::menu::Menu;
use crate::{docs::errors, metrics::Surface};

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Docs)
        .get("/docs/errors", errors::page)
}
