//! `POST /portal/v1/session`: sign in with password and, where it is on, a one-time code.
//!
//! Keeps: every failure reads and costs the same, whether the address, the password or the code was
//! wrong, or the account is locked or disabled; tries are counted before the password is checked, so
//! that many at once are no way around the limit.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{fulfillments::Email, vault::Opened};
use persistence::{
    persons::{self, Credentials, accept_step, record_failure, use_recovery_code},
    sessions,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{new_session, with_session};
use crate::{
    auth::{FromOurPages, codes},
    error::{ApiError, Code},
    extract::Body,
    layers::rate_limit,
    persons::Person,
    state::App,
    wire::{answer::Answer, fields::Hidden},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    email: Hidden,
    password: Hidden,
    totp_code: Option<Hidden>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    status: &'static str,
    person: Option<Person>,
}

/// What a one-time code is needed for, and whether it was right.
enum Second {
    Passed,
    Missing,
    Wrong,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: FromOurPages,
    Body(wire): Body<SignIn>,
) -> Result<Response, ApiError> {
    let now = app.now();
    let Some(email) = Email::parse(wire.email.expose()) else {
        // Nobody can have it; what it looks like is no reason to answer otherwise.
        return Err(refused(&app, &caller));
    };
    if !app.sign_ins.take(email.as_str(), now) {
        return Err(rate_limit::too_many_sign_ins(now));
    }
    let found = persons::credentials(&app.database, &email).await?;
    let usable = found.filter(|found| !found.person.disabled && !found.attempts.locked(now));
    let hash = usable.as_ref().map(|found| found.password_hash.as_str());
    let password = Opened::new(wire.password.expose());
    let right = app.passwords.verify(password, hash).await?;
    let Some(credentials) = usable.filter(|_| right) else {
        return fail(&app, &caller, &email).await;
    };
    match second(&app, &credentials, wire.totp_code.as_ref()).await? {
        Second::Wrong => return fail(&app, &caller, &email).await,
        Second::Missing => {
            app.sign_ins.give_back(email.as_str(), now);
            let answer = SignedIn {
                status: "TOTP_REQUIRED",
                person: None,
            };
            return Ok(Answer::ok(answer).into_response());
        }
        Second::Passed => {}
    }
    let (session, token) = new_session(&caller, now, &**app.engine.random());
    let (person, hash) = (credentials.person, credentials.password_hash);
    if !sessions::open(&app.database, person.id, &hash, session, now).await? {
        return Err(refused(&app, &caller));
    }
    app.sign_ins.give_back(email.as_str(), now);
    let answer = SignedIn {
        status: "SIGNED_IN",
        person: Some(Person::of(&person)),
    };
    Ok(with_session(Answer::ok(answer), &token, &app))
}

/// Checks the code, if this person's sign-in takes one: a present one, or a recovery code.
async fn second(
    app: &App,
    credentials: &Credentials,
    code: Option<&Hidden>,
) -> Result<Second, ApiError> {
    let (person, sealed) = (&credentials.person, credentials.totp_secret.as_ref());
    let Some(sealed) = sealed.filter(|_| person.totp) else {
        return Ok(Second::Passed);
    };
    let Some(code) = code else {
        return Ok(Second::Missing);
    };
    let secret = codes::Secret::open(app.engine.vault(), person.id, sealed)?;
    let accepted = if let Some(step) = secret.step_of(code.expose(), app.now()) {
        accept_step(&app.database, person.id, step).await?
    } else {
        let digest = codes::recovery_digest(code.expose());
        use_recovery_code(&app.database, person.id, digest).await?
    };
    Ok(if accepted {
        Second::Passed
    } else {
        Second::Wrong
    })
}

async fn fail(app: &App, caller: &FromOurPages, email: &Email) -> Result<Response, ApiError> {
    record_failure(&app.database, email, app.now()).await?;
    Err(refused(app, caller))
}

/// The one answer to every sign-in that fails.
fn refused(app: &App, caller: &FromOurPages) -> ApiError {
    app.failures.record(caller.address, app.now());
    ApiError::saying(
        Code::Unauthorized,
        "E-mail address, password or code are wrong, or the account is locked for a while.",
    )
}
