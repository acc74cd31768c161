//! What runs beside the requests: upkeep of metrics and caches, notes of when keys were used, sums of
//! purchases, what lanes tell the audit log, the end of invitations, of top-ups and of customers' invoices, the
//! end of holds on commissions, listings that are blocked, refunds and payments that were cut off, paid
//! invoices that wait for delivery, mails about what happened, and the sale of uploads that were stored when their
//! lane was busy.

use std::{sync::Arc, time::Duration};

use persistence::{
    api_keys::{self, KeyUse},
    audit,
    balances::purchases,
    invitations, links,
};
use tokio::{
    sync::{Mutex, mpsc},
    time::sleep,
};

use crate::{
    api_keys::expiry,
    checkout,
    fulfillments::refund,
    listings,
    metrics::{Metrics, UPKEEP_EVERY},
    notifications, replacements, sales,
    state::App,
    stock_requests,
    top_ups::{complete_waiting, expire_due, take_waiting},
};

const SWEEP_EVERY: Duration = Duration::from_mins(1);
const RESTOCK_EVERY: Duration = Duration::from_mins(1);
const REFUND_EVERY: Duration = Duration::from_mins(1);
const TOP_UP_EVERY: Duration = Duration::from_mins(1);
const SUM_UP_EVERY: Duration = Duration::from_mins(1);
const RELEASE_EVERY: Duration = Duration::from_mins(1);
const EXPIRE_EVERY: Duration = Duration::from_mins(1);
const EXPIRED_AT_ONCE: u32 = 100;
const ANNOUNCE_EVERY: Duration = Duration::from_mins(1);
const ANNOUNCED_AT_ONCE: u32 = 100;
/// How long uses of keys and deeds gather, so that many are stored at once.
const GATHER: Duration = Duration::from_secs(1);
const REVIEW_EVERY: Duration = Duration::from_secs(10);
const MAIL_EVERY: Duration = Duration::from_secs(5);
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

/// Ends invitations whose time is over.
pub(crate) async fn expire_invitations(app: App) {
    loop {
        match invitations::expire(&app.database, EXPIRED_AT_ONCE, app.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "ended invitations whose time is over"),
            Err(error) => tracing::warn!(error = %error, "could not end invitations"),
        }
        sleep(EXPIRE_EVERY).await;
    }
}

/// Tells owners of keys that end within a week.
pub(crate) async fn announce_key_expiry(app: App) {
    loop {
        match announce_some(&app).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "announced the end of keys"),
            Err(error) => tracing::warn!(error = %error, "could not announce the end of keys"),
        }
        sleep(ANNOUNCE_EVERY).await;
    }
}

async fn announce_some(app: &App) -> Result<usize, persistence::Error> {
    let (db, now) = (&app.database, app.now());
    let due = api_keys::expiring(db, ANNOUNCED_AT_ONCE, now).await?;
    let count = due.len();
    for key in due {
        let posts = expiry::posts(app, &key);
        if api_keys::tell_expiry(db, app.engine.vault(), key.key, posts, now).await? {
            app.mail_queued.notify_one();
        }
    }
    Ok(count)
}

/// Mails what happened to those who are to hear of it.
pub(crate) async fn mail_news(app: App) {
    loop {
        let wait = match notifications::mail_due(&app, app.now()).await {
            Ok(count) if notifications::is_full(count) => GATHER,
            Ok(_) => MAIL_EVERY,
            Err(error) => {
                tracing::warn!(%error, "could not mail what happened: {error}");
                MAIL_EVERY
            }
        };
        sleep(wait).await;
    }
}

/// Takes what lanes committed, and who did it, into the audit logs.
pub(crate) async fn tell_deeds(app: App) {
    loop {
        if let Err(error) = audit::tell(&app.database).await {
            tracing::error!(%error, "could not tell the audit log: {error}");
        }
        sleep(GATHER).await;
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

/// Completes refunds that a crash cut off between what they take and what they credit.
pub(crate) async fn complete_refunds(app: App) {
    loop {
        match refund::complete_waiting(&app, app.now()).await {
            Ok(0) => {}
            Ok(refunds) => tracing::info!(refunds, "found refunds that waited for their credit"),
            Err(error) => tracing::warn!(%error, "could not look for refunds that wait: {error}"),
        }
        sleep(REFUND_EVERY).await;
    }
}

/// Completes payments that a crash cut off between what is stored and what is credited.
pub(crate) async fn complete_top_ups(app: App) {
    loop {
        match complete_waiting(&app, app.now()).await {
            Ok(0) => {}
            Ok(payments) => tracing::info!(payments, "found payments that waited for credit"),
            Err(error) => tracing::warn!(%error, "could not look for payments that wait: {error}"),
        }
        sleep(TOP_UP_EVERY).await;
    }
}

/// Takes money for top-ups that were taken back, and for debts, where a crash cut it off.
pub(crate) async fn take_owed(app: App) {
    loop {
        match take_waiting(&app, app.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "found reversals of top-ups that were cut off"),
            Err(error) => tracing::warn!(%error, "could not look for reversals: {error}"),
        }
        sleep(TOP_UP_EVERY).await;
    }
}

/// Ends top-ups that nobody paid in time.
pub(crate) async fn expire_top_ups(app: App) {
    loop {
        match expire_due(&app, app.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "ended top-ups that nobody paid in time"),
            Err(error) => tracing::warn!(%error, "could not end top-ups: {error}"),
        }
        sleep(EXPIRE_EVERY).await;
    }
}

/// Ends invoices of customers that nobody paid in time, and forgets visits that came to nothing.
pub(crate) async fn expire_checkouts(app: App) {
    loop {
        match checkout::expire_due(&app, app.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "ended invoices that nobody paid in time"),
            Err(error) => tracing::warn!(%error, "could not end invoices: {error}"),
        }
        if let Err(error) = checkout::forget_visits(&app, app.now()).await {
            tracing::warn!(%error, "could not forget visits: {error}");
        }
        sleep(EXPIRE_EVERY).await;
    }
}

/// Delivers paid invoices that a crash cut off, or for which there was too little in stock.
pub(crate) async fn carry_invoices(app: App) {
    loop {
        match checkout::carry_waiting(&app, app.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "found paid invoices that waited for delivery"),
            Err(error) => tracing::warn!(%error, "could not look for paid invoices: {error}"),
        }
        sleep(REFUND_EVERY).await;
    }
}

/// Carries out replacements that a crash cut off after they were decided.
pub(crate) async fn carry_replacements(app: App) {
    loop {
        for found in [
            replacements::carry::carry_waiting(&app).await,
            checkout::carry_replacing(&app, app.now()).await,
        ] {
            match found {
                Ok(0) => {}
                Ok(count) => {
                    tracing::info!(count, "found replacements that waited to be carried out");
                }
                Err(error) => tracing::warn!(%error, "could not look for replacements: {error}"),
            }
        }
        sleep(REFUND_EVERY).await;
    }
}

/// Approves commissions whose hold is over, and forgets who followed links an hour ago.
pub(crate) async fn release_commissions(app: App) {
    loop {
        match sales::release_due(&app, app.now()).await {
            Ok(0) => {}
            Ok(count) => {
                tracing::info!(count, "approved commissions whose hold is over");
                continue;
            }
            Err(error) => tracing::warn!(%error, "could not approve commissions: {error}"),
        }
        if let Err(error) = links::sweep(&app.database, app.now()).await {
            tracing::warn!(%error, "could not forget visitors: {error}");
        }
        match links::complete(&app.database, app.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "made links of relationships that had none"),
            Err(error) => tracing::warn!(%error, "could not make links: {error}"),
        }
        sleep(RELEASE_EVERY).await;
    }
}

/// Carries out wholesale purchases that a crash cut off after they were decided.
pub(crate) async fn carry_stock_requests(app: App) {
    loop {
        match stock_requests::carry::carry_waiting(&app).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "found wholesale purchases that were cut off"),
            Err(error) => tracing::warn!(%error, "could not look for purchases: {error}"),
        }
        sleep(REFUND_EVERY).await;
    }
}

/// Blocks listings that may not be offered any more, and brings back those that may be again.
pub(crate) async fn review_listings(app: App) {
    loop {
        let wait = match listings::review::review(&app).await {
            Ok((count, changed)) => {
                if changed > 0 {
                    tracing::info!(changed, "blocked listings, or brought them back");
                }
                if listings::review::is_full(count) {
                    GATHER
                } else {
                    REVIEW_EVERY
                }
            }
            Err(error) => {
                tracing::warn!(%error, "could not review listings: {error}");
                REVIEW_EVERY
            }
        };
        sleep(wait).await;
    }
}

/// Ends wholesale purchases that nobody paid in time, and credits what goes back for others.
pub(crate) async fn settle_stock_requests(app: App) {
    loop {
        match stock_requests::expire_due(&app, app.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "ended purchases that nobody paid in time"),
            Err(error) => tracing::warn!(%error, "could not end purchases: {error}"),
        }
        match stock_requests::give_back::give_back_waiting(&app, app.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "found refunds of purchases that were cut off"),
            Err(error) => tracing::warn!(%error, "could not look for refunds: {error}"),
        }
        sleep(EXPIRE_EVERY).await;
    }
}

/// Gives serials out that are paid and were not there, once they are.
pub(crate) async fn allocate_stock_requests(app: App) {
    loop {
        match stock_requests::carry::allocate_waiting(&app).await {
            Ok(0) => {}
            // The next in line may be served, too.
            Ok(count) => {
                tracing::info!(count, "gave out serials that were paid before");
                continue;
            }
            Err(error) => tracing::warn!(%error, "could not give out what is paid: {error}"),
        }
        sleep(RESTOCK_EVERY).await;
    }
}

/// Stores when and from where keys were used. What cannot be stored is stored a minute later.
pub(crate) async fn record_key_uses(app: App, waiting: Arc<Mutex<mpsc::Receiver<KeyUse>>>) {
    let mut waiting = waiting.lock().await;
    let mut uses = Vec::new();
    while waiting.recv_many(&mut uses, USES_AT_ONCE).await > 0 {
        if let Err(error) = api_keys::record_uses(&app.database, &uses).await {
            tracing::warn!(%error, "could not record the use of keys: {error}");
        }
        uses.clear();
        sleep(GATHER).await;
    }
}
