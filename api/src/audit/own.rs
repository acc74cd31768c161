//! `GET /portal/v1/programs/{rel}/audit-log`: what was done to a relationship and its keys, as its reseller
//! reads it.
//!
//! Keeps: of who acts for the merchant a reseller learns nothing but that it was the merchant.

use axum::{extract::State, response::Response};
use engine::{
    audit::{ActorKind, Entry},
    ids::RelationshipId,
};
use persistence::{audit, persons};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Session,
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::{page::CursorPage, time::Time},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct OwnAuditEntry {
    id: String,
    uniqid: String,
    seq: i64,
    actor: OwnAuditActor,
    action: String,
    target: String,
    ip: Option<String>,
    created_at: Time,
}

/// You, the merchant, or the installation itself when a date has passed.
#[derive(Serialize, ToSchema)]
struct OwnAuditActor {
    #[serde(rename = "type")]
    kind: &'static str,
    id: Option<String>,
    label: String,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let own = persons::relationship_of(&app.database, caller.person_id(), relationship).await?;
    let own = own.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let page = CursorPage::read(&query, &format!("audit-log {relationship}"))?;
    let before = page.position(|text| text.parse().ok())?;
    let about = (own.merchant, relationship);
    let found = audit::list_about(&app.database, about, before, page.limit).await?;
    let next = found.next(|entry| entry.seq);
    let you = caller.person_id().to_string();
    let entries = found.items.into_iter();
    let entries: Vec<_> = entries.map(|one| OwnAuditEntry::of(one, &you)).collect();
    Ok(page.answer(entries, next))
}

impl OwnAuditEntry {
    fn of(entry: Entry, you: &str) -> Self {
        let id = entry.id().to_string();
        let deed = entry.deed;
        let yours = deed.actor.id.as_deref() == Some(you);
        let ip = deed.actor.ip.filter(|_| yours);
        let actor = match deed.actor.kind {
            ActorKind::Job => OwnAuditActor {
                kind: "JOB",
                id: None,
                label: deed.actor.label,
            },
            ActorKind::Person if yours => OwnAuditActor {
                kind: "PERSON",
                id: deed.actor.id,
                label: deed.actor.label,
            },
            // The invited person, who was nobody yet.
            ActorKind::Person if deed.actor.id.is_none() => OwnAuditActor {
                kind: "PERSON",
                id: None,
                label: deed.actor.label,
            },
            ActorKind::Person | ActorKind::ApiKey => OwnAuditActor {
                kind: "MERCHANT",
                id: None,
                label: "the merchant".to_owned(),
            },
        };
        Self {
            uniqid: id.clone(),
            id,
            seq: entry.seq,
            actor,
            action: deed.action,
            target: deed.target,
            ip: ip.map(|ip| ip.to_string()),
            created_at: Time(deed.at),
        }
    }
}
