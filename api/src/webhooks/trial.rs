//! `POST …/webhooks/{whk}/test`: send something that is no event, to see whether it arrives.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{DeliveryId, EventId, RelationshipId, WebhookId};
use persistence::webhooks;

use super::{Owner, WebhookDelivery, not_found, refusal};
use crate::{
    auth::{MerchantKey, Session, scope::WebhooksWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
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
    let known = webhooks::find(&app.database, owner.side, id).await?;
    known.ok_or_else(not_found)?;
    let (now, random) = (app.now(), &**app.engine.random());
    if !app.trials.take(&id.to_string(), now) {
        let says = "This webhook was tried often enough for now.";
        return Err(ApiError::saying(Code::RateLimited, says));
    }
    let ids = (
        DeliveryId::generate(now, random),
        EventId::generate(now, random),
    );
    let stored = webhooks::trial(&app.database, owner.who(), id, ids, now).await?;
    let stored = stored.ok_or_else(not_found)?.map_err(refusal)?;
    app.news.hurry();
    Ok(Answer::created(WebhookDelivery::of(&stored)).into_response())
}
