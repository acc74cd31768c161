//! Money that is taken out of a balance because a payment was taken back: what there is of it, and the rest
//! from what comes later.
//!
//! Keeps: whoever repeats this, and however often, takes once: the ledger has one entry per reference. What
//! is owed suspends the relationship before anybody is told that it was taken.

use chrono::TimeDelta;
use engine::{
    balances::{Cover, Credit, EntryKind},
    clock::Timestamp,
    engine::Debited,
    money::Money,
    payments::Purpose,
};
use persistence::top_ups::{self, Cause, Taking};

use super::letters;
use crate::{
    error::{ApiError, Code},
    state::App,
};

/// One that waits longer than this for its entry was cut off.
const CUT_OFF_AFTER: TimeDelta = TimeDelta::seconds(60);
const WAITING_AT_ONCE: u32 = 100;

/// Takes what is stored to be taken, or what there is of it, and notes it.
pub(crate) async fn take(app: &App, taking: Taking) -> Result<(), ApiError> {
    let scope = taking.scope;
    let (description, of) = match taking.cause {
        Cause::Purchase(id) => (format!("Purchase {id}"), "STOCK_REQUEST"),
        Cause::Invoice(id, Purpose::StockRequest) => (format!("Purchase {id}"), "STOCK_REQUEST"),
        Cause::Invoice(id, Purpose::TopUp | Purpose::Checkout) => {
            (format!("Top-up {id}"), "TOP_UP")
        }
    };
    let settles = taking.kind == EntryKind::DebtSettlement;
    let label = if settles { "DEBT" } else { of };
    let debit = Credit {
        balance: scope.balance,
        kind: taking.kind,
        reference: taking.reference.clone(),
        amount: -taking.amount,
        description,
        label: label.to_owned(),
        by: None,
    };
    let entry = match app.engine.debit(scope, debit, Cover::Available).await? {
        Debited::Fresh(entry) | Debited::Replayed(entry) => entry,
        // Another call takes it; or somebody must look first. It is taken later.
        Debited::Running | Debited::Short { .. } => return Err(ApiError::new(Code::Overloaded)),
    };
    let taken = -entry.credit.amount;
    let post = match taking.cause {
        Cause::Invoice(id, _) if taken < taking.amount && !settles => {
            let of = (scope.merchant, scope.relationship);
            let payer = top_ups::payer(&app.database, of).await?;
            let merchant = app.engine.merchant(scope.merchant).await?;
            let merchant = merchant.ok_or_else(|| ApiError::new(Code::InternalError))?;
            let missing = taking.amount.checked_sub(taken).unwrap_or(Money::ZERO);
            let what = (merchant.currency, missing);
            payer.map(|payer| letters::owed(app, &payer, id, what))
        }
        Cause::Invoice(..) | Cause::Purchase(_) => None,
    };
    let noted = (taken, entry.stamp.id, post);
    let (db, vault) = (&app.database, app.engine.vault());
    let balances = top_ups::taken(db, vault, taking, noted, app.now()).await?;
    app.mail_queued.notify_one();
    // Also if it was noted before: the one who noted it may not have come this far.
    if balances.is_empty() {
        return Ok(());
    }
    app.take_over(scope.relationship, &balances).await
}

/// Takes what was cut off before `now`, and says how many there were.
pub async fn take_waiting(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let before = now - CUT_OFF_AFTER;
    let waiting = top_ups::takings_waiting(&app.database, before, WAITING_AT_ONCE).await?;
    let count = waiting.len();
    for taking in waiting {
        let relationship = taking.scope.relationship;
        if let Err(error) = take(app, taking).await {
            let code = error.code().name();
            tracing::warn!(relationship.id = %relationship, code, "a reversal waits on: {code}");
        }
    }
    Ok(count)
}
