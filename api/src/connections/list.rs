//! Lists of connections, newest first and never with a secret: as the reseller or the merchant reads them.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{ConnectionId, RelationshipId};
use persistence::connections;

use super::{Owner, owner::not_found};
use crate::{
    auth::{MerchantKey, Session, scope::ResellersRead},
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{answer::Answer, page::CursorPage},
};

/// `GET /dev/v1/resellers/{id}/connections`
pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    all(&app, &Owner::merchant(&caller, relationship), &query).await
}

/// `GET /portal/v1/programs/{rel}/connections`
pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    all(&app, &owner, &query).await
}

/// `GET /portal/v1/programs/{rel}/connections/{con}`
pub(crate) async fn portal_one(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, ConnectionId)>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    let found = connections::find(&app.database, owner.scope(), id).await?;
    let shown = owner.show_one(&app, found.ok_or_else(not_found)?).await?;
    Ok(Answer::ok(shown).into_response())
}

async fn all(app: &App, owner: &Owner, query: &Query) -> Result<Response, ApiError> {
    let page = CursorPage::read(query, &owner.list_name())?;
    let before = page.position(ConnectionId::parse)?;
    let found = connections::list(&app.database, owner.scope(), before, page.limit).await?;
    let next = found.next(|connection| connection.id);
    Ok(page.answer(owner.show(app, &found.items).await?, next))
}
