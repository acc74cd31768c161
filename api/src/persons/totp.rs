//! `POST /portal/v1/totp`, `/totp/confirm` and `DELETE /portal/v1/totp`: one-time codes as a second
//! proof, and codes for when the device is lost.

use axum::{extract::State, response::Response};
use persistence::persons::{confirm_totp, offer_totp, remove_totp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::{Session, SteppedUp, codes},
    error::{ApiError, Code},
    extract::Body,
    layers::rate_limit,
    state::App,
    wire::{
        answer::{Answer, no_content},
        fields::Hidden,
    },
};

#[derive(Serialize, ToSchema)]
pub(crate) struct Offered {
    otpauth_url: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmTotp {
    code: Hidden,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Confirmed {
    recovery_codes: Vec<String>,
}

pub(crate) async fn offer(
    State(app): State<App>,
    caller: Session,
) -> Result<Answer<Offered>, ApiError> {
    let person = caller.person();
    let secret = codes::Secret::generate(&**app.engine.random());
    let sealed = secret.seal(app.engine.vault(), person.id);
    if !offer_totp(&app.database, person.id, sealed).await? {
        return Err(on_already());
    }
    let url = secret.url(person.email.as_str());
    let otpauth_url = url.ok_or_else(|| ApiError::new(Code::InternalError))?;
    Ok(Answer::ok(Offered { otpauth_url }))
}

pub(crate) async fn confirm(
    State(app): State<App>,
    caller: Session,
    Body(wire): Body<ConfirmTotp>,
) -> Result<Answer<Confirmed>, ApiError> {
    let (credentials, now) = (&caller.credentials, app.now());
    if credentials.person.totp {
        return Err(on_already());
    }
    let Some(sealed) = &credentials.totp_secret else {
        return Err(ApiError::saying(
            Code::InvalidState,
            "Ask for a secret first: `POST /portal/v1/totp`.",
        ));
    };
    let email = credentials.person.email.as_str();
    if !app.sign_ins.take(email, now) {
        return Err(rate_limit::too_many_sign_ins(now));
    }
    let secret = codes::Secret::open(app.engine.vault(), credentials.person.id, sealed)?;
    let step = secret.step_of(wire.code.expose(), now);
    let step = step.ok_or_else(|| ApiError::field("code", "is not the present code"))?;
    app.sign_ins.give_back(email, now);
    let recovery = codes::recovery_codes(&**app.engine.random());
    let digests = recovery.iter().map(|code| codes::recovery_digest(code));
    let proved = (sealed.clone(), step);
    let person = credentials.person.id;
    if !confirm_totp(&app.database, person, proved, digests.collect(), now).await? {
        return Err(on_already());
    }
    Ok(Answer::ok(Confirmed {
        recovery_codes: recovery,
    }))
}

pub(crate) async fn remove(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
) -> Result<Response, ApiError> {
    remove_totp(&app.database, caller.person_id(), app.now()).await?;
    Ok(no_content())
}

fn on_already() -> ApiError {
    ApiError::saying(
        Code::InvalidState,
        "One-time codes are on already: switch them off first.",
    )
}
