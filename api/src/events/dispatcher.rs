//! The loop that numbers what happened, behind the sales.
//!
//! Keeps: it takes little at a time and rests ten times as long as it works, so that an order that meets its
//! work on the core does not wait long. The further it is behind, the more it takes: a span costs the same
//! for one entry and for hundreds. What it is behind is a metric, and nothing is lost by being late.

use std::time::Duration;

use chrono::TimeDelta;
use engine::clock::{self, Timestamp};
use persistence::events::{
    dispatch::{self, Lag, Told},
    sweep,
};
use tokio::time::sleep;

use crate::{metrics, state::App};

/// How often it looks when nothing waits.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long what happens gathers.
const GATHER_MIN: Duration = Duration::from_millis(120);
const GATHER_MAX: Duration = Duration::from_secs(1);
/// How many times as long as it works it rests.
const RESTS: u32 = 10;
/// Batches of each lane in one step at least: about two milliseconds of work.
const BATCHES_MIN: u64 = 64;
/// How often it tries when storage does not answer, or another process owns the shard.
const TRY_EVERY: Duration = Duration::from_secs(1);
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// Numbers what was committed, for ever.
pub(crate) async fn dispatch(app: App) {
    loop {
        let began = clock::instant();
        let wait = match advance(&app).await {
            Ok(Advanced::Nothing) => LOOK_EVERY,
            Ok(Advanced::Told) => rest(clock::instant() - began),
            Ok(Advanced::NotOurs) => TRY_EVERY,
            Err(error) => {
                tracing::warn!(%error, "could not tell events: {error}");
                TRY_EVERY
            }
        };
        sleep(wait).await;
    }
}

fn rest(worked: Duration) -> Duration {
    (worked * RESTS).clamp(GATHER_MIN, GATHER_MAX)
}

/// Half of what waits, once that is more than a little.
fn portion(waiting: u64) -> u64 {
    (waiting / 2).max(BATCHES_MIN)
}

enum Advanced {
    Nothing,
    Told,
    /// Another process owns the shard, or none does.
    NotOurs,
}

async fn advance(app: &App) -> Result<Advanced, persistence::Error> {
    let now = app.now();
    if !dispatch::has_news(&app.database) {
        let lag = dispatch::lag(&app.database).await?;
        note(lag, now);
        if lag.is_none() {
            return Ok(Advanced::Nothing);
        }
    }
    let told = dispatch::step(&app.database, app.engine.owner(), portion, now).await?;
    let Some(Told { feeds, sent, found }) = told else {
        return Ok(Advanced::NotOurs);
    };
    note(found, now);
    let live = || feeds.iter().filter(|feed| !feed.test);
    app.changed.add(live().filter_map(|feed| feed.relationship));
    let merchants = live().filter(|feed| feed.relationship.is_none());
    app.shelves.add(merchants.map(|feed| feed.merchant));
    app.waiters.tell(&feeds);
    app.news.add(&sent);
    Ok(Advanced::Told)
}

fn note(lag: Lag, now: Timestamp) {
    let age = lag.oldest_fact.map_or(TimeDelta::zero(), |fact| now - fact);
    metrics::feed_lag(lag.batches, age.to_std().unwrap_or_default());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_there_is_to_tell_the_longer_it_gathers() {
        let rest = |millis| rest(Duration::from_millis(millis)).as_millis();
        assert_eq!(
            [1, 3, 10, 30, 100, 5000].map(rest),
            [120, 120, 120, 300, 1000, 1000]
        );
    }

    #[test]
    fn the_more_waits_the_more_is_told_at_once() {
        assert_eq!([0, 1, 128, 200, 5000].map(portion), [64, 64, 64, 100, 2500]);
    }
}
