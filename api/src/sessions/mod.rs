//! Signing in and out, and the sessions a person has.

pub(crate) mod list;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod step_up;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use engine::{clock::Timestamp, ids::SessionId, random::Random};
use persistence::sessions::NewSession;

use crate::{
    auth::{FromOurPages, Token, cookie},
    state::App,
};

/// A session for a caller, and what its browser gets of it.
pub(crate) fn new_session(
    caller: &FromOurPages,
    now: Timestamp,
    random: &dyn Random,
) -> (NewSession, Token) {
    let token = Token::generate(random);
    let session = NewSession {
        id: SessionId::generate(now, random),
        digest: token.digest(),
        address: caller.address.to_string(),
        agent: caller.agent.clone(),
    };
    (session, token)
}

/// An answer that gives the browser this session.
pub(crate) fn with_session(answer: impl IntoResponse, token: &Token, app: &App) -> Response {
    let mut response = answer.into_response();
    let cookie = cookie::set(token, app.tls());
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
