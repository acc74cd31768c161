//! `PATCH …/webhooks/{whk}`: another address, other events; pause it, or have it go on.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{RelationshipId, WebhookId};
use persistence::webhooks::{self, Edit};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Owner, WebhookView, fields, not_found, refusal};
use crate::{
    auth::{MerchantKey, Session, scope::WebhooksWrite},
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::answer::Answer,
};

/// What is not sent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateWebhook {
    url: Option<String>,
    #[schema(min_items = 1, max_items = 50)]
    events: Option<Vec<String>>,
    status: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<WebhooksWrite>,
    PathIds(id): PathIds<WebhookId>,
    once: Once<UpdateWebhook>,
) -> Result<Response, ApiError> {
    let work = move |app, owner, wire| answer(app, owner, id, wire);
    once.run(app, Owner::merchant(&caller), work).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, WebhookId)>,
    once: Once<UpdateWebhook>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    let work = move |app, owner, wire| answer(app, owner, id, wire);
    once.run(app, owner, work).await
}

async fn answer(
    app: App,
    owner: Owner,
    id: WebhookId,
    wire: UpdateWebhook,
) -> Result<Response, ApiError> {
    let known = webhooks::find(&app.database, owner.side, id).await?;
    known.ok_or_else(not_found)?;
    let names = wire.events.as_deref();
    let wanted = names.map(|names| fields::events(names, owner.is_reseller()));
    let mut edit = Edit {
        url: None,
        wanted: wanted.transpose()?,
        status: fields::status(wire.status)?,
    };
    if let Some(url) = wire.url {
        edit.url = Some(fields::url(&app, url).await?);
    }
    let changed = webhooks::change(&app.database, owner.who(), id, edit, app.now()).await?;
    let changed = changed.ok_or_else(not_found)?.map_err(refusal)?;
    app.news.hurry();
    Ok(Answer::ok(WebhookView::of(&changed)).into_response())
}
