//! Wholesale purchases over HTTP: asked for by the reseller or the merchant, paid, and what comes of them.
//!
//! Keeps: a purchase is decided in storage before it is carried out ([`carry`]), and so is what goes back for it
//! ([`give_back`]); what is cut off in between is carried out by a job. A serial is in the clear in an answer
//! only where its hand-over was noted before.

pub(crate) mod allocate;
mod bill;
pub(crate) mod cancel;
pub mod carry;
pub(crate) mod deliver;
pub(crate) mod export;
pub mod give_back;
pub(crate) mod inventory;
pub(crate) mod invoice;
mod invoiced;
pub(crate) mod list;
pub(crate) mod mark_paid;
pub(crate) mod open;
pub(crate) mod pay;
pub(crate) mod revoke;
pub(crate) mod shown;
mod turns;

use engine::{clock::Timestamp, stock_requests::StockRequest};

use crate::{error::ApiError, state::App};
pub(crate) use shown::{InventoryItemView, InventorySummary, StockRequestView};
pub(crate) use turns::{Turn, Turns};

const EXPIRED_AT_ONCE: u32 = 100;

/// Ends purchases that nobody paid until `now`, and says how many there were.
pub async fn expire_due(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let ended = persistence::stock_requests::expire(&app.database, EXPIRED_AT_ONCE, now).await?;
    for request in &ended {
        // It leaves room for others; those who do not hear of it yet are refused for longer.
        counted(app, request).await.ok();
        compared(app, request).await;
    }
    Ok(ended.len())
}

/// What is kept for it is free, or paid and in no share any more, as its row says. The engine finds it out by itself,
/// if later.
async fn compared(app: &App, request: &StockRequest) {
    let (merchant, id) = (request.scope.merchant, request.withdrawal());
    app.engine.compare(merchant, request.sku, id).await.ok();
}

/// Lets orders be judged by what this request counts now. It is in force once this returns.
async fn counted(app: &App, request: &StockRequest) -> Result<(), ApiError> {
    let scope = request.scope;
    app.take_over(scope.relationship, &[scope.balance]).await
}
