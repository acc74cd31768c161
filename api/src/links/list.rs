//! `GET /portal/v1/programs/{rel}/links` and `GET /dev/v1/resellers/{id}/links`: links with what came by
//! them, newest first.

use axum::{extract::State, response::Response};
use engine::{
    ids::{LinkId, MerchantId, RelationshipId},
    money::Currency,
};
use persistence::links;

use super::{TrackedLink, target::Ground};
use crate::{
    auth::{MerchantKey, Session, scope::ResellersRead},
    balances::owner::{own_scope, scope_of},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::page::CursorPage,
};

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    listed(&app, (scope.merchant, relationship), currency, &query).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
    let of = (scope.merchant, relationship);
    listed(&app, of, caller.currency(), &query).await
}

async fn listed(
    app: &App,
    of: (MerchantId, RelationshipId),
    currency: Currency,
    query: &Query,
) -> Result<Response, ApiError> {
    let page = CursorPage::read(query, &format!("links {}", of.1))?;
    let before = page.position(LinkId::parse)?;
    let found = links::list(&app.database, of, before, page.limit).await?;
    let next = found.next(|tracked| tracked.link.id);
    let ground = Ground::of(&app.database, of.0).await?;
    let items = found.items.iter();
    let shown: Vec<_> = items
        .map(|tracked| TrackedLink::of(app, tracked, (&ground, currency)))
        .collect();
    Ok(page.answer(shown, next))
}

/// One link as it is shown.
pub(super) async fn found(
    app: &App,
    of: (MerchantId, RelationshipId),
    id: LinkId,
    currency: Currency,
) -> Result<TrackedLink, ApiError> {
    let found = links::one(&app.database, of, id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let ground = Ground::of(&app.database, of.0).await?;
    Ok(TrackedLink::of(app, &found, (&ground, currency)))
}
