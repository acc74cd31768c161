//! Asks the servers what arrived, for ever: at once where a notice says so, else now and then.
//!
//! Keeps: a server that does not answer costs one question a minute, and no other server's invoices wait for it.

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::StoreId,
    payments::{Invoice, Provider as _, Purpose, Status},
};
use futures_util::{TryStreamExt as _, stream};
use persistence::{
    owned,
    payments::{self, Due},
    top_ups,
};
use tokio::time::timeout;

use super::Btcpay;
use crate::{
    error::{ApiError, Code},
    payments::take_in,
    state::App,
};

/// Who the audit log says it was.
const JOB: &str = "question to a payment server";
const LOOK_EVERY: Duration = Duration::from_secs(15);
const AT_ONCE: u32 = 50;
/// Servers that are asked at the same time: one that is slow holds up its own invoices.
const SIDE_BY_SIDE: usize = 8;
/// How long until a server is asked again: of what waits for money, of what ended, and of what was not answered.
const OPEN_AGAIN: TimeDelta = TimeDelta::minutes(5);
const ENDED_AGAIN: TimeDelta = TimeDelta::hours(6);
const FAILED_AGAIN: TimeDelta = TimeDelta::minutes(1);
/// How long the payments of an invoice that ended are asked for.
const LATE_DAYS: i64 = 30;

/// See the module.
pub(crate) async fn ask_shops(app: App) {
    loop {
        if let Err(error) = ask_due(&app, app.now()).await {
            tracing::warn!(%error, "could not look for payments to ask for: {error}");
        }
        let _told_or_time = timeout(LOOK_EVERY, app.noticed.notified()).await;
    }
}

/// Asks for every invoice whose turn it is, and says how many there were.
pub async fn ask_due(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let mut count = 0;
    loop {
        let due = payments::due(&app.database, AT_ONCE, now).await?;
        if due.is_empty() {
            return Ok(count);
        }
        count += due.len();
        let mut by_store: BTreeMap<StoreId, Vec<Due>> = BTreeMap::new();
        for one in due {
            by_store.entry(one.store.id).or_default().push(one);
        }
        stream::iter(by_store.into_values().map(Ok))
            .try_for_each_concurrent(SIDE_BY_SIDE, |due| ask_store(app, due, now))
            .await?;
    }
}

/// Asks one server for its invoices; once it does not answer, the others wait with the one it did not.
async fn ask_store(app: &App, due: Vec<Due>, now: Timestamp) -> Result<(), persistence::Error> {
    let mut answers = true;
    for one in due {
        let next = if answers {
            // One task: what is stored is credited, whether or not the process is asked to end.
            let asked = owned(ask(app.clone(), one.clone(), now)).await;
            asked.unwrap_or_else(|error| {
                let code = error.code();
                let name = code.name();
                tracing::info!(invoice.id = %one.invoice, code = name, "a payment server is asked again: {name}");
                answers = code != Code::ProviderUnavailable;
                Some(now + FAILED_AGAIN)
            })
        } else {
            Some(now + FAILED_AGAIN)
        };
        payments::asked(&app.database, &one, next).await?;
    }
    Ok(())
}

/// Takes in what the server says of one invoice; gives when to ask next.
async fn ask(app: App, due: Due, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let (merchant, id) = (due.merchant, due.invoice);
    let found = top_ups::find_of(&app.database, merchant, id).await?;
    let invoice = found.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let terms = app.engine.merchant(merchant).await?;
    let terms = terms.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let provider = Btcpay {
        shops: app.shops.clone(),
        vault: app.engine.vault().clone(),
        store: due.store,
        currency: terms.currency,
        minutes: 0,
        instructions: None,
    };
    let next = next_question(&invoice, now);
    let snapshot = match provider.fetch(&invoice).await {
        Ok(snapshot) => snapshot,
        // It is too late to ask a server for ever that is gone.
        Err(_) if next.is_none() => return Ok(None),
        Err(unavailable) => return Err(unavailable.into()),
    };
    take_in(&app, &invoice, snapshot, (Actor::job(JOB), now)).await?;
    Ok(next)
}

/// When a server is asked for an invoice again; none if it is asked no more.
fn next_question(invoice: &Invoice, now: Timestamp) -> Option<Timestamp> {
    match invoice.status {
        Status::Open | Status::Confirming | Status::Underpaid => Some(now + OPEN_AGAIN),
        // A top-up is done with what came; the rest of it may be on its way.
        Status::Completed if is_short(invoice) && now < invoice.expires_at => {
            Some(now + OPEN_AGAIN)
        }
        Status::Paid
        | Status::Completed
        | Status::AwaitingStock
        | Status::Expired
        | Status::Cancelled
        | Status::PartiallyRefunded
        | Status::Refunded
        | Status::Disputed => {
            let late = invoice.expires_at + TimeDelta::days(LATE_DAYS);
            (now < late).then_some(now + ENDED_AGAIN)
        }
    }
}

fn is_short(invoice: &Invoice) -> bool {
    invoice.purpose == Purpose::TopUp && invoice.received() < Some(invoice.amount)
}
