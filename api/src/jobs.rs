//! What runs beside the requests: upkeep of metrics and caches, notes of when keys were used, sums of
//! purchases, and the sale of uploads that were stored when their lane was busy.

use std::time::Duration;

use persistence::{
    api_keys::{self, KeyUse},
    balances::purchases,
};
use tokio::{sync::mpsc, time::sleep};

use crate::{
    metrics::{Metrics, UPKEEP_EVERY},
    state::App,
};

const SWEEP_EVERY: Duration = Duration::from_mins(1);
const RESTOCK_EVERY: Duration = Duration::from_mins(1);
const SUM_UP_EVERY: Duration = Duration::from_mins(1);
/// How long uses of keys gather, so that many are stored at once.
const GATHER: Duration = Duration::from_secs(1);
const USES_AT_ONCE: usize = 1024;

/// Keeps what was recorded from filling the memory.
pub(crate) async fn metrics_upkeep(metrics: Metrics) {
    loop {
        sleep(UPKEEP_EVERY).await;
        metrics.upkeep();
    }
}

/// Forgets keys that are not used any more, and buckets of sessions that are full.
pub(crate) async fn key_sweep(app: App) {
    loop {
        sleep(SWEEP_EVERY).await;
        app.keys.sweep(app.now());
        app.sessions.sweep(app.now());
    }
}

/// Sums up what was bought, so that balances that buy much are loaded as fast as others.
pub(crate) async fn sum_up_purchases(app: App) {
    loop {
        let summed = purchases::sum_up(&app.database, purchases::TAIL_ENTRIES_MAX, app.now()).await;
        match summed {
            Ok(0) => {}
            Ok(entries) => tracing::debug!(entries, "summed up purchases"),
            Err(error) => tracing::warn!(error = %error, "could not sum up purchases"),
        }
        sleep(SUM_UP_EVERY).await;
    }
}

/// Puts uploads on sale that were stored but left off it.
pub(crate) async fn restock_waiting(app: App) {
    loop {
        sleep(RESTOCK_EVERY).await;
        match app.engine.restock_waiting().await {
            Ok(0) => {}
            Ok(imports) => tracing::info!(imports, "found imports that waited for sale"),
            Err(fault) => tracing::warn!("could not look for imports that wait for sale: {fault}"),
        }
    }
}

/// Stores when and from where keys were used. What cannot be stored is stored a minute later.
pub(crate) async fn record_key_uses(app: App, mut waiting: mpsc::Receiver<KeyUse>) {
    let mut uses = Vec::new();
    while waiting.recv_many(&mut uses, USES_AT_ONCE).await > 0 {
        if let Err(error) = api_keys::record_uses(&app.database, &uses).await {
            tracing::warn!(%error, "could not record the use of keys: {error}");
        }
        uses.clear();
        sleep(GATHER).await;
    }
}
