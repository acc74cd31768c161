//! `POST /portal/v1/me/password`: another password. All other sessions end.

use axum::{extract::State, response::Response};
use engine::vault::Opened;
use persistence::persons::change_password;
use serde::Deserialize;
use utoipa::ToSchema;

use super::check_new_password;
use crate::{
    auth::Session,
    error::{ApiError, Code},
    extract::Body,
    layers::rate_limit,
    state::App,
    wire::{answer::no_content, fields::Hidden},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    current_password: Hidden,
    new_password: Hidden,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    Body(wire): Body<ChangePassword>,
) -> Result<Response, ApiError> {
    let (person, now) = (caller.person(), app.now());
    let email = person.email.as_str();
    check_new_password("new_password", wire.new_password.expose(), email)?;
    // Somebody who found an open browser must not guess the password here.
    if !app.sign_ins.take(email, now) {
        return Err(rate_limit::too_many_sign_ins(now));
    }
    let stored = caller.credentials.password_hash.as_str();
    let current = Opened::new(wire.current_password.expose());
    if !app.passwords.verify(current, Some(stored)).await? {
        return Err(ApiError::field("current_password", "is not your password"));
    }
    app.sign_ins.give_back(email, now);
    let new = Opened::new(wire.new_password.expose());
    let hash = app.passwords.hash(new, &**app.engine.random()).await?;
    let whose = (person.id, caller.id());
    if change_password(&app.database, whose, stored, hash, now).await? {
        Ok(no_content())
    } else {
        Err(ApiError::saying(
            Code::InvalidState,
            "The password was changed at this moment: nothing was done.",
        ))
    }
}
