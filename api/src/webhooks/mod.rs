//! Webhooks: owners say where their events are to be sent, and see what became of them; a loop sends them.
//!
//! Keeps: no order waits for a webhook, and no event is lost by one: what was not taken by its receiver
//! is sent again, and what cannot be sent stays in the feed. A secret is shown once.

pub(crate) mod change;
pub(crate) mod client;
pub(crate) mod courier;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod disabled;
mod fields;
pub(crate) mod list;
pub(crate) mod log;
mod news;
mod owner;
mod refusal;
pub(crate) mod repeat;
pub(crate) mod rotate;
pub(crate) mod samples;
mod settings;
mod signature;
pub(crate) mod target;
pub(crate) mod trial;
mod turns;

use axum::response::{IntoResponse as _, Response};
use engine::{vault::Opened, webhooks::Wanted};
pub(crate) use news::News;
use owner::Owner;
use persistence::webhooks::{Delivery, Webhook};
use refusal::refusal;
use serde::Serialize;
pub use settings::Settings;
use utoipa::ToSchema;

use crate::{
    error::{ApiError, Code},
    wire::{answer::Answer, time::Time},
};

/// What stands for all events.
const ALL: &str = "*";

/// The wire form of a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(crate) struct WebhookView {
    id: String,
    uniqid: String,
    url: String,
    events: Vec<&'static str>,
    status: &'static str,
    failing_since: Option<Time>,
    /// Until when the secret before the last rotation signs too.
    old_secret_until: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

/// A webhook with its secret, which nothing shows again.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: WebhookView,
    secret: Option<String>,
}

/// The wire form of a delivery.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookDelivery {
    id: String,
    uniqid: String,
    webhook_id: String,
    event_id: String,
    event: String,
    status: &'static str,
    attempts: u32,
    response_status: Option<u16>,
    failure: Option<&'static str>,
    latency_ms: Option<u32>,
    next_attempt_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

impl WebhookView {
    fn of(webhook: &Webhook) -> Self {
        let id = webhook.id.to_string();
        Self {
            uniqid: id.clone(),
            id,
            url: webhook.url.clone(),
            events: match &webhook.wanted {
                Wanted::All => vec![ALL],
                Wanted::Only(kinds) => kinds.iter().map(|kind| kind.name()).collect(),
            },
            status: webhook.status.name(),
            failing_since: webhook.failing_since.map(Time),
            old_secret_until: webhook.old_secret_until.map(Time),
            created_at: Time(webhook.created_at),
            updated_at: Time(webhook.updated_at),
        }
    }
}

/// A webhook as it is told once, with its secret, and as the answer is kept, without it.
fn shown_once(
    status: fn(WebhookWithSecret) -> Answer<WebhookWithSecret>,
    webhook: &Webhook,
    secret: &Opened,
) -> Response {
    let show = |secret| WebhookWithSecret {
        webhook: WebhookView::of(webhook),
        secret,
    };
    let told = show(Some(secret.expose().to_owned()));
    status(told).kept_as(show(None)).into_response()
}

impl WebhookDelivery {
    fn of(delivery: &Delivery) -> Self {
        let id = delivery.id.to_string();
        Self {
            uniqid: id.clone(),
            id,
            webhook_id: delivery.webhook.to_string(),
            event_id: delivery.event_id.to_string(),
            event: delivery.event.clone(),
            status: delivery.stage.name(),
            attempts: delivery.attempts,
            response_status: delivery.response_status,
            failure: delivery.failure.map(engine::webhooks::Failure::name),
            latency_ms: delivery.latency_ms,
            next_attempt_at: delivery.due_at.map(Time),
            created_at: Time(delivery.created_at),
            updated_at: Time(delivery.updated_at),
        }
    }
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound)
}
