//! `/dev/v1`: a merchant, by its key.

use super::menu::Menu;
use crate::metrics::Surface;

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Dev)
}
