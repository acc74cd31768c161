//! `GET …/listings`, of both sides: listings with their bounds and margins now, newest first.

use axum::{extract::State, response::Response};
use engine::{
    ids::{ListingId, MerchantId, RelationshipId},
    money::Currency,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use persistence::listings::{self, Listed};

use super::ListingView;
use crate::{
    auth::{MerchantKey, Session, scope::ResellersRead},
    balances::owner::{own_scope, scope_of},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::page::CursorPage,
};

/// Shelves that are asked for their stock at once.
const ASKED_AT_ONCE: usize = 8;

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
    let page = CursorPage::read(query, &format!("listings {}", of.1))?;
    let before = page.position(ListingId::parse)?;
    let found = listings::list(&app.database, of, before, page.limit).await?;
    let next = found.next(|listed| listed.judged.listing.id);
    let asked = app.clone();
    let shown: Vec<_> = stream::iter(found.items)
        .map(move |listed| view(asked.clone(), listed, currency))
        .buffered(ASKED_AT_ONCE)
        .try_collect()
        .await?;
    Ok(page.answer(shown, next))
}

async fn view(app: App, listed: Listed, currency: Currency) -> Result<ListingView, ApiError> {
    ListingView::of(&app, &listed, currency).await
}

/// One listing as it is shown.
pub(super) async fn found(
    app: &App,
    of: (MerchantId, RelationshipId),
    id: ListingId,
    currency: Currency,
) -> Result<ListingView, ApiError> {
    let found = listings::one(&app.database, of, id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    ListingView::of(app, &found, currency).await
}
