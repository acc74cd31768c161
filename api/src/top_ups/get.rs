//! `GET .../top-ups/{inv}`: one top-up, by a shop's key and for the person.

use axum::extract::State;
use engine::{
    ids::{InvoiceId, RelationshipId},
    money::Currency,
    relationships::RelationshipScope,
};
use persistence::top_ups;

use super::TopUpView;
use crate::{
    auth::{ResellerKey, Session, scope::BalanceRead},
    balances::owner::own_scope,
    error::{ApiError, Code},
    extract::PathIds,
    state::App,
    wire::answer::Answer,
};

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<BalanceRead>,
    PathIds(id): PathIds<InvoiceId>,
) -> Result<Answer<TopUpView>, ApiError> {
    shown(&app, caller.scope(), caller.currency(), id).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, InvoiceId)>,
) -> Result<Answer<TopUpView>, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    shown(&app, scope, currency, id).await
}

async fn shown(
    app: &App,
    scope: RelationshipScope,
    currency: Currency,
    id: InvoiceId,
) -> Result<Answer<TopUpView>, ApiError> {
    let found = top_ups::find(&app.database, scope, id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(Answer::ok(TopUpView::of(&found, currency, app.now())))
}
