//! Receivers of the calls of resellers' shops, as their owners and merchants see them.

use super::menu::Menu;
use crate::{
    connections::{calls, change, create, list, revoke, rotate},
    metrics::Surface,
};

#[rustfmt::skip]
pub(super) fn dev() -> Menu {
    Menu::new(Surface::Dev)
        .get("/dev/v1/resellers/{id}/connections",                 list::dev)
        .post("/dev/v1/resellers/{id}/connections/{con}/revoke",   revoke::dev)
}

#[rustfmt::skip]
pub(super) fn portal() -> Menu {
    Menu::new(Surface::Portal)
        .get("/portal/v1/programs/{rel}/connections",             list::portal)
        .post("/portal/v1/programs/{rel}/connections",            create::portal)
        .get("/portal/v1/programs/{rel}/connections/{con}",       list::portal_one)
        .patch("/portal/v1/programs/{rel}/connections/{con}",     change::portal)
        .get("/portal/v1/programs/{rel}/connections/{con}/calls", calls::portal)
        .post("/portal/v1/programs/{rel}/connections/{con}/rotate-secret", rotate::portal)
        .post("/portal/v1/programs/{rel}/connections/{con}/revoke", revoke::portal)
}
