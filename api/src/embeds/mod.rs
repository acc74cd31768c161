//! Widgets in other people's pages: a loader, and the page that it frames.
//!
//! Keeps: what a browser says is believed of nothing but a token; reseller, products and prices are those
//! of the campaign's row. A widget sets no cookie and reads none, and runs no script.

pub(crate) mod frame;
mod loader;
pub(crate) mod offer;
pub(crate) mod show;
pub(crate) mod snippet;
mod widget;
