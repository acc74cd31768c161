//! `GET /embed/{name}`: the loader of a campaign's snippet (`cmp_….js`), or its widget (`cmp_…?t=`).
//!
//! Keeps: whatever is wrong with a token, whoever sent it, the answer is one page with nothing to buy.

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::{embeds::Subject, links::visitor};
use persistence::campaigns::{self, Offer};

use super::{loader, offer, widget};
use crate::{
    error::{ApiError, Code},
    extract::Query,
    layers::address::network,
    links::visit::Visit,
    state::App,
};

pub(crate) async fn public(
    State(app): State<App>,
    Path(name): Path<String>,
    visit: Visit,
    query: Query,
) -> Result<Response, ApiError> {
    let from = network(visit.address);
    if !app.pages.take(&from.to_string(), app.now()) {
        return Err(ApiError::new(Code::RateLimited).retry_after_secs(1));
    }
    let (text, loads) = match name.strip_suffix(".js") {
        Some(text) => (text, true),
        None => (&name[..], false),
    };
    let subject = Subject::parse(text).ok_or_else(|| ApiError::new(Code::NotFound))?;
    if loads {
        return Ok(loader::answer(&format!("{}/embed/{subject}", app.origin)));
    }
    let token = query.get("t").unwrap_or_default();
    let Subject::Campaign(id) = subject;
    let Some(found) = offer::campaign(&app, id, token).await? else {
        return Ok(widget::not_available(&app));
    };
    let offered = campaigns::offered(&app.database, &found).await?;
    count(&app, &found, &visit).await;
    Ok(widget::answer(&app, &found, &offered, token))
}

/// Counts a person once an hour. A count that fails, or for which there is no room, hides nothing.
async fn count(app: &App, offer: &Offer, visit: &Visit) {
    let (now, id) = (app.now(), offer.standing.campaign);
    let name = format!("{id} {}", network(visit.address));
    let Ok(_room) = app.counting.try_acquire() else {
        return;
    };
    if !visit.looks || !app.visits.take(&name, now) {
        return;
    }
    let whom = (visit.address, &visit.agent[..]);
    let who = visitor(app.engine.vault(), id.uuid(), whom, now);
    if let Err(error) = campaigns::viewed(&app.database, id, who, now).await {
        tracing::warn!(%error, "could not count a view: {error}");
    }
}
