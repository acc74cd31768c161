//! Wholesale purchases over HTTP: asked for by the reseller or the merchant, paid, and what comes of them.
//!
//! Keeps: a purchase is decided in storage before it is carried out ([`carry`]); what is cut off in between is
//! carried out by a job. A serial is in the clear in an answer only where its hand-over was noted before.

pub(crate) mod cancel;
pub mod carry;
pub(crate) mod deliver;
pub(crate) mod inventory;
pub(crate) mod invoice;
pub(crate) mod list;
pub(crate) mod open;
pub(crate) mod shown;

pub(crate) use shown::{InventoryItemView, InventorySummary, StockRequestView};
