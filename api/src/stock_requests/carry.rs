//! What was decided about a purchase is carried out: the balance pays, or serials leave their shelf for it.
//!
//! Keeps: the engine executes it under the request's own id, so once however often it is tried; a decision
//! is taken back only after a refusal, which is told after a durable look-up. Any other no may have an
//! earlier yes behind it, and is tried again. What is paid and was refused its serials waits on its shelf: what
//! comes is kept for it, and the oldest of those that wait go first.

use chrono::TimeDelta;
use engine::{
    fulfillments::{Error, Refusal, Request},
    inventory::{Pulled, Purpose, Reservation, ReserveCall, WithdrawalCall},
    money::Currency,
    stock_requests::{Event, Status, StockRequest},
};
use persistence::stock_requests::{
    Serials, Step, Steps, allocated, find, paid_waiting, step, take_waiting,
};

use super::{counted, turns::Turn};
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
    _turn: &Turn<'_>,
    request: StockRequest,
    currency: Currency,
) -> Result<StockRequest, ApiError> {
    // What was read may be old by now, and taken back meanwhile.
    let fresh = find(&app.database, request.scope, request.id).await?;
    let request = fresh.ok_or_else(|| ApiError::new(Code::NotFound))?;
    match request.status {
        Status::Paying => pay(app, request, currency).await,
        Status::Allocating => allocate(app, request).await,
        Status::Requested
        | Status::Invoiced
        | Status::Paid
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
    // What it counted as long as it waited is not counted twice.
    counted(app, &request).await?;
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
            let error = ApiError::from_engine(Error::Refused(refusal), currency);
            let refused = Step {
                reason: request.at_once.then(|| error.code().name().to_owned()),
                ..Step::of(Event::PayRefused)
            };
            take_back(app, &request, refused).await?;
            counted(app, &request).await?;
            Err(error)
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

/// Serials leave the shelf, all or none.
async fn allocate(app: &App, request: StockRequest) -> Result<StockRequest, ApiError> {
    let merchant = request.scope.merchant;
    let call = WithdrawalCall {
        id: request.withdrawal(),
        merchant,
        sku: request.sku,
        by: None,
    };
    let pulled = app.engine.pull(call, Purpose::Stock, request.quantity);
    match pulled
        .await
        .map_err(|fault| ApiError::from(fault).after_change())?
    {
        Pulled::Serials(serials) => {
            app.shelves.add([merchant]);
            let given = Serials {
                serials,
                entry: None,
            };
            let stored = allocated(&app.database, &request, given, app.now()).await;
            stored.map_err(|error| ApiError::from(error).after_change())
        }
        Pulled::OutOfStock => {
            let refused = Step {
                kept: Some(wait(app, &request).await?),
                ..Step::of(Event::AllocationRefused)
            };
            take_back(app, &request, refused).await?;
            Err(ApiError::new(Code::OutOfStock))
        }
    }
}

/// Whatever comes is kept for it, before others are sold any. If it had units of its own, it keeps its place.
async fn wait(app: &App, request: &StockRequest) -> Result<Reservation, ApiError> {
    let call = ReserveCall {
        id: request.withdrawal(),
        merchant: request.scope.merchant,
        sku: request.sku,
        quantity: request.quantity,
    };
    let waits = app.engine.wait_for_stock(call).await;
    waits.map_err(|fault| ApiError::from(fault).after_change())
}

async fn take_back(app: &App, request: &StockRequest, back: Step) -> Result<(), ApiError> {
    let of = (request.scope.merchant, None);
    let stepped = step(&app.database, of, request.id, back, app.now()).await;
    match stepped.map_err(|error| ApiError::from(error).after_change())? {
        Some(Steps::To(..) | Steps::Already(_)) => Ok(()),
        Some(Steps::Wrong(_) | Steps::ReferenceTaken) | None => {
            Err(ApiError::new(Code::OutcomeUnknown))
        }
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
        let turn = app.turns.take(id).await;
        if let Err(error) = carry(app, &turn, request, merchant.currency).await {
            let code = error.code().name();
            tracing::warn!(stock_request.id = %id, code, "a purchase was not carried out: {code}");
        }
    }
    Ok(count)
}

/// Allocates what is paid and waits for serials, where there are enough by now; says how many got theirs.
pub async fn allocate_waiting(app: &App) -> Result<usize, persistence::Error> {
    let (mut count, mut last) = (0, None);
    loop {
        let page = paid_waiting(&app.database, last, WAITING_AT_ONCE).await?;
        let Some(end) = page.last() else {
            return Ok(count);
        };
        last = Some(end.id);
        for request in page {
            let id = request.id;
            match allocate_one(app, request).await {
                Ok(given) => count += usize::from(given),
                Err(error) => {
                    let code = error.code().name();
                    tracing::warn!(stock_request.id = %id, code, "serials were not given out: {code}");
                }
            }
        }
    }
}

async fn allocate_one(app: &App, request: StockRequest) -> Result<bool, ApiError> {
    // Whose they are, the shelf says; this saves two steps where nobody's are enough.
    let of = (request.scope.merchant, request.sku);
    let stock = app.engine.stock(of.0, of.1).await?;
    if stock.stock < u64::from(request.quantity) {
        return Ok(false);
    }
    let merchant = app.engine.merchant(request.scope.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let turn = app.turns.take(request.id).await;
    let allocated = allocate_paid(app, &turn, request, merchant.currency).await;
    Ok(allocated?.status == Status::Allocated)
}

/// Gives out what is paid, if the shelf has enough of it; how the request stands then.
pub(super) async fn allocate_paid(
    app: &App,
    turn: &Turn<'_>,
    request: StockRequest,
    currency: Currency,
) -> Result<StockRequest, ApiError> {
    let of = (request.scope.merchant, None);
    let begin = Step::of(Event::AllocationBegun);
    let begun = match step(&app.database, of, request.id, begin, app.now()).await? {
        Some(Steps::To(begun, _)) => *begun,
        Some(Steps::Already(found) | Steps::Wrong(found)) => return Ok(*found),
        Some(Steps::ReferenceTaken) | None => return Err(ApiError::new(Code::NotFound)),
    };
    match carry(app, turn, begun, currency).await {
        // It waits for the next import.
        Err(error) if error.code() == Code::OutOfStock => {
            let found = find(&app.database, request.scope, request.id).await?;
            found.ok_or_else(|| ApiError::new(Code::NotFound))
        }
        carried => carried,
    }
}
