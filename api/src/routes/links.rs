//! Tracked links and embeds, for whoever follows or sees one.

use super::menu::Menu;
use crate::{embeds::show, links::follow, metrics::Surface};

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Links)
        .get("/r/{code}", follow::public)
        .get("/embed/{name}", show::public)
        .get("/embed/listing/{name}", show::public_listing)
}
