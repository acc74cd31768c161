//! `POST /portal/v1/programs/{rel}/top-ups/{inv}/cancel` and the merchant's: nobody will pay it. Money
//! that comes all the same is credited.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::{InvoiceId, RelationshipId},
    money::Currency,
    payments::WrongStatus,
    relationships::RelationshipScope,
};
use persistence::top_ups;

use super::TopUpView;
use crate::{
    auth::{MerchantKey, Session, scope::BalanceWrite},
    balances::{credit::scope_of, owner::own_scope},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, InvoiceId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    let name = (scope.merchant, caller.person_id().uuid());
    let work = Box::pin(answer(app.clone(), (scope, id), currency, caller.actor()));
    once.request.execute(&app, name, work).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, InvoiceId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
    let currency = caller.currency();
    let work = Box::pin(answer(app.clone(), (scope, id), currency, caller.actor()));
    once.request.execute(&app, caller.name(), work).await
}

async fn answer(
    app: App,
    (scope, id): (RelationshipScope, InvoiceId),
    currency: Currency,
    actor: Actor,
) -> Result<Response, ApiError> {
    let (of, now) = ((scope.merchant, scope.relationship), app.now());
    let cancelled = top_ups::cancel(&app.database, (of, id), actor, now).await?;
    let cancelled = cancelled.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let (invoice, already) = cancelled.map_err(|WrongStatus(status)| {
        let said = "Only an open top-up can be cancelled.";
        ApiError::saying(Code::InvalidState, said).detail("status", status.name())
    })?;
    let view = TopUpView::of(&invoice, currency, now);
    Ok(if already {
        Answer::replayed(view).into_response()
    } else {
        Answer::ok(view).into_response()
    })
}
