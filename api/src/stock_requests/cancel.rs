//! `POST /portal/v1/programs/{rel}/stock-requests/{stk}/cancel` and the merchant's: a purchase is over. What was
//! paid for it goes to the balance.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::{RelationshipId, StockRequestId},
    money::Currency,
    relationships::RelationshipScope,
    stock_requests::{Event, NOTE_CHARS_MAX, RequestedBy, StockRequest},
};
use persistence::{
    owned,
    stock_requests::{Step, Steps, find, step},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    StockRequestView, compared, counted,
    give_back::{give_back, room_for},
    invoice::wrong,
};
use crate::{
    auth::{MerchantKey, Session, scope::ResellerStockWrite},
    balances::owner::{own_scope, scope_of},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, texts},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelStock {
    reason: Option<String>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, StockRequestId)>,
    once: Once<CancelStock>,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    let name = (scope.merchant, caller.person_id().uuid());
    let of = (scope, currency, id);
    let by = (RequestedBy::Reseller, caller.actor());
    let work = Box::pin(answer(app.clone(), of, by, once.body));
    once.request.execute(&app, name, work).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, StockRequestId)>,
    once: Once<CancelStock>,
) -> Result<Response, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
    let of = (scope, caller.currency(), id);
    let by = (RequestedBy::Merchant, caller.actor());
    let work = Box::pin(answer(app.clone(), of, by, once.body));
    once.request.execute(&app, caller.name(), work).await
}

async fn answer(
    app: App,
    (scope, currency, id): (RelationshipScope, Currency, StockRequestId),
    (side, actor): (RequestedBy, Actor),
    wire: CancelStock,
) -> Result<Response, ApiError> {
    let cancel = Step {
        reason: texts::lines(wire.reason, "reason", NOTE_CHARS_MAX)?,
        ..Step::by(Event::Cancelled(side), actor, "stock_request.cancel")
    };
    // One task for both: what goes back is credited, whether or not the caller waits.
    let done = owned(cancelled(app.clone(), scope, id, cancel)).await?;
    let (request, already) = done;
    let view = StockRequestView::of(&request, currency, app.now());
    Ok(Answer::stepped(already, view).into_response())
}

async fn cancelled(
    app: App,
    scope: RelationshipScope,
    id: StockRequestId,
    cancel: Step,
) -> Result<(StockRequest, bool), ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let _turn = app.turns.take(id).await;
    let found = find(&app.database, scope, id).await?;
    let found = found.ok_or_else(missing)?;
    if found.paid_at.is_some() {
        room_for(&app, scope, found.total).await?;
    }
    let of = (scope.merchant, Some(scope.relationship));
    let stepped = step(&app.database, of, id, cancel, app.now()).await?;
    match stepped.ok_or_else(missing)? {
        Steps::To(request, refund) => {
            if let Some(refund) = refund {
                let given = give_back(&app, refund).await;
                given.map_err(ApiError::after_change)?;
            }
            compared(&app, &request).await;
            counted(&app, &request).await?;
            Ok((*request, false))
        }
        Steps::Already(request) => Ok((*request, true)),
        Steps::Wrong(found) => Err(wrong(&found, app.now())),
        Steps::ReferenceTaken => Err(ApiError::new(Code::InternalError)),
    }
}
