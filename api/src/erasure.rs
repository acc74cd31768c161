//! The job that erases addresses of customers when their time is over.
//!
//! Keeps: it works in small steps and rests far longer than it works, because orders must not meet it; what it does
//! can be done again, and what was cut off goes on.

use std::time::Duration;

use chrono::TimeDelta;
use engine::{checkout::OVER, clock, clock::Timestamp};
use persistence::erasure;
use serde::Deserialize;
use tokio::time::sleep;

use crate::{fulfillments::customers::digested, state::App};

/// How often it looks when nothing waits.
const LOOK_EVERY: Duration = Duration::from_mins(10);
/// How many times as long as it works it rests.
const RESTS: u32 = 30;
const REST_MIN: Duration = Duration::from_millis(100);

/// How long customers are known.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub email_days: u16,
}

/// Erases what is old enough, for ever.
pub(crate) async fn erase_old(app: App, settings: Settings) {
    loop {
        let began = clock::instant();
        let before = app.now() - TimeDelta::days(i64::from(settings.email_days));
        let wait = match step(&app, before).await {
            Ok(0) => LOOK_EVERY,
            Ok(_) => ((clock::instant() - began) * RESTS).clamp(REST_MIN, LOOK_EVERY),
            Err(error) => {
                tracing::warn!(%error, "could not erase customers: {error}");
                LOOK_EVERY
            }
        };
        sleep(wait).await;
    }
}

/// Erases some of what was last touched before a time, and says of how much it disposed; 0 if there is no more.
pub async fn step(app: &App, before: Timestamp) -> Result<u64, persistence::Error> {
    let mut erased = erasure::erase(&app.database, &OVER, before).await?;
    for lane in erasure::old(&app.database, before).await? {
        let digested = match digested(app, &lane.orders).await {
            Ok(digested) => digested,
            Err(error) => {
                let code = error.code().name();
                tracing::warn!(code, "could not erase customers of orders: {code}");
                continue;
            }
        };
        let done = erasure::erase_orders(&app.database, lane, digested).await?;
        erased += u64::from(done);
    }
    Ok(erased)
}
