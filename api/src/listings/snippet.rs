//! `GET /portal/v1/programs/{rel}/listings/{lst}/snippet`: what to place in a page, in a component, or in a
//! chat.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    embeds::Subject,
    ids::{ListingId, RelationshipId},
    listings::{Refusal, Status},
};
use persistence::listings;

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

/// Snippets of a listing die with it, and not before.
pub(crate) const TOKEN_VERSION: u32 = 1;

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, ListingId)>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    let flavor = Flavor::read(&query)?;
    let found = listings::one(&app.database, (scope.merchant, relationship), id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    if found.judged.listing.state.status() == Status::Archived {
        return Err(refusal(Refusal::Archived, currency));
    }
    let placed = Placed::of(&app, Subject::Listing(id), TOKEN_VERSION);
    Ok(Answer::ok(placed.shown(flavor)).into_response())
}
