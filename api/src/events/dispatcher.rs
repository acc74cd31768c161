//! The loop that numbers what happened, behind the sales.
//!
//! Keeps: it rests at least as long as it works, so that it never takes more than half of one
//! connection from the lanes; what it is behind is a metric, and nothing is lost by being late.

use std::time::Duration;

use chrono::TimeDelta;
use engine::clock;
use persistence::events::{dispatch, sweep};
use tokio::time::sleep;

use crate::{metrics, state::App};

/// How often it looks when nothing waits, and how long what happens gathers while something does.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often it tries when storage does not answer, or another process owns the shard.
const TRY_EVERY: Duration = Duration::from_secs(1);
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// Numbers what was committed, for ever.
pub(crate) async fn dispatch(app: App) {
    loop {
        let began = clock::instant();
        let wait = match advance(&app).await {
            Ok(Advanced::Nothing) => LOOK_EVERY,
            Ok(Advanced::Told) => LOOK_EVERY.max(clock::instant() - began),
            Ok(Advanced::NotOurs) => TRY_EVERY,
            Err(error) => {
                tracing::warn!(%error, "could not tell events: {error}");
                TRY_EVERY
            }
        };
        sleep(wait).await;
    }
}

enum Advanced {
    Nothing,
    Told,
    /// Another process owns the shard, or none does.
    NotOurs,
}

async fn advance(app: &App) -> Result<Advanced, persistence::Error> {
    let lag = dispatch::lag(&app.database).await?;
    let now = app.now();
    let age = lag.oldest_fact.map_or(TimeDelta::zero(), |fact| now - fact);
    metrics::feed_lag(lag.batches, age.to_std().unwrap_or_default());
    if lag.is_none() {
        return Ok(Advanced::Nothing);
    }
    let Some(feeds) = dispatch::step(&app.database, app.engine.owner(), now).await? else {
        return Ok(Advanced::NotOurs);
    };
    app.waiters.tell(&feeds);
    Ok(Advanced::Told)
}

/// Takes events away that are over.
pub(crate) async fn sweep_old(app: App) {
    loop {
        match sweep::sweep(&app.database, app.now()).await {
            Ok(0) => sleep(SWEEP_EVERY).await,
            Ok(spans) => tracing::debug!(spans, "took old events away"),
            Err(error) => {
                tracing::warn!(%error, "could not take old events away: {error}");
                sleep(SWEEP_EVERY).await;
            }
        }
        // Between two bounded statements others have their turn.
        sleep(LOOK_EVERY).await;
    }
}
