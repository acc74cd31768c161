//! `GET` and `DELETE /portal/v1/sessions`: where a person is signed in, and an end to it.

use axum::{extract::State, response::Response};
use engine::ids::SessionId;
use persistence::sessions;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Session,
    error::{ApiError, Code},
    extract::PathIds,
    state::App,
    wire::{
        answer::{Answer, no_content},
        time::Time,
    },
};

/// A session as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnSession {
    id: String,
    uniqid: String,
    current: bool,
    address: String,
    agent: String,
    last_used_at: Time,
    created_at: Time,
}

pub(crate) async fn get(
    State(app): State<App>,
    caller: Session,
) -> Result<Answer<Vec<OwnSession>>, ApiError> {
    let own = sessions::list(&app.database, caller.person_id(), app.now()).await?;
    let shown = own.into_iter().map(|session| OwnSession {
        id: session.id.to_string(),
        uniqid: session.id.to_string(),
        current: session.id == caller.id(),
        address: session.address,
        agent: session.agent,
        last_used_at: Time(session.times.last_used_at),
        created_at: Time(session.times.created_at),
    });
    Ok(Answer::ok(shown.collect()))
}

pub(crate) async fn end(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<SessionId>,
) -> Result<Response, ApiError> {
    if sessions::end(&app.database, caller.person_id(), id).await? {
        Ok(no_content())
    } else {
        Err(ApiError::new(Code::NotFound))
    }
}

/// Ends all sessions but the one that asks.
pub(crate) async fn end_others(
    State(app): State<App>,
    caller: Session,
) -> Result<Response, ApiError> {
    sessions::end_others(&app.database, caller.person_id(), caller.id()).await?;
    Ok(no_content())
}
