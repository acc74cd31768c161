//! Tracked links over HTTP: made and changed by the reseller or the merchant, and what follows from a click.
//!
//! Keeps: a click says by which link somebody came and changes nothing else; nothing that names a visitor
//! is stored or logged.

pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod follow;
pub(crate) mod list;
mod refusal;
mod shown;
mod target;
pub(crate) mod visit;

pub(crate) use shown::TrackedLink;
pub(crate) use target::{Ground, PRODUCT, TOKEN, allowed};

/// Where a link with this code is followed.
pub(crate) fn link_url(origin: &str, code: &str) -> String {
    format!("{origin}/r/{code}")
}
