//! `POST /portal/v1/password-reset` and `/password-reset/confirm`: a new password for somebody who lost
//! the old one, by a link to their address.
//!
//! Keeps: the answer to a request is the same, and as fast, whether or not there is such a person; a
//! link works once and for an hour, and ends every session.

use axum::{extract::State, response::Response};
use chrono::TimeDelta;
use engine::{fulfillments::Email, ids::MailId, vault::Opened};
use persistence::{
    mail::Letter,
    persons::{Reset, find_reset, offer_reset, reset_password},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::check_new_password;
use crate::{
    auth::{FromOurPages, Token},
    error::{ApiError, Code},
    extract::Body,
    layers::rate_limit,
    state::App,
    wire::{
        answer::no_content,
        fields::{Hidden, Text},
    },
};

const VALID_MINUTES: i64 = 60;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfferReset {
    #[schema(value_type = String)]
    email: Text<Email>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmReset {
    token: Hidden,
    new_password: Hidden,
}

pub(crate) async fn offer(
    State(app): State<App>,
    _caller: FromOurPages,
    Body(wire): Body<OfferReset>,
) -> Result<Response, ApiError> {
    let (Text(email), now) = (wire.email, app.now());
    if !app.resets.take(email.as_str(), now) {
        return Err(rate_limit::too_many_sign_ins(now));
    }
    let work = app.clone();
    // Answered before it is looked up: how long it takes would tell whether there is such a person.
    app.behind
        .spawn(async move { mail_link(&work, &email).await });
    Ok(no_content())
}

async fn mail_link(app: &App, email: &Email) {
    let (now, random) = (app.now(), &**app.engine.random());
    let token = Token::generate(random);
    let reset = Reset {
        digest: token.digest(),
        expires_at: now + TimeDelta::minutes(VALID_MINUTES),
        mail: MailId::generate(now, random),
        letter: Letter {
            to: email.as_str().to_owned(),
            subject: "Set a new password".to_owned(),
            text: format!(
                "Somebody, probably you, asked for a new password at {origin}.\n\n\
                 Set it here within an hour:\n\n{origin}/reset/{}\n\n\
                 If it was not you, do nothing: your password stays as it is.\n",
                token.expose(),
                origin = app.origin,
            ),
        },
    };
    match offer_reset(&app.database, app.engine.vault(), email, reset, now).await {
        Ok(true) => app.mail_queued.notify_one(),
        Ok(false) => {}
        Err(error) => tracing::warn!(error = %error, "could not queue a link for a new password"),
    }
}

pub(crate) async fn confirm(
    State(app): State<App>,
    caller: FromOurPages,
    Body(wire): Body<ConfirmReset>,
) -> Result<Response, ApiError> {
    let now = app.now();
    let over = || {
        app.failures.record(caller.address, now);
        ApiError::saying(
            Code::Expired,
            "The link is over, was used, or was replaced by a later one.",
        )
    };
    let token = Token::parse(wire.token.expose()).ok_or_else(over)?;
    let person = find_reset(&app.database, token.digest(), now).await?;
    let person = person.ok_or_else(over)?;
    let new = wire.new_password.expose();
    check_new_password("new_password", new, person.email.as_str())?;
    let new = Opened::new(new);
    let hash = app.passwords.hash(new, &**app.engine.random()).await?;
    if !reset_password(&app.database, token.digest(), hash, now).await? {
        return Err(over());
    }
    app.sign_ins.forget(person.email.as_str());
    Ok(no_content())
}
