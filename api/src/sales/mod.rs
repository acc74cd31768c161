//! Sales and commissions over HTTP: reported and refunded by the merchant, read by both sides.
//!
//! Keeps: an address of a customer is shown masked, and kept in no other form.

pub(crate) mod decide;
pub(crate) mod earnings;
pub(crate) mod list;
pub(crate) mod refund;
pub(crate) mod report;
pub(crate) mod shown;

use std::sync::Arc;

use engine::clock::Timestamp;
use persistence::sales::release::release;
pub(crate) use shown::{CommissionView, SaleView};

use crate::state::App;

/// Approves commissions whose hold is over at `now`, and says how many there were.
pub async fn release_due(app: &App, now: Timestamp) -> Result<u32, persistence::Error> {
    let random = Arc::clone(app.engine.random());
    release(&app.database, random, now).await
}
