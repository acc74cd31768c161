//! `POST …/webhooks/logs/{dlv}/retry`: send again what failed.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{DeliveryId, RelationshipId};
use persistence::webhooks;

use super::{Owner, WebhookDelivery, not_found, refusal};
use crate::{
    auth::{MerchantKey, Session, scope::WebhooksWrite},
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<WebhooksWrite>,
    PathIds(id): PathIds<DeliveryId>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let work = move |app, owner, Nothing {}| answer(app, owner, id);
    once.run(app, Owner::merchant(&caller), work).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, DeliveryId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    let work = move |app, owner, Nothing {}| answer(app, owner, id);
    once.run(app, owner, work).await
}

async fn answer(app: App, owner: Owner, id: DeliveryId) -> Result<Response, ApiError> {
    let begun = webhooks::repeat(&app.database, owner.who(), id, app.now()).await?;
    let (delivery, already) = begun.ok_or_else(not_found)?.map_err(refusal)?;
    app.news.hurry();
    let shown = WebhookDelivery::of(&delivery);
    Ok(Answer::stepped(already, shown).into_response())
}
