//! Invoices that nobody paid end, and visits that came to nothing are forgotten.

use engine::clock::Timestamp;
use persistence::checkout;

use crate::state::App;

const EXPIRED_AT_ONCE: u32 = 100;

/// Ends what is over at `now`, and says how many there were.
pub async fn expire_due(app: &App, now: Timestamp) -> Result<u32, persistence::Error> {
    checkout::expire(&app.database, EXPIRED_AT_ONCE, now).await
}

/// Forgets visits that ended without an invoice, and says how many.
pub async fn forget_visits(app: &App, now: Timestamp) -> Result<u64, persistence::Error> {
    checkout::sweep(&app.database, now).await
}
