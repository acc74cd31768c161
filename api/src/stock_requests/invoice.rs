//! `POST /dev/v1/resellers/{id}/stock-transfers/{transferId}/invoice`: the merchant says that a purchase may
//! be paid, and in what; from the prepaid balance it is paid with the answer.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    clock::Timestamp,
    ids::{RelationshipId, StockRequestId},
    money::Currency,
    payments::{Coin, Method},
    stock_requests::{Event, RequestedBy, Status, StockRequest},
};
use persistence::{
    owned,
    stock_requests::{Step, Steps, find, step},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    StockRequestView,
    bill::{Payable, billing, keep, payable},
    carry::carry,
};
use crate::{
    auth::{MerchantKey, scope::ResellerStockWrite},
    balances::owner::scope_of,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    payments::methods::coin,
    state::App,
    wire::answer::Answer,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvoiceStock {
    /// BALANCE, or one of the merchant's coins; else what was asked for, or the merchant's first.
    coin: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds(ids): PathIds<(RelationshipId, StockRequestId)>,
    once: Once<InvoiceStock>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| answer(app, caller, ids, wire);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellerStockWrite>,
    (relationship, id): (RelationshipId, StockRequestId),
    wire: InvoiceStock,
) -> Result<Response, ApiError> {
    let (merchant, currency) = (caller.merchant_id(), caller.currency());
    let coin = wire.coin.as_deref().map(coin).transpose()?;
    let scope = scope_of(&app, merchant, relationship).await?;
    let found = find(&app.database, scope, id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let wanted = coin.or_else(|| found.coin.clone());
    let by = caller.actor();
    let (request, again) = match payable(&app, merchant, wanted).await? {
        Payable::Balance => {
            let pay = Step::by(Event::PayBegun, by, "stock_request.pay");
            owned(pay_now(app.clone(), found, currency, pay)).await?
        }
        Payable::Elsewhere(method) => {
            let invoice = Step::by(Event::Invoiced, by, "stock_request.invoice");
            owned(open_bill(app.clone(), (found, currency), *method, invoice)).await?
        }
    };
    let view = StockRequestView::of(&request, currency, app.now());
    Ok(Answer::stepped(again, view).into_response())
}

/// One task for both: what is decided is also carried out.
async fn pay_now(
    app: App,
    found: StockRequest,
    currency: Currency,
    pay: Step,
) -> Result<(StockRequest, bool), ApiError> {
    let turn = app.turns.take(found.id).await;
    let of = (found.scope.merchant, Some(found.scope.relationship));
    let stepped = step(&app.database, of, found.id, pay, app.now()).await?;
    match stepped.ok_or_else(|| ApiError::new(Code::NotFound))? {
        Steps::To(request, _) => Ok((carry(&app, &turn, *request, currency).await?, false)),
        // A crash cut it off.
        Steps::Already(request) => Ok((carry(&app, &turn, *request, currency).await?, true)),
        Steps::Wrong(found) if found.entry.is_some() => Ok((*found, true)),
        Steps::Wrong(found) => Err(wrong(&found, app.now())),
        Steps::ReferenceTaken => Err(ApiError::new(Code::InternalError)),
    }
}

async fn open_bill(
    app: App,
    (found, currency): (StockRequest, Currency),
    method: Method,
    mut invoice: Step,
) -> Result<(StockRequest, bool), ApiError> {
    let _turn = app.turns.take(found.id).await;
    let coin = Some(method.coin.clone());
    let of = (found.scope.merchant, Some(found.scope.relationship));
    let fresh = find(&app.database, found.scope, found.id).await?;
    if fresh.is_some_and(|fresh| fresh.status_at(app.now()) == Status::Requested) {
        let units = (found.withdrawal(), found.sku, found.quantity);
        invoice.kept = Some(keep(&app, (of.0, currency), units, RequestedBy::Merchant).await?);
        let billed = (found.id, found.total);
        invoice.bill = Some(billing(&app, currency, billed, method).await?);
    }
    let stepped = step(&app.database, of, found.id, invoice, app.now()).await?;
    match stepped.ok_or_else(|| ApiError::new(Code::NotFound))? {
        Steps::To(request, _) => Ok((*request, false)),
        Steps::Already(request) if is_in(&request, coin.as_ref()) => Ok((*request, true)),
        Steps::Already(_) => {
            let said = "It is invoiced in another coin. Nothing was changed.";
            Err(ApiError::saying(Code::InvalidState, said))
        }
        Steps::Wrong(found) => Err(wrong(&found, app.now())),
        Steps::ReferenceTaken => Err(ApiError::new(Code::InternalError)),
    }
}

fn is_in(request: &StockRequest, coin: Option<&Coin>) -> bool {
    let own = request.bill.as_ref();
    own.map(|own| &own.coin) == coin
}

/// The status does not allow it.
pub(super) fn wrong(found: &StockRequest, now: Timestamp) -> ApiError {
    let error = ApiError::new(Code::InvalidState).detail("status", found.told(now));
    match found.invoice() {
        None => error,
        Some(_) => error.detail("invoice_status", found.bill_status(now).name()),
    }
}
