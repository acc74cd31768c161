//! What resellers sell with, on both sides: links.

use super::menu::Menu;
use crate::{
    links::{change, create, list},
    metrics::Surface,
};

#[rustfmt::skip]
pub(super) fn dev() -> Menu {
    Menu::new(Surface::Dev)
        .get("/dev/v1/resellers/{id}/links",         list::dev)
        .post("/dev/v1/resellers/{id}/links",        create::dev)
        .patch("/dev/v1/resellers/{id}/links/{lnk}", change::dev)
}

#[rustfmt::skip]
pub(super) fn portal() -> Menu {
    Menu::new(Surface::Portal)
        .get("/portal/v1/programs/{rel}/links",         list::portal)
        .post("/portal/v1/programs/{rel}/links",        create::portal)
        .patch("/portal/v1/programs/{rel}/links/{lnk}", change::portal)
}
