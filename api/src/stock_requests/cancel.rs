//! `POST /portal/v1/programs/{rel}/stock-requests/{stk}/cancel` and the merchant's: a purchase that nobody paid
//! is over.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::{RelationshipId, StockRequestId},
    money::Currency,
    relationships::RelationshipScope,
    stock_requests::{Event, NOTE_CHARS_MAX},
};
use persistence::stock_requests::{Step, Steps, step};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{StockRequestView, invoice::wrong};
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
    let work = Box::pin(answer(app.clone(), of, caller.actor(), once.body));
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
    let work = Box::pin(answer(app.clone(), of, caller.actor(), once.body));
    once.request.execute(&app, caller.name(), work).await
}

async fn answer(
    app: App,
    (scope, currency, id): (RelationshipScope, Currency, StockRequestId),
    actor: Actor,
    wire: CancelStock,
) -> Result<Response, ApiError> {
    let cancel = Step {
        reason: texts::lines(wire.reason, "reason", NOTE_CHARS_MAX)?,
        ..Step::by(Event::Cancelled, actor, "stock_request.cancel")
    };
    let (of, now) = ((scope.merchant, Some(scope.relationship)), app.now());
    let stepped = step(&app.database, of, id, cancel, now).await?;
    let view = |request| StockRequestView::of(request, currency, now);
    Ok(
        match stepped.ok_or_else(|| ApiError::new(Code::NotFound))? {
            Steps::To(request) => Answer::ok(view(&request)).into_response(),
            Steps::Already(request) => Answer::replayed(view(&request)).into_response(),
            Steps::Wrong(found) => return Err(wrong(&found)),
        },
    )
}
