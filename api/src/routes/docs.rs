//! Documents, for everybody.

use super::menu::Menu;
use crate::{
    docs::{errors, llms, openapi, reference},
    metrics::Surface,
};

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Docs)
        .get("/docs",         reference::page)
        .get("/docs/errors",  errors::page)
        .get("/openapi.json", openapi::get)
        .get("/llms.txt",     llms::get)
}
