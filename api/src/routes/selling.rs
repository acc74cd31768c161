//! What resellers sell with, on both sides: links, embed campaigns and listings; and the first page, which sums
//! up what came of it.

use super::menu::Menu;
use crate::{campaigns, links, listings, metrics::Surface, overview};

#[rustfmt::skip]
pub(super) fn dev() -> Menu {
    Menu::new(Surface::Dev)
        .get("/dev/v1/resellers/{id}/links",                   links::list::dev)
        .post("/dev/v1/resellers/{id}/links",                  links::create::dev)
        .patch("/dev/v1/resellers/{id}/links/{lnk}",           links::change::dev)
        .get("/dev/v1/resellers/{id}/embed-campaigns",         campaigns::list::dev)
        .post("/dev/v1/resellers/{id}/embed-campaigns",        campaigns::create::dev)
        .patch("/dev/v1/resellers/{id}/embed-campaigns/{cmp}", campaigns::change::dev)
        .get("/dev/v1/resellers/{id}/listings",                listings::list::dev)
        .post("/dev/v1/resellers/{id}/listings/{lst}/archive", listings::archive::dev)
}

#[rustfmt::skip]
pub(super) fn portal() -> Menu {
    Menu::new(Surface::Portal)
        .get("/portal/v1/overview",                                            overview::portal)
        .get("/portal/v1/programs/{rel}/links",                                links::list::portal)
        .post("/portal/v1/programs/{rel}/links",                               links::create::portal)
        .patch("/portal/v1/programs/{rel}/links/{lnk}",                        links::change::portal)
        .get("/portal/v1/programs/{rel}/embed-campaigns",                      campaigns::list::portal)
        .post("/portal/v1/programs/{rel}/embed-campaigns",                     campaigns::create::portal)
        .patch("/portal/v1/programs/{rel}/embed-campaigns/{cmp}",              campaigns::change::portal)
        .get("/portal/v1/programs/{rel}/embed-campaigns/{cmp}/snippet",        campaigns::snippet::portal)
        .post("/portal/v1/programs/{rel}/embed-campaigns/{cmp}/rotate-token",  campaigns::rotate::portal)
        .get("/portal/v1/programs/{rel}/listings",                             listings::list::portal)
        .post("/portal/v1/programs/{rel}/listings",                            listings::create::portal)
        .get("/portal/v1/programs/{rel}/listings/quote",                       listings::quote::portal)
        .patch("/portal/v1/programs/{rel}/listings/{lst}",                     listings::change::portal)
        .get("/portal/v1/programs/{rel}/listings/{lst}/snippet",               listings::snippet::portal)
}
