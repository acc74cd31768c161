//! `DELETE /portal/v1/session`: end this session.

use axum::{extract::State, http::header, response::Response};
use persistence::sessions;

use crate::{
    auth::{Session, cookie},
    error::ApiError,
    state::App,
    wire::answer::no_content,
};

pub(crate) async fn portal(State(app): State<App>, caller: Session) -> Result<Response, ApiError> {
    sessions::end(&app.database, caller.person_id(), caller.id()).await?;
    let mut response = no_content();
    let cookie = cookie::clear(app.tls());
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}
