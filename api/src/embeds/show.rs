//! `GET /embed/{name}` and `GET /embed/listing/{name}`: the loader of a snippet (`cmp_….js`), or its widget
//! (`cmp_…?t=`).
//!
//! Keeps: whatever is wrong with a token, whoever sent it, the answer is one page with nothing to buy.

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::{
    embeds::Subject,
    ids::{CampaignId, ListingId},
    links::visitor,
};
use persistence::{
    campaigns::{self, Offer},
    listings,
};

use super::{loader, offer, snippet::page, widget};
use crate::{
    checkout::confirm::offered as checkout_offers,
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
    let id = |text: &str| CampaignId::parse(text).map(Subject::Campaign);
    shown(&app, (&name, id), &visit, &query).await
}

pub(crate) async fn public_listing(
    State(app): State<App>,
    Path(name): Path<String>,
    visit: Visit,
    query: Query,
) -> Result<Response, ApiError> {
    let id = |text: &str| ListingId::parse(text).map(Subject::Listing);
    shown(&app, (&name, id), &visit, &query).await
}

async fn shown(
    app: &App,
    (name, id): (&str, fn(&str) -> Option<Subject>),
    visit: &Visit,
    query: &Query,
) -> Result<Response, ApiError> {
    let from = network(visit.address);
    if !app.pages.take(&from.to_string(), app.now()) {
        return Err(ApiError::new(Code::RateLimited).retry_after_secs(1));
    }
    let text = name.strip_suffix(".js").unwrap_or(name);
    let subject = id(text).ok_or_else(|| ApiError::new(Code::NotFound))?;
    if text != name {
        return Ok(loader::answer(&page(app, subject)));
    }
    let token = query.get("t").unwrap_or_default();
    let widget = match subject {
        Subject::Campaign(id) => campaign(app, id, token, visit).await?,
        Subject::Listing(id) => match offer::listing(app, id, token).await? {
            Some(found) => Some(listing(app, &found, token).await?),
            None => None,
        },
    };
    Ok(widget.unwrap_or_else(|| widget::not_available(app)))
}

async fn campaign(
    app: &App,
    id: CampaignId,
    token: &str,
    visit: &Visit,
) -> Result<Option<Response>, ApiError> {
    let Some(found) = offer::campaign(app, id, token).await? else {
        return Ok(None);
    };
    let offered = campaigns::offered(&app.database, &found).await?;
    let leaves = checkout_offers(app, found.merchant).await?.is_empty();
    count(app, &found, visit).await;
    Ok(Some(widget::campaign(
        app,
        &found,
        (&offered, leaves),
        token,
    )))
}

/// With a way to buy it, if its merchant takes money here.
async fn listing(app: &App, offer: &listings::Offer, token: &str) -> Result<Response, ApiError> {
    let coins = checkout_offers(app, offer.judged.merchant).await?;
    let token = Some(token).filter(|_| !coins.is_empty());
    Ok(widget::listing(app, offer, token))
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
