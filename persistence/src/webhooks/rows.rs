//! Rows of `webhooks` and `webhook_deliveries`, and what they become.

use engine::{
    clock::Timestamp,
    events::Kind,
    ids::{DeliveryId, EventId, WebhookId},
    webhooks::{Failure, Stage, Status, Wanted},
};
use uuid::Uuid;

use super::{Delivery, Webhook};
use crate::Error;

/// Every column that an owner is shown of a webhook; takes the rest of the query, which names it `w`.
macro_rules! select_webhook {
    ($rest:literal) => {
        concat!(
            "SELECT w.webhook_id, w.url, w.events, w.status, w.failing_since, w.old_secret_until,
               w.created_at, w.updated_at FROM webhooks AS w ",
            $rest
        )
    };
}
pub(super) use select_webhook;

/// The same of a delivery, which is named `d`.
macro_rules! select_delivery {
    ($rest:literal) => {
        concat!(
            "SELECT d.delivery_id, d.webhook_id, d.event_id, d.event, d.status, d.attempts,
               d.response_status, d.failure, d.latency_ms, d.due_at, d.created_at, d.updated_at
             FROM webhook_deliveries AS d ",
            $rest
        )
    };
}
pub(super) use select_delivery;

const fn odd(what: &'static str) -> Error {
    Error::Inconsistent { what }
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    webhook_id: Uuid,
    url: String,
    events: Option<Vec<String>>,
    status: String,
    failing_since: Option<Timestamp>,
    old_secret_until: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<Row> for Webhook {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: WebhookId::from_uuid(row.webhook_id),
            url: row.url,
            wanted: wanted(row.events)?,
            status: Status::parse(&row.status).ok_or(odd("webhooks.status"))?,
            failing_since: row.failing_since,
            old_secret_until: row.old_secret_until,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// What names of events mean.
pub(super) fn wanted(names: Option<Vec<String>>) -> Result<Wanted, Error> {
    let Some(names) = names else {
        return Ok(Wanted::All);
    };
    let kinds = names.iter().map(|name| Kind::parse(name));
    let kinds = kinds.collect::<Option<_>>().ok_or(odd("webhooks.events"))?;
    Ok(Wanted::Only(kinds))
}

/// How they are stored.
pub(super) fn names(wanted: &Wanted) -> Option<Vec<&'static str>> {
    match wanted {
        Wanted::All => None,
        Wanted::Only(kinds) => Some(kinds.iter().map(|kind| kind.name()).collect()),
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct DeliveryRow {
    delivery_id: Uuid,
    webhook_id: Uuid,
    event_id: Uuid,
    event: String,
    status: String,
    attempts: i32,
    response_status: Option<i32>,
    failure: Option<String>,
    latency_ms: Option<i32>,
    due_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = Error;

    fn try_from(row: DeliveryRow) -> Result<Self, Error> {
        let failure = row.failure.as_deref().map(Failure::parse);
        let failure = failure.map(|known| known.ok_or(odd("webhook_deliveries.failure")));
        let answered = row.response_status.map(u16::try_from).transpose();
        let latency = row.latency_ms.map(u32::try_from).transpose();
        let attempts = u32::try_from(row.attempts);
        Ok(Self {
            id: DeliveryId::from_uuid(row.delivery_id),
            webhook: WebhookId::from_uuid(row.webhook_id),
            event_id: EventId::from_uuid(row.event_id),
            event: row.event,
            stage: Stage::parse(&row.status).ok_or(odd("webhook_deliveries.status"))?,
            attempts: attempts.map_err(|_| odd("webhook_deliveries.attempts"))?,
            response_status: answered.map_err(|_| odd("webhook_deliveries.response_status"))?,
            failure: failure.transpose()?,
            latency_ms: latency.map_err(|_| odd("webhook_deliveries.latency_ms"))?,
            due_at: row.due_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
