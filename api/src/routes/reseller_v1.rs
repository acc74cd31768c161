//! `/reseller/v1`: a reseller's own shop, by its key.

use super::menu::Menu;
use crate::metrics::Surface;

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Reseller)
}
