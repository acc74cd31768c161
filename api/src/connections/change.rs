//! `PATCH /portal/v1/programs/{rel}/connections/{con}`: another map, another cap; pause it, or have it go on.
//! Once answered, nothing is delivered under what was before.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{ConnectionId, RelationshipId};
use persistence::{
    connections::{self, Changed, Edit},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Owner,
    fields::{self, MapLine, SentPaths},
    owner::not_found,
    refusal::refusal,
};
use crate::{
    auth::SteppedUp,
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Object, money::Amount},
};

/// What is not sent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateConnection {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    status: Option<String>,
    #[schema(value_type = Option<Vec<MapLine>>, min_items = 1, max_items = 200)]
    product_map: Option<Vec<Object<MapLine>>>,
    daily_spend_cap: Option<Amount>,
    #[schema(value_type = Option<SentPaths>)]
    paths: Option<Object<SentPaths>>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
    PathIds((relationship, id)): PathIds<(RelationshipId, ConnectionId)>,
    once: Once<UpdateConnection>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    let work = move |app, owner, wire| answer(app, owner, id, wire);
    once.run(app, owner, work).await
}

async fn answer(
    app: App,
    owner: Owner,
    id: ConnectionId,
    wire: UpdateConnection,
) -> Result<Response, ApiError> {
    let cap = wire.daily_spend_cap;
    let cap = cap.map(|cap| cap.read(owner.merchant.currency, "daily_spend_cap"));
    let edit = Edit {
        name: fields::name(wire.name)?,
        status: fields::status(wire.status)?,
        map: wire.product_map.map(fields::map).transpose()?,
        custom: wire.paths.map(|Object(paths)| paths.read()).transpose()?,
        daily_spend_cap: cap.transpose()?,
    };
    // One task for all of it: what is stored is always taken over.
    let changing = owned(store(app.clone(), owner.clone(), id, edit));
    let changed = changing.await?;
    let shown = owner.show_one(&app, changed.connection).await;
    let shown = shown.map_err(ApiError::after_change)?;
    Ok(Answer::ok(shown).into_response())
}

async fn store(app: App, owner: Owner, id: ConnectionId, edit: Edit) -> Result<Changed, ApiError> {
    let changed = connections::change(&app.database, owner.who(), id, edit, app.now()).await?;
    let changed = changed.ok_or_else(not_found)?.map_err(refusal)?;
    owner.take_over(&app, &changed.balances).await?;
    Ok(changed)
}
