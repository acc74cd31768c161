//! What goes back to a balance for a purchase: stored by the step that says so, then credited here.
//!
//! Keeps: whoever repeats this, and however often, credits once: the ledger has one entry per refund. Of a debt it settles
//! what it can, as a top-up does.

use chrono::TimeDelta;
use engine::{
    balances::{Credit, EntryKind},
    clock::Timestamp,
    money::Money,
    relationships::RelationshipScope,
    stock_requests::StockRefund,
};
use persistence::stock_requests::{refund_credited, refunds_waiting};

use crate::{
    error::{ApiError, Code},
    state::App,
    top_ups::owed,
};

/// One that waits longer than this for its entry was cut off.
const CUT_OFF_AFTER: TimeDelta = TimeDelta::seconds(60);
const WAITING_AT_ONCE: u32 = 100;

/// Credits a refund that is stored.
pub(crate) async fn give_back(app: &App, refund: StockRefund) -> Result<(), ApiError> {
    let credit = Credit {
        balance: refund.scope.balance,
        kind: EntryKind::StockRefund,
        reference: refund.id.to_string(),
        amount: refund.amount,
        description: format!("Stock request {}", refund.request),
        label: "STOCK_REFUND".to_owned(),
        by: None,
    };
    app.engine.credit(refund.scope, credit).await?;
    match refund_credited(&app.database, refund, app.now()).await? {
        Some(taking) => owed::take(app, taking).await,
        None => Ok(()),
    }
}

/// Money that no balance could hold would wait for its credit for ever.
pub(crate) async fn room_for(
    app: &App,
    scope: RelationshipScope,
    amount: Money,
) -> Result<(), ApiError> {
    let posted = app.engine.balance(scope).await?.posted;
    let fits = posted.checked_add(amount).is_some();
    let said = "The balance cannot hold what would go back to it. Nothing was changed.";
    fits.then_some(())
        .ok_or_else(|| ApiError::saying(Code::InvalidState, said))
}

/// Credits refunds that were cut off before `now`, and says how many there were.
pub async fn give_back_waiting(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let before = now - CUT_OFF_AFTER;
    let (mut count, mut last) = (0, None);
    loop {
        let page = refunds_waiting(&app.database, before, last, WAITING_AT_ONCE).await?;
        let Some(end) = page.last() else {
            return Ok(count);
        };
        last = Some(end.id);
        count += page.len();
        for refund in page {
            let request = refund.request;
            if let Err(error) = give_back(app, refund).await {
                let code = error.code().name();
                tracing::warn!(stock_request.id = %request, code, "a refund waits on: {code}");
            }
        }
    }
}
