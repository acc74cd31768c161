//! `GET /dev/v1/members`: everybody who acts for the merchant.

use axum::extract::State;
use persistence::members;

use super::Member;
use crate::{auth::member::Owner, error::ApiError, state::App, wire::answer::Answer};

pub(crate) async fn dev(
    State(app): State<App>,
    Owner(caller): Owner,
) -> Result<Answer<Vec<Member>>, ApiError> {
    Ok(Answer::ok(all(&app, &caller).await?))
}

/// The team as it is now.
pub(super) async fn all(
    app: &App,
    caller: &crate::auth::member::Member,
) -> Result<Vec<Member>, ApiError> {
    let found = members::list(&app.database, caller.merchant.id).await?;
    Ok(found.into_iter().map(Member::from).collect())
}
