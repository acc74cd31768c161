//! `POST /portal/v1/programs/{rel}/connections/{con}/rotate-secret`: another secret. The old one is good
//! beside it for a while.

use axum::{extract::State, response::Response};
use engine::ids::{ConnectionId, RelationshipId};
use persistence::{
    connections::{self, NewSecret},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Owner,
    create::{secrets, shown_once},
    fields,
    owner::not_found,
    refusal::refusal,
};
use crate::{
    auth::SteppedUp,
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::{Hidden, Whole},
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateConnectionSecret {
    /// The shop's own; a shop of kind CUSTOM may take one of ours instead.
    #[schema(value_type = Option<String>, min_length = 8, max_length = 256)]
    secret: Option<Hidden>,
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 168)]
    overlap_hours: Option<Whole>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
    PathIds((relationship, id)): PathIds<(RelationshipId, ConnectionId)>,
    once: Once<RotateConnectionSecret>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    let work = move |app, owner, wire| answer(app, owner, id, wire);
    once.run(app, owner, work).await
}

async fn answer(
    app: App,
    owner: Owner,
    id: ConnectionId,
    wire: RotateConnectionSecret,
) -> Result<Response, ApiError> {
    let overlap_hours = fields::overlap_hours(wire.overlap_hours)?;
    let known = connections::find(&app.database, owner.scope(), id).await?;
    let kind = known.ok_or_else(not_found)?.kind;
    let (secret, told) = secrets(&app, kind, wire.secret)?;
    let new = NewSecret {
        secret,
        overlap_hours,
    };
    let (vault, who) = (app.engine.vault().clone(), owner.who());
    let (db, now) = (app.database.clone(), app.now());
    let rotating =
        owned(async move { connections::rotate(&db, &vault, who, (id, new), now).await });
    let changed = rotating.await?.ok_or_else(not_found)?.map_err(refusal)?;
    let taken = owner.take_over(&app, &changed.balances).await;
    taken.map_err(ApiError::after_change)?;
    let shown = owner.show_one(&app, changed.connection).await;
    let shown = shown.map_err(ApiError::after_change)?;
    Ok(shown_once(Answer::ok, shown, told.as_ref()))
}
