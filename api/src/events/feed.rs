//! `GET /reseller/v1/events`, `/dev/v1/events` and `/portal/v1/programs/{rel}/events`: what happened, in
//! the order of its numbers; with `wait`, as soon as it did.

use std::time::Duration;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use engine::{
    events::{Feed, Kind},
    ids::RelationshipId,
    money::Currency,
};
use persistence::{
    events::list::{self, Told},
    persons,
};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{EventAnswer, shown};
use crate::{
    auth::{
        MerchantKey, ResellerKey, Session,
        scope::{FulfillmentsRead, WebhooksRead},
    },
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::{answer::json, filters},
};

pub(crate) const LIMIT_MAX: u32 = 500;
pub(crate) const WAIT_SECONDS_MAX: u32 = 20;
const LIMIT_DEFAULT: u32 = 50;

/// Where to go on.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeedPagination {
    next_after: i64,
    has_more: bool,
}

#[derive(Serialize)]
struct Page {
    data: Vec<EventAnswer>,
    pagination: FeedPagination,
}

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<FulfillmentsRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let scope = caller.scope();
    let feed = Feed {
        merchant: scope.merchant,
        relationship: Some(scope.relationship),
        test: scope.test,
    };
    answer(&app, feed, caller.currency(), &query).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<WebhooksRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let feed = Feed {
        merchant: caller.merchant_id(),
        relationship: None,
        test: filters::flag(&query, "test")?.unwrap_or(caller.test()),
    };
    answer(&app, feed, caller.currency(), &query).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let own = persons::program(&app.database, caller.person_id(), id).await?;
    let own = own.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let feed = Feed {
        merchant: own.merchant,
        relationship: Some(id),
        test: filters::flag(&query, "test")?.unwrap_or(false),
    };
    answer(&app, feed, own.currency, &query).await
}

/// What is asked for of a feed.
struct Asked {
    after: i64,
    limit: u32,
    kinds: Option<Vec<Kind>>,
    wait: Duration,
}

async fn answer(
    app: &App,
    feed: Feed,
    currency: Currency,
    query: &Query,
) -> Result<Response, ApiError> {
    let asked = asked(query)?;
    let told = read(app, feed, &asked).await?;
    let data = told.events.iter();
    let page = Page {
        data: data.map(|event| EventAnswer::of(event, currency)).collect(),
        pagination: FeedPagination {
            next_after: told.next_after,
            has_more: told.has_more,
        },
    };
    Ok(json(StatusCode::OK, &page).into_response())
}

async fn read(app: &App, feed: Feed, asked: &Asked) -> Result<Told, ApiError> {
    let list = |after| {
        let kinds = asked.kinds.clone();
        list::list(&app.database, feed, (after, asked.limit), kinds, app.now())
    };
    let place = if asked.wait.is_zero() {
        None
    } else {
        app.waiters.place(feed)
    };
    let Some(place) = place else {
        return Ok(list(asked.after).await?);
    };
    let mut after = asked.after;
    let waiting = async {
        loop {
            // Asked for before reading, so that what is told meanwhile is not overlooked.
            let next = place.told.notified();
            let told = list(after).await?;
            if !told.events.is_empty() || told.has_more || app.waiters.is_closed() {
                return Ok(told);
            }
            after = told.next_after;
            next.await;
        }
    };
    match timeout(asked.wait, waiting).await {
        Ok(told) => told,
        Err(_) => Ok(Told {
            events: Vec::new(),
            next_after: after,
            has_more: false,
        }),
    }
}

fn asked(query: &Query) -> Result<Asked, ApiError> {
    let kinds = query.get("types").map(|names| {
        let known = shown::kinds(names);
        known.ok_or_else(|| ApiError::field("types", "names an event that is not known"))
    });
    let after = match query.get("after") {
        None => 0,
        Some(text) => {
            let after = text.parse().ok().filter(|after| *after >= 0);
            after.ok_or_else(|| ApiError::field("after", "must be a whole number from 0"))?
        }
    };
    let wait = whole(query, "wait", (0, WAIT_SECONDS_MAX))?.unwrap_or(0);
    Ok(Asked {
        after,
        limit: whole(query, "limit", (1, LIMIT_MAX))?.unwrap_or(LIMIT_DEFAULT),
        kinds: kinds.transpose()?,
        wait: Duration::from_secs(wait.into()),
    })
}

fn whole(
    query: &Query,
    name: &'static str,
    (min, max): (u32, u32),
) -> Result<Option<u32>, ApiError> {
    let Some(text) = query.get(name) else {
        return Ok(None);
    };
    let number = text
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number));
    let says = || ApiError::field(name, format!("must be a whole number from {min} to {max}"));
    number.map(Some).ok_or_else(says)
}
