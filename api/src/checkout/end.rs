//! Invoices that nobody paid end, and visits that came to nothing are forgotten.

use engine::clock::Timestamp;
use persistence::checkout::{self, Freed};

use crate::state::App;

const EXPIRED_AT_ONCE: u32 = 100;

/// Ends what is over at `now`, and says how many there were.
pub async fn expire_due(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let ended = checkout::expire(&app.database, EXPIRED_AT_ONCE, now).await?;
    let count = ended.len();
    release(app, ended.concat()).await;
    Ok(count)
}

/// What was reserved for an invoice that ended is sold again. If it cannot be said now, the engine finds out
/// by itself.
pub(crate) async fn release(app: &App, freed: Vec<Freed>) {
    for Freed { merchant, sku, id } in freed {
        if let Err(fault) = app.engine.compare(merchant, sku, id).await {
            tracing::debug!("what was reserved is free a little later: {fault}");
        }
    }
}

/// Forgets visits that ended without an invoice, and says how many.
pub async fn forget_visits(app: &App, now: Timestamp) -> Result<u64, persistence::Error> {
    checkout::sweep(&app.database, now).await
}
