//! `POST …/embed-campaigns/{cmp}/rotate-token`: every snippet that was given out is dead, and here is
//! another.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    embeds::Subject,
    ids::{CampaignId, RelationshipId},
};
use persistence::campaigns;

use super::refusal::refusal;
use crate::{
    auth::Session,
    balances::owner::Asker,
    embeds::snippet::{Flavor, Placed},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, CampaignId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    let work = move |app, asker, _: Nothing| answer(app, asker, id);
    once.run(app, asker, work).await
}

async fn answer(app: App, asker: Asker, id: CampaignId) -> Result<Response, ApiError> {
    let of = (asker.scope.merchant, asker.scope.relationship);
    let by = (asker.actor, app.now());
    let rotated = campaigns::rotate(&app.database, of, id, by).await?;
    let rotated = rotated.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let rotated = rotated.map_err(refusal)?;
    let placed = Placed::of(&app, Subject::Campaign(id), rotated.token_version);
    Ok(Answer::ok(placed.shown(Flavor::Html)).into_response())
}
