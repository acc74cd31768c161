//! Another e-mail address: `email` in `PATCH /portal/v1/me` mails a link to it, and
//! `POST /portal/v1/me/email/confirm` puts it in force.
//!
//! Keeps: the answer to who wants an address is the same whether or not it is somebody's; the old address
//! hears of the change.

use axum::{extract::State, response::Response};
use chrono::TimeDelta;
use engine::{fulfillments::Email, ids::MailId};
use persistence::{
    mail::{Letter, Post},
    persons::{NewEmail, NotConfirmed, confirm_email, offer_email},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::{FromOurPages, Session, Token},
    error::{ApiError, Code},
    extract::Body,
    layers::rate_limit,
    state::App,
    wire::{answer::no_content, fields::Hidden},
};

const VALID_HOURS: i64 = 24;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmEmail {
    token: Hidden,
}

/// Mails a link to the address that somebody wants.
pub(super) async fn offer(app: &App, caller: &Session, email: Email) -> Result<(), ApiError> {
    let now = app.now();
    caller.stepped_up(now)?;
    if !app.resets.take(email.as_str(), now) {
        return Err(rate_limit::too_many_sign_ins(now));
    }
    let random = &**app.engine.random();
    let token = Token::generate(random);
    let text = format!(
        "Somebody, probably you, wants to sign in at {origin} under this address.\n\n\
         Confirm it within a day:\n\n{origin}/email/{}\n\n\
         If it was not you, do nothing.\n",
        token.expose(),
        origin = app.origin,
    );
    let new = NewEmail {
        digest: token.digest(),
        expires_at: now + TimeDelta::hours(VALID_HOURS),
        post: Post {
            id: MailId::generate(now, random),
            letter: Letter {
                to: email.as_str().to_owned(),
                subject: "Confirm your new address".to_owned(),
                text,
            },
        },
        email,
    };
    let (db, vault) = (&app.database, app.engine.vault());
    if offer_email(db, vault, caller.person_id(), new, now).await? {
        app.mail_queued.notify_one();
    }
    Ok(())
}

pub(crate) async fn confirm(
    State(app): State<App>,
    caller: FromOurPages,
    Body(wire): Body<ConfirmEmail>,
) -> Result<Response, ApiError> {
    let now = app.now();
    let over = || {
        app.failures.record(caller.address, now);
        let said = "The link is over, was used, or was replaced by a later one.";
        ApiError::saying(Code::Expired, said)
    };
    let token = Token::parse(wire.token.expose()).ok_or_else(over)?;
    let mail = MailId::generate(now, &**app.engine.random());
    let origin = app.origin.clone();
    let notice = move |old: &Email| Post {
        id: mail,
        letter: Letter {
            to: old.as_str().to_owned(),
            subject: "Your address was changed".to_owned(),
            text: format!(
                "From now on you sign in at {origin} under another address.\n\n\
                 If it was not you, ask the merchants you work with for help.\n"
            ),
        },
    };
    let link = (token.digest(), caller.address);
    let vault = app.engine.vault();
    match confirm_email(&app.database, vault, link, notice, now).await? {
        Ok(()) => {
            app.mail_queued.notify_one();
            Ok(no_content())
        }
        Err(NotConfirmed::Over) => Err(over()),
        Err(NotConfirmed::Taken) => Err(ApiError::saying(
            Code::AlreadyExists,
            "The address is somebody else's by now.",
        )),
    }
}
