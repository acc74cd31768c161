//! `GET …/embed-campaigns/{cmp}/snippet`: what to place in a page, in a component, or in a chat.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    campaigns::Refusal,
    embeds::Subject,
    ids::{CampaignId, RelationshipId},
    links::Status,
};
use persistence::campaigns::{self, NotChanged};

use super::refusal::refusal;
use crate::{
    auth::Session,
    balances::owner::own_scope,
    embeds::snippet::{Flavor, Placed},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::answer::Answer,
};

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, CampaignId)>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, _) = own_scope(&app, &caller, relationship).await?;
    let flavor = Flavor::read(&query)?;
    let of = (scope.merchant, relationship);
    let found = campaigns::one(&app.database, of, id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?.campaign;
    if found.status == Status::Revoked {
        return Err(refusal(NotChanged::Refused(Refusal::Revoked)));
    }
    let placed = Placed::of(&app, Subject::Campaign(id), found.token_version);
    Ok(Answer::ok(placed.shown(flavor)).into_response())
}
