//! `GET …/webhooks` and `GET …/webhooks/{whk}`: where events are sent, newest first; never a secret.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{RelationshipId, WebhookId};
use persistence::webhooks;

use super::{Owner, WebhookView, not_found};
use crate::{
    auth::{MerchantKey, Session, scope::WebhooksRead},
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{answer::Answer, page::CursorPage},
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<WebhooksRead>,
    query: Query,
) -> Result<Response, ApiError> {
    all(&app, &Owner::merchant(&caller), &query).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    all(&app, &owner, &query).await
}

pub(crate) async fn dev_one(
    State(app): State<App>,
    caller: MerchantKey<WebhooksRead>,
    PathIds(id): PathIds<WebhookId>,
) -> Result<Response, ApiError> {
    one(&app, &Owner::merchant(&caller), id).await
}

pub(crate) async fn portal_one(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, WebhookId)>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    one(&app, &owner, id).await
}

async fn all(app: &App, owner: &Owner, query: &Query) -> Result<Response, ApiError> {
    let page = CursorPage::read(query, &owner.list_name())?;
    let before = page.position(WebhookId::parse)?;
    let found = webhooks::list(&app.database, owner.side, before, page.limit).await?;
    let next = found.next(|webhook| webhook.id);
    let shown: Vec<_> = found.items.iter().map(WebhookView::of).collect();
    Ok(page.answer(shown, next))
}

async fn one(app: &App, owner: &Owner, id: WebhookId) -> Result<Response, ApiError> {
    let found = webhooks::find(&app.database, owner.side, id).await?;
    let found = found.ok_or_else(not_found)?;
    Ok(Answer::ok(WebhookView::of(&found)).into_response())
}
