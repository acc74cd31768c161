//! What was decided about a purchase is carried out: the balance pays, and the serials are the reseller's.
//!
//! Keeps: the engine executes it under the request's own order id, so once however often it is tried; the
//! decision is taken back only after a refusal, which is told after a durable look-up. Any other no may
//! have an earlier yes behind it, and is tried again.

use chrono::TimeDelta;
use engine::{
    fulfillments::{Error, Refusal, Request},
    money::Currency,
    stock_requests::{Event, Status, StockRequest},
};
use persistence::stock_requests::{Serials, Step, Steps, allocated, find, step, take_waiting};

use crate::{
    error::{ApiError, Code},
    state::App,
};

/// One that waits longer than this to be carried out was cut off.
const CUT_OFF_AFTER: TimeDelta = TimeDelta::seconds(60);
const WAITING_AT_ONCE: i64 = 100;

/// Carries a decision out; how the request stands then, or why nothing was executed.
pub(super) async fn carry(
    app: &App,
    request: StockRequest,
    currency: Currency,
) -> Result<StockRequest, ApiError> {
    match request.status {
        Status::Paying => pay(app, request, currency).await,
        Status::Requested
        | Status::Invoiced
        | Status::Paid
        | Status::Allocating
        | Status::Allocated
        | Status::Delivered
        | Status::Cancelled
        | Status::Expired
        | Status::Revoked => Ok(request),
    }
}

/// One entry of the ledger: the debit and the claims together, or neither.
async fn pay(
    app: &App,
    request: StockRequest,
    currency: Currency,
) -> Result<StockRequest, ApiError> {
    // What was read may be old by now, and taken back meanwhile.
    let fresh = find(&app.database, request.scope, request.id).await?;
    let request = match fresh {
        Some(fresh) if fresh.status == Status::Paying => fresh,
        Some(fresh) => return Ok(fresh),
        None => return Err(ApiError::new(Code::NotFound)),
    };
    let asked = Request::purchase(request.purchase(), app.engine.vault());
    match app.engine.fulfill(asked).await {
        Ok(delivery) => {
            let bought = delivery.fulfillment();
            let given = Serials {
                serials: bought.contents.serials().map(|serial| serial.id).collect(),
                entry: Some(bought.stamp.id),
            };
            let stored = allocated(&app.database, &request, given, app.now()).await;
            stored.map_err(|error| ApiError::from(error).after_change())
        }
        Err(Error::Refused(refusal)) if is_final(&refusal) => {
            take_back(app, &request, Event::PayRefused).await?;
            Err(ApiError::from_engine(Error::Refused(refusal), currency))
        }
        Err(error) => Err(ApiError::from_engine(error, currency).after_change()),
    }
}

/// Whether it says that the order id is bound to nothing.
const fn is_final(refusal: &Refusal) -> bool {
    !matches!(
        refusal,
        Refusal::OrderInProgress | Refusal::OrderMismatch { .. }
    )
}

async fn take_back(app: &App, request: &StockRequest, event: Event) -> Result<(), ApiError> {
    let of = (request.scope.merchant, None);
    let stepped = step(&app.database, of, request.id, Step::of(event), app.now()).await;
    match stepped.map_err(|error| ApiError::from(error).after_change())? {
        Some(Steps::To(_) | Steps::Already(_)) => Ok(()),
        Some(Steps::Wrong(_)) | None => Err(ApiError::new(Code::OutcomeUnknown)),
    }
}

/// Carries out what was cut off, and says how many there were.
pub async fn carry_waiting(app: &App) -> Result<usize, persistence::Error> {
    let now = app.now();
    let waiting = take_waiting(&app.database, now - CUT_OFF_AFTER, WAITING_AT_ONCE, now).await?;
    let count = waiting.len();
    for request in waiting {
        let id = request.id;
        let Ok(Some(merchant)) = app.engine.merchant(request.scope.merchant).await else {
            continue;
        };
        if let Err(error) = carry(app, request, merchant.currency).await {
            let code = error.code().name();
            tracing::warn!(stock_request.id = %id, code, "a purchase was not carried out: {code}");
        }
    }
    Ok(count)
}
