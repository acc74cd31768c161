//! `POST /portal/v1/step-up`: repeat password or code, so that calls with great effect are allowed for
//! ten minutes. The session gets another value.

use axum::{extract::State, response::Response};
use chrono::TimeDelta;
use engine::{persons::STEP_UP_MINUTES, vault::Opened};
use persistence::{persons::accept_step, sessions};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::with_session;
use crate::{
    auth::{Session, Token, codes},
    error::{ApiError, Code},
    extract::Body,
    layers::rate_limit,
    state::App,
    wire::{answer::Answer, fields::Hidden, time::Time},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepUp {
    password: Option<Hidden>,
    totp_code: Option<Hidden>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SteppedUp {
    valid_until: Time,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    Body(wire): Body<StepUp>,
) -> Result<Response, ApiError> {
    let (email, now) = (caller.person().email.as_str(), app.now());
    if wire.password.is_some() == wire.totp_code.is_some() {
        return Err(ApiError::field(
            "password",
            "or `totp_code` must be sent, and not both",
        ));
    }
    if !app.sign_ins.take(email, now) {
        return Err(rate_limit::too_many_sign_ins(now));
    }
    if !proved(&app, &caller, &wire).await? {
        let person = caller.person_id();
        sessions::refuse_step_up(&app.database, person, caller.address(), now).await?;
        return Err(ApiError::saying(
            Code::Unauthorized,
            "Password or code are wrong.",
        ));
    }
    app.sign_ins.give_back(email, now);
    let token = Token::generate(&**app.engine.random());
    let digests = (caller.digest(), token.digest());
    if !sessions::step_up(&app.database, caller.id(), digests, now).await? {
        return Err(ApiError::saying(
            Code::Unauthorized,
            "The session has ended, or was changed at this moment.",
        ));
    }
    let valid_until = Time(now + TimeDelta::minutes(STEP_UP_MINUTES));
    Ok(with_session(
        Answer::ok(SteppedUp { valid_until }),
        &token,
        &app,
    ))
}

async fn proved(app: &App, caller: &Session, wire: &StepUp) -> Result<bool, ApiError> {
    let credentials = &caller.credentials;
    if let Some(password) = &wire.password {
        let (password, hash) = (Opened::new(password.expose()), &credentials.password_hash);
        return app.passwords.verify(password, Some(hash)).await;
    }
    let (person, code) = (&credentials.person, wire.totp_code.as_ref());
    let sealed = credentials.totp_secret.as_ref().filter(|_| person.totp);
    let (Some(sealed), Some(code)) = (sealed, code) else {
        return Ok(false);
    };
    let secret = codes::Secret::open(app.engine.vault(), person.id, sealed)?;
    match secret.step_of(code.expose(), app.now()) {
        Some(step) => Ok(accept_step(&app.database, person.id, step).await?),
        None => Ok(false),
    }
}
