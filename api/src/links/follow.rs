//! `GET /r/{code}`: somebody follows a link, and is sent on to the merchant's shop with a token that names
//! the link, or to a product's page here. The last link that was followed within the window is the one that counts.

use std::sync::LazyLock;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use engine::links::{Attribution, attributes, visitor};
use persistence::links::{self, Found};

use super::{
    target::{TOKEN, Way, target},
    visit::Visit,
};
use crate::{
    docs::page::Page,
    error::{ApiError, Code},
    layers::address::network,
    state::App,
};

const DAY_SECONDS: u32 = 24 * 60 * 60;

static NOWHERE: LazyLock<Page> = LazyLock::new(|| {
    let body = "<h1>This link leads nowhere</h1>\n\
        <p>It is not known here, or the shop that it belongs to has no address yet. Ask whoever gave it \
        to you.</p>\n";
    Page::new("Link not found", body)
});

pub(crate) async fn public(
    State(app): State<App>,
    Path(code): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let from = network(visit.address);
    if !app.pages.take(&from.to_string(), app.now()) {
        return Err(ApiError::new(Code::RateLimited).retry_after_secs(1));
    }
    let found = if is_code(&code) {
        links::find(&app.database, &code).await?
    } else {
        None
    };
    let led = found.and_then(|found| target(&found).map(|way| (found, way)));
    let Some((found, mut way)) = led else {
        let mut response = NOWHERE.answer();
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    };
    let whose = (found.relationship_status, found.mode);
    let mut cookie = None;
    if visit.counts && attributes(found.status, whose, found.enabled) {
        let clicked = Attribution {
            link: found.id,
            at: app.now(),
        };
        let token = clicked.token(app.engine.vault());
        if let Way::Away(url) = &mut way {
            url.query_pairs_mut().append_pair(TOKEN, &token);
        }
        cookie = Some(cookie_of(&token, found.window_days, app.tls()));
        count(&app, &found, &visit).await;
    }
    let location = match &way {
        Way::Away(url) => url.as_str(),
        Way::Here(path) => path,
    };
    let location = HeaderValue::from_str(location);
    let location = location.map_err(|_| ApiError::new(Code::NotFound))?;
    let mut response = (StatusCode::FOUND, [(header::LOCATION, location)]).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Whether a text has the form of a code at all.
fn is_code(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (4..=32).contains(&text.len()) && text.bytes().all(letters)
}

/// Counts a person once an hour, and an address a few times, also those that were counted before. A count
/// that fails, or for which there is no room, keeps nobody from the shop.
async fn count(app: &App, found: &Found, visit: &Visit) {
    let now = app.now();
    let name = format!("{} {}", found.id, network(visit.address));
    let Ok(_room) = app.counting.try_acquire() else {
        return;
    };
    if !app.visits.take(&name, now) {
        return;
    }
    let who = visitor(
        app.engine.vault(),
        found.id.uuid(),
        (visit.address, &visit.agent),
        now,
    );
    if let Err(error) = links::count(&app.database, found.id, who, now).await {
        tracing::warn!(%error, "could not count a visit: {error}");
    }
}

/// The cookie by which our own pages know by what a customer came.
pub(crate) fn cookie_of(token: &str, window_days: u16, tls: bool) -> HeaderValue {
    let seconds = u32::from(window_days) * DAY_SECONDS;
    let secure = if tls { "; Secure" } else { "" };
    let text =
        format!("{TOKEN}={token}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("a token is plain text")
}
