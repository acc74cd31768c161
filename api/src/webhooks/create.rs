//! `POST /dev/v1/webhooks` and `POST /portal/v1/programs/{rel}/webhooks`: have events sent to an address.
//! The secret that they are signed with is shown once.

use axum::{extract::State, response::Response};
use engine::{
    ids::{RelationshipId, WebhookId},
    webhooks::Status,
};
use persistence::webhooks::{self, NewWebhook};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Owner, fields, not_found, refusal, shown_once, signature};
use crate::{
    auth::{MerchantKey, Session, scope::WebhooksWrite},
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::answer::Answer,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWebhook {
    url: String,
    #[schema(min_items = 1, max_items = 50)]
    events: Vec<String>,
    status: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<WebhooksWrite>,
    once: Once<CreateWebhook>,
) -> Result<Response, ApiError> {
    once.run(app, Owner::merchant(&caller), answer).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreateWebhook>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    once.run(app, owner, answer).await
}

async fn answer(app: App, owner: Owner, wire: CreateWebhook) -> Result<Response, ApiError> {
    let wanted = fields::events(&wire.events, owner.is_reseller())?;
    let status = fields::status(wire.status)?.unwrap_or(Status::Active);
    let url = fields::url(&app, wire.url).await?;
    let random = &**app.engine.random();
    let secret = signature::new_secret(random);
    let new = NewWebhook {
        id: WebhookId::generate(app.now(), random),
        url,
        wanted,
        status,
        secret: secret.clone(),
    };
    let vault = app.engine.vault();
    let made = webhooks::create(&app.database, vault, owner.who(), new, app.now()).await?;
    let made = made.ok_or_else(not_found)?.map_err(refusal)?;
    Ok(shown_once(Answer::created, &made, &secret))
}
