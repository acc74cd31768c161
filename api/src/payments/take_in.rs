//! What a provider says of an invoice is stored, and does what the invoice is for: it is credited, or what was
//! bought is delivered. What it says did not come after all is taken back.
//!
//! Keeps: what contradicts what was taken in before changes nothing, and holds nobody else up.

use engine::{
    audit::Actor,
    clock::Timestamp,
    payments::{Invoice, Purpose, Snapshot},
};
use persistence::top_ups::{self, NotSettled};

use super::reverse::reverse;
use crate::{
    checkout,
    error::{ApiError, Code},
    state::App,
    stock_requests,
    top_ups::complete::complete,
};

/// To be called in a task of its own: what is stored is carried out, whoever waits for it.
pub(super) async fn take_in(
    app: &App,
    invoice: &Invoice,
    snapshot: Snapshot,
    by: (Actor, Timestamp),
) -> Result<(), ApiError> {
    for payment in invoice.gone(&snapshot) {
        Box::pin(reverse(app, (invoice, payment), by.clone())).await?;
    }
    let taken = match invoice.purpose {
        Purpose::TopUp => topped_up(app, invoice, snapshot, by).await?,
        Purpose::Checkout => {
            let of = (invoice.merchant, invoice.id);
            Box::pin(checkout::pay::taken_in(app, of, snapshot, by)).await?
        }
        Purpose::StockRequest => {
            let of = (invoice.merchant, invoice.id);
            Box::pin(stock_requests::pay::taken_in(app, of, snapshot, by.0)).await?
        }
    };
    if !taken {
        // Nothing will ever come of it: whoever waits for it keeps all others waiting.
        tracing::error!(invoice.id = %invoice.id, "a payment contradicts what was taken in before");
    }
    Ok(())
}

/// False if it contradicts what was taken in before.
async fn topped_up(
    app: &App,
    invoice: &Invoice,
    snapshot: Snapshot,
    (actor, now): (Actor, Timestamp),
) -> Result<bool, ApiError> {
    let (merchant, id) = (invoice.merchant, invoice.id);
    let inconsistent = || ApiError::new(Code::InternalError);
    let relationship = invoice.relationship.ok_or_else(inconsistent)?;
    let of = ((merchant, relationship), id);
    let by = (actor, app.engine.random().clone());
    let settled = top_ups::settle(&app.database, of, snapshot, by, now).await?;
    match settled.ok_or_else(inconsistent)? {
        Err(NotSettled::Contradiction(_) | NotSettled::SourceTaken) => Ok(false),
        Ok(settled) => {
            for waiting in settled.waiting {
                // What cannot be credited now is credited by whoever completes payments.
                if let Err(error) = complete(app, waiting).await {
                    let code = error.code().name();
                    tracing::warn!(invoice.id = %id, code, "a payment waits on: {code}");
                }
            }
            Ok(true)
        }
    }
}
