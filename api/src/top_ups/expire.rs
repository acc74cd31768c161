//! Top-ups that nobody paid in time, end.

use std::sync::Arc;

use engine::clock::Timestamp;
use persistence::top_ups;

use super::letters;
use crate::state::App;

const EXPIRED_AT_ONCE: u32 = 100;

/// Ends what is over at `now`, and says how many there were. A reseller whose automatic top-ups are paused
/// by it gets a mail.
pub async fn expire_due(app: &App, now: Timestamp) -> Result<u32, persistence::Error> {
    let (work, db, vault) = (app.clone(), &app.database, app.engine.vault());
    let paused = Arc::new(move |payer: &top_ups::Payer| letters::paused(&work, payer));
    let ended = top_ups::expire(db, vault, paused, EXPIRED_AT_ONCE, now).await?;
    if ended > 0 {
        app.mail_queued.notify_one();
    }
    Ok(ended)
}
