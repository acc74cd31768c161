//! How a customer's page looks, and what it says when there is nothing to buy.

use std::fmt::Display;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use engine::{
    checkout::Line,
    money::{Currency, Money},
};

use crate::{
    docs::page::{Page, escaped, text},
    error::{ApiError, Code},
    wire::money::MoneyText,
};

const STYLE: &str = include_str!("look.css");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A page of a merchant's, with this heading; the body is HTML already.
pub(super) fn page(merchant: &str, heading: &str, body: &str) -> Response {
    let body = format!(
        "<main>\n<header><p class=\"shop\">{shop}</p>\n<h1>{}</h1></header>\n{body}\
         </main>\n<footer><p>Sold and delivered by {shop}.</p></footer>\n",
        escaped(heading),
        shop = escaped(merchant),
    );
    answer(StatusCode::OK, &format!("{heading} · {merchant}"), &body)
}

/// The same page for something that could not be done.
pub(super) fn with_status(mut response: Response, status: StatusCode) -> Response {
    *response.status_mut() = status;
    response
}

/// Why there is nothing to see.
pub(super) fn refused(error: &ApiError) -> Response {
    let code = error.code();
    let heading = match code {
        Code::NotFound => "There is nothing here",
        Code::Expired => "This visit is over",
        Code::OutOfStock => "Sold out",
        Code::ProductNotAllowed => "Not available",
        _ => "This did not work",
    };
    let next = if code == Code::ValidationError {
        "<p class=\"hint\">Go back, correct it and send it again.</p>\n"
    } else {
        ""
    };
    let body = format!(
        "<main>\n<header><h1>{heading}</h1></header>\n<p role=\"alert\">{}</p>\n{next}</main>\n",
        text(error.message())
    );
    let mut response = answer(code.status(), heading, &body);
    if code == Code::RateLimited {
        let soon = HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, soon);
    }
    response
}

/// The page, or the page that says why there is none.
pub(super) fn shown(answer: Result<Response, ApiError>) -> Response {
    answer.unwrap_or_else(|error| refused(&error))
}

/// Sends the browser on to a page of our own.
pub(super) fn see_other(path: &str) -> Response {
    let location = HeaderValue::from_str(path).expect("a path of ours is plain text");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// An amount as customers read it.
pub(super) fn amount(currency: Currency, amount: Money) -> String {
    format!("{} {}", MoneyText(currency, amount), currency.code())
}

/// A row of a table of what is bought.
pub(super) fn row(name: &str, value: &str) -> String {
    format!("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value))
}

/// What is said of a line, and whether it is not delivered.
pub(super) fn said_of(line: &Line, what: impl Display) -> String {
    let left_out = match (line.left_out, line.rest()) {
        (false, _) => "",
        (true, Money::ZERO) => ", given back",
        (true, _) => ", not delivered",
    };
    format!("{what}{left_out}")
}

fn answer(status: StatusCode, title: &str, body: &str) -> Response {
    let mut response = Page::styled(title, body, STYLE).answer();
    *response.status_mut() = status;
    let robots = HeaderValue::from_static("noindex, nofollow");
    response.headers_mut().insert(ROBOTS, robots);
    response
}
