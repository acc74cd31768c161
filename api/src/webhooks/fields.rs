//! What owners write: addresses, names of events, a status.

use std::time::Duration;

use engine::{
    events::Kind,
    webhooks::{Status, Wanted, is_told},
};
use tokio::time::timeout;

use super::{
    ALL,
    target::{self, Refused},
};
use crate::{
    error::{ApiError, Code},
    state::App,
    wire::texts::word,
};

const EVENTS_MAX: usize = 50;
/// How long the name of an address may take to be resolved while its owner waits.
const RESOLVE_MAX: Duration = Duration::from_secs(3);

/// An address that events may be sent to.
pub(super) async fn url(app: &App, text: String) -> Result<String, ApiError> {
    let checking = target::check_resolved(&text, app.webhook_rules);
    let checked = timeout(RESOLVE_MAX, checking).await;
    match checked.unwrap_or(Err(Refused::Unknown)) {
        Ok(_) => Ok(text),
        Err(Refused::Busy) => Err(ApiError::new(Code::Overloaded)),
        Err(refused) => Err(ApiError::field("url", refused.says())),
    }
}

/// Names of events that this side hears of, or all of them.
pub(super) fn events(names: &[String], reseller: bool) -> Result<Wanted, ApiError> {
    if names == [ALL] {
        return Ok(Wanted::All);
    }
    if !(1..=EVENTS_MAX).contains(&names.len()) {
        return Err(ApiError::field(
            "events",
            "must have 1 to 50 names of events, or `*` alone",
        ));
    }
    let mut kinds = Vec::<Kind>::new();
    for (at, name) in names.iter().enumerate() {
        let kind = Kind::parse(name).filter(|kind| is_told(*kind, reseller));
        let kind = kind.ok_or_else(|| {
            ApiError::field(
                format!("events.{at}"),
                "is none of the events that `GET …/webhooks/events` lists",
            )
        })?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(Wanted::Only(kinds))
}

/// What an owner may set: nobody but we ourselves gives a webhook up.
pub(super) fn status(text: Option<String>) -> Result<Option<Status>, ApiError> {
    word(text, "status", |name| {
        Status::parse(name).filter(|status| *status != Status::Disabled)
    })
}
