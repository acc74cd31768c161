//! Webhooks of both sides: the same lines under `/dev/v1` and `/portal/v1`.

use super::menu::Menu;
use crate::{
    metrics::Surface,
    webhooks::{change, create, delete, list, log, repeat, rotate, samples, trial},
};

#[rustfmt::skip]
pub(super) fn dev() -> Menu {
    Menu::new(Surface::Dev)
        .get("/dev/v1/webhooks",                      list::dev)
        .post("/dev/v1/webhooks",                     create::dev)
        .get("/dev/v1/webhooks/events",               samples::dev)
        .get("/dev/v1/webhooks/logs",                 log::dev)
        .post("/dev/v1/webhooks/logs/{dlv}/retry",    repeat::dev)
        .get("/dev/v1/webhooks/{whk}",                list::dev_one)
        .patch("/dev/v1/webhooks/{whk}",              change::dev)
        .delete("/dev/v1/webhooks/{whk}",             delete::dev)
        .post("/dev/v1/webhooks/{whk}/test",          trial::dev)
        .post("/dev/v1/webhooks/{whk}/rotate-secret", rotate::dev)
}

#[rustfmt::skip]
pub(super) fn portal() -> Menu {
    Menu::new(Surface::Portal)
        .get("/portal/v1/programs/{rel}/webhooks",                      list::portal)
        .post("/portal/v1/programs/{rel}/webhooks",                     create::portal)
        .get("/portal/v1/programs/{rel}/webhooks/events",               samples::portal)
        .get("/portal/v1/programs/{rel}/webhooks/logs",                 log::portal)
        .post("/portal/v1/programs/{rel}/webhooks/logs/{dlv}/retry",    repeat::portal)
        .get("/portal/v1/programs/{rel}/webhooks/{whk}",                list::portal_one)
        .patch("/portal/v1/programs/{rel}/webhooks/{whk}",              change::portal)
        .delete("/portal/v1/programs/{rel}/webhooks/{whk}",             delete::portal)
        .post("/portal/v1/programs/{rel}/webhooks/{whk}/test",          trial::portal)
        .post("/portal/v1/programs/{rel}/webhooks/{whk}/rotate-secret", rotate::portal)
}
