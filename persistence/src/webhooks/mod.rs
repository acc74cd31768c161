//! Webhooks: where events are sent, what waits to be sent, and what became of it.
//!
//! Keeps: a webhook's mark in its feed and the deliveries up to it are stored in one transaction; whoever
//! sends holds a lease, and what it reports counts only while it does. A process that ends between sending
//! and reporting sends the event again, under the same id. Secrets are sealed.

mod change;
pub mod courier;
mod create;
mod delete;
mod disabled;
mod list;
mod log;
mod owner;
mod pause;
mod repeat;
mod rotate;
mod rows;
mod trial;

pub use change::{Edit, change};
pub use create::{NewWebhook, create};
pub use delete::delete;
pub use disabled::{Disabled, disabled, tell_disabled};
use engine::{
    audit::Actor,
    clock::Timestamp,
    events::Feed,
    ids::{DeliveryId, EventId, MerchantId, RelationshipId, WebhookId},
    relationships,
    webhooks::{Failure, Stage, Status, Wanted},
};
pub use list::{find, list};
pub use log::{Filter, TOTAL_MAX, log};
pub(crate) use pause::pause;
pub use repeat::repeat;
pub use rotate::rotate;
pub use trial::trial;

use crate::database::ReadScope;

/// Whose webhooks: the merchant's own, or one relationship's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Side {
    pub merchant: MerchantId,
    pub relationship: Option<RelationshipId>,
}

impl Side {
    /// What is sent: the live events of this side.
    pub const fn feed(self) -> Feed {
        Feed {
            merchant: self.merchant,
            relationship: self.relationship,
            test: false,
        }
    }

    const fn read(self) -> ReadScope {
        ReadScope {
            merchant: self.merchant,
            relationship: self.relationship,
        }
    }
}

/// Whose webhooks somebody changes, and who that is.
pub type Who = (Side, Actor);

/// A webhook as its owner sees it: without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: String,
    pub wanted: Wanted,
    pub status: Status,
    pub failing_since: Option<Timestamp>,
    /// Until when the secret before the last rotation signs too.
    pub old_secret_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub event_id: EventId,
    /// The name of the event, or [`TRIAL`].
    pub event: String,
    pub stage: Stage,
    pub attempts: u32,
    pub response_status: Option<u16>,
    pub failure: Option<Failure>,
    pub latency_ms: Option<u32>,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The name of what is sent because somebody asked for a trial; it is in no feed.
pub const TRIAL: &str = "webhook:test";

/// Why nothing was done; nothing was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The relationship has ended.
    Ended(relationships::Status),
    /// There are as many as there may be.
    TooMany,
    /// The webhook gets nothing now.
    NotActive(Status),
    /// What was delivered is not sent again.
    Delivered,
    /// The webhook of the delivery was deleted.
    WebhookGone,
}
