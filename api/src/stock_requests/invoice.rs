//! `POST /dev/v1/resellers/{id}/stock-transfers/{transferId}/invoice`: the merchant says that a purchase may
//! be paid; from the prepaid balance it is paid with the answer.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{RelationshipId, StockRequestId},
    stock_requests::{BALANCE, Event, StockRequest},
};
use persistence::{
    owned,
    stock_requests::{Step, Steps, step},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{StockRequestView, carry::carry};
use crate::{
    auth::{MerchantKey, scope::ResellerStockWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::answer::Answer,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvoiceStock {
    /// BALANCE, which is also meant if it is left out.
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
    let known = |coin: &str| coin.eq_ignore_ascii_case(BALANCE);
    if !wire.coin.as_deref().is_none_or(known) {
        return Err(ApiError::field("coin", "must be BALANCE"));
    }
    let currency = caller.currency();
    let of = (caller.merchant_id(), Some(relationship));
    let pay = Step::by(Event::PayBegun, caller.actor(), "stock_request.pay");
    let work = app.clone();
    // One task for both: what is decided is also carried out.
    let done = owned(async move {
        let stepped = step(&work.database, of, id, pay, work.now()).await?;
        match stepped.ok_or_else(|| ApiError::new(Code::NotFound))? {
            Steps::To(request) => Ok((carry(&work, *request, currency).await?, false)),
            // Somebody is at it: who comes second hears what becomes of it.
            Steps::Already(request) => Ok((carry(&work, *request, currency).await?, true)),
            Steps::Wrong(found) if found.entry.is_some() => Ok((*found, true)),
            Steps::Wrong(found) => Err(wrong(&found)),
        }
    });
    let (request, again) = done.await?;
    let view = StockRequestView::of(&request, currency, app.now());
    Ok(if again {
        Answer::replayed(view).into_response()
    } else {
        Answer::ok(view).into_response()
    })
}

/// The status does not allow it.
pub(super) fn wrong(found: &StockRequest) -> ApiError {
    ApiError::new(Code::InvalidState).detail("status", found.status.told())
}
