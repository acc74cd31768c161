//! `GET …/webhooks/logs`: what became of the events of a side, newest first, for two weeks.

use axum::{extract::State, response::Response};
use engine::{
    ids::{RelationshipId, WebhookId},
    webhooks::Stage,
};
use persistence::webhooks::{self, Filter};
use uuid::Uuid;

use super::{Owner, WebhookDelivery};
use crate::{
    auth::{MerchantKey, Session, scope::WebhooksRead},
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{
        page::{numbered, page_number},
        texts::words,
    },
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

async fn all(app: &App, owner: &Owner, query: &Query) -> Result<Response, ApiError> {
    let page = page_number(query)?;
    // A malformed id is one that nothing has.
    let webhook = query.get("webhook_id").map(|text| {
        let nothing = WebhookId::from_uuid(Uuid::nil());
        WebhookId::parse(text).unwrap_or(nothing)
    });
    let filter = Filter {
        webhook,
        stages: words(query, "status", Stage::parse)?,
        event: query.get("event").map(str::to_owned),
    };
    let found = webhooks::log(&app.database, owner.side, filter, page).await?;
    let shown: Vec<_> = found.items.iter().map(WebhookDelivery::of).collect();
    Ok(numbered(page, shown, found.total))
}
