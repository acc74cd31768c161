//! `POST …/webhooks/{whk}/rotate-secret`: another secret. The old one signs beside it for a while.

use axum::{extract::State, response::Response};
use engine::{
    ids::{RelationshipId, WebhookId},
    webhooks::{OVERLAP_HOURS_DEFAULT, OVERLAP_HOURS_MAX},
};
use persistence::webhooks;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Owner, not_found, refusal, shown_once, signature};
use crate::{
    auth::{MerchantKey, Session, scope::WebhooksWrite},
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Whole},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSecret {
    overlap_hours: Option<Whole>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<WebhooksWrite>,
    PathIds(id): PathIds<WebhookId>,
    once: Once<RotateSecret>,
) -> Result<Response, ApiError> {
    let work = move |app, owner, wire| answer(app, owner, id, wire);
    once.run(app, Owner::merchant(&caller), work).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, WebhookId)>,
    once: Once<RotateSecret>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    let work = move |app, owner, wire| answer(app, owner, id, wire);
    once.run(app, owner, work).await
}

async fn answer(
    app: App,
    owner: Owner,
    id: WebhookId,
    wire: RotateSecret,
) -> Result<Response, ApiError> {
    let hours = wire.overlap_hours;
    let overlap_hours = hours.map_or(OVERLAP_HOURS_DEFAULT, |Whole(hours)| hours);
    if overlap_hours > OVERLAP_HOURS_MAX {
        return Err(ApiError::field("overlap_hours", "must be from 0 to 168"));
    }
    let secret = signature::new_secret(&**app.engine.random());
    let rotating = (id, secret.clone(), overlap_hours);
    let (db, vault) = (&app.database, app.engine.vault());
    let rotated = webhooks::rotate(db, vault, owner.who(), rotating, app.now()).await?;
    let rotated = rotated.ok_or_else(not_found)?.map_err(refusal)?;
    Ok(shown_once(Answer::ok, &rotated, &secret))
}
