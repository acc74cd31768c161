//! Tracked links over HTTP: what follows from a click.
//!
//! Keeps: a click says by which link somebody came and changes nothing else; nothing that names a visitor
//! is stored or logged.

pub(crate) mod follow;
mod target;
mod visit;

/// Where a link with this code is followed.
pub(crate) fn link_url(origin: &str, code: &str) -> String {
    format!("{origin}/r/{code}")
}
