//! What runs beside the requests: upkeep of metrics and caches, and notes of when keys were used.

use std::time::Duration;

use persistence::api_keys;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    metrics::{Metrics, UPKEEP_EVERY},
    state::{App, KeyUse},
};

const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Keeps what was recorded from filling the memory.
pub(crate) async fn metrics_upkeep(metrics: Metrics) {
    loop {
        sleep(UPKEEP_EVERY).await;
        metrics.upkeep();
    }
}

/// Forgets keys that are not used any more.
pub(crate) async fn key_sweep(app: App) {
    loop {
        sleep(SWEEP_EVERY).await;
        app.keys.sweep(app.now());
    }
}

/// Stores when and from where keys were used. One that cannot be stored is stored a minute later.
pub(crate) async fn record_key_uses(app: App, mut uses: mpsc::Receiver<KeyUse>) {
    while let Some(KeyUse { key, from, at }) = uses.recv().await {
        if let Err(error) = api_keys::record_use(&app.database, key, from, at).await {
            tracing::warn!(key.id = %key, error = %error, "could not record the use of a key");
        }
    }
}
