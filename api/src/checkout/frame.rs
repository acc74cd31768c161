//! Pages that go on in the frame of the widget in which their visit began.
//!
//! Keeps: which pages may frame one is read from the rows of the visit that its address opens, and a browser is
//! asked nothing; a page of any other visit is framed by nobody.

use axum::response::Response;
use engine::checkout::digest;
use persistence::checkout;

use super::look::{refused, shown};
use crate::{
    docs::page::framable,
    embeds::frame::{ancestors, anywhere},
    error::ApiError,
    state::App,
};

/// The page that an offer of a widget led to. Why there is none may be said wherever a widget without an offer is
/// shown: there is nothing to click on it.
pub(super) fn of_offer(app: &App, answer: Result<Response, ApiError>) -> Response {
    answer.unwrap_or_else(|error| framable(refused(&error), anywhere(app)))
}

/// What is answered of the visit that this token opens.
pub(super) async fn of_visit(
    app: &App,
    token: &str,
    answer: Result<Response, ApiError>,
) -> Response {
    let page = shown(answer);
    let Some(token) = digest(token) else {
        return page;
    };
    match checkout::widget_of(&app.database, token).await {
        Ok(widget) => within(app, widget.as_deref(), page),
        Err(error) => refused(&error.into()),
    }
}

/// A page of a visit that began in the widget of these origins, or in none.
pub(super) fn within(app: &App, widget: Option<&[String]>, page: Response) -> Response {
    match widget {
        Some(origins) => framable(page, &ancestors(app, origins)),
        None => page,
    }
}

/// A way out of the frame, to where a browser says whose page it is.
pub(super) fn own_window(path: &str) -> String {
    format!(
        "<p class=\"hint ways\"><a href=\"{path}\" target=\"_blank\" rel=\"noopener\">Open in a window of its \
         own</a></p>\n"
    )
}
