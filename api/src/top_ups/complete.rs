//! From a stored payment to money that can be spent: credited under its own id, then noted, then told.
//!
//! Keeps: whoever repeats this, and however often, credits once: the ledger has one entry per payment.

use chrono::TimeDelta;
use engine::{
    balances::{Credit, EntryKind},
    clock::Timestamp,
    engine::Credited,
};
use persistence::top_ups::{self, Waiting};

use super::{letters, owed};
use crate::{
    error::{ApiError, Code},
    state::App,
};

/// A payment that waits longer than this for its entry was cut off.
const CUT_OFF_AFTER: TimeDelta = TimeDelta::seconds(60);
const WAITING_AT_ONCE: u32 = 100;

/// Credits a payment that is stored, and completes its invoice.
pub(crate) async fn complete(app: &App, waiting: Waiting) -> Result<(), ApiError> {
    let (scope, amount) = (waiting.scope, waiting.amount);
    let credit = Credit {
        balance: scope.balance,
        kind: EntryKind::TopUp,
        reference: waiting.payment.to_string(),
        amount,
        description: format!("Top-up {}", waiting.invoice),
        label: "TOP_UP".to_owned(),
        by: None,
    };
    let entry = match app.engine.credit(scope, credit).await? {
        Credited::Fresh(entry) | Credited::Replayed(entry) => entry.stamp.id,
    };
    let payer = top_ups::payer(&app.database, (scope.merchant, scope.relationship)).await?;
    let merchant = app.engine.merchant(scope.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let what = (merchant.currency, amount);
    let post = payer.map(|payer| letters::completed(app, &payer, waiting.invoice, what));
    let (db, vault) = (&app.database, app.engine.vault());
    let noted = top_ups::credited(db, vault, waiting, (entry, post), app.now()).await?;
    if noted.fresh {
        app.mail_queued.notify_one();
    }
    match noted.settles {
        Some(taking) => owed::take(app, taking).await,
        None => Ok(()),
    }
}

/// Completes payments that were cut off before `now`, and says how many there were.
pub async fn complete_waiting(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let before = now - CUT_OFF_AFTER;
    let (mut count, mut last) = (0, None);
    loop {
        let page = top_ups::waiting(&app.database, before, last.as_ref(), WAITING_AT_ONCE).await?;
        let Some(end) = page.last() else {
            return Ok(count);
        };
        last = Some(end.clone());
        count += page.len();
        for payment in page {
            let invoice = payment.invoice;
            if let Err(error) = complete(app, payment).await {
                let code = error.code().name();
                tracing::warn!(invoice.id = %invoice, code, "a payment waits on: {code}");
            }
        }
    }
}
