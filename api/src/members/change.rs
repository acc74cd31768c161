//! `PATCH` and `DELETE /dev/v1/members`: another role for somebody, or none. The next call of theirs knows.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{fulfillments::Email, persons::Role};
use persistence::members::{self, NotChanged};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{list, role};
use crate::{
    auth::member::{Member, Owner},
    error::{ApiError, Code},
    extract::Once,
    state::App,
    wire::{
        answer::{Answer, no_content},
        fields::Text,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeMember {
    #[schema(value_type = String)]
    email: Text<Email>,
    role: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveMember {
    #[schema(value_type = String)]
    email: Text<Email>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    Owner(caller): Owner,
    once: Once<ChangeMember>,
) -> Result<Response, ApiError> {
    once.run(app, caller, changed).await
}

async fn changed(app: App, caller: Member, wire: ChangeMember) -> Result<Response, ApiError> {
    let role = role(wire.role)?;
    store(&app, &caller, wire.email.0, Some(role)).await?;
    let team = list::all(&app, &caller).await;
    Ok(Answer::ok(team.map_err(ApiError::after_change)?).into_response())
}

pub(crate) async fn dev_remove(
    State(app): State<App>,
    Owner(caller): Owner,
    once: Once<RemoveMember>,
) -> Result<Response, ApiError> {
    once.run(app, caller, removed).await
}

async fn removed(app: App, caller: Member, wire: RemoveMember) -> Result<Response, ApiError> {
    store(&app, &caller, wire.email.0, None).await?;
    Ok(no_content())
}

async fn store(app: &App, caller: &Member, email: Email, to: Option<Role>) -> Result<(), ApiError> {
    let by = (caller.merchant.id, caller.actor());
    let changed = members::change(&app.database, by, (email, to), app.now()).await?;
    changed.map_err(|refused| match refused {
        NotChanged::Unknown => ApiError::new(Code::NotFound),
        NotChanged::LastOwner => {
            let said = "A merchant has an owner: make somebody else one first.";
            ApiError::saying(Code::InvalidState, said).detail("role", "is the last OWNER")
        }
    })
}
