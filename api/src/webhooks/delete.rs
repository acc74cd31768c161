//! `DELETE …/webhooks/{whk}`: send it nothing any more.

use axum::{extract::State, response::Response};
use engine::ids::{RelationshipId, WebhookId};
use persistence::webhooks;

use super::{Owner, not_found};
use crate::{
    auth::{MerchantKey, Session, scope::WebhooksWrite},
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::{answer::no_content, fields::Nothing},
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<WebhooksWrite>,
    PathIds(id): PathIds<WebhookId>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let work = move |app, owner, Nothing {}| answer(app, owner, id);
    once.run(app, Owner::merchant(&caller), work).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, WebhookId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    let work = move |app, owner, Nothing {}| answer(app, owner, id);
    once.run(app, owner, work).await
}

async fn answer(app: App, owner: Owner, id: WebhookId) -> Result<Response, ApiError> {
    if webhooks::delete(&app.database, owner.who(), id, app.now()).await? {
        Ok(no_content())
    } else {
        Err(not_found())
    }
}
