//! Replacements of serials that are no good: shops and resellers ask, merchants decide, both read.

pub(crate) mod carry;
pub(crate) mod decide;
pub(crate) mod item;
pub(crate) mod list;
pub(crate) mod request;

use engine::{
    ids::SerialId,
    replacements::{Bought, DecidedBy, Replacement},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::time::Time;

/// A replacement as the shop reads it that asked for it.
#[derive(Serialize, ToSchema)]
#[schema(as = Replacement)]
pub(crate) struct ReplacementAnswer {
    id: String,
    uniqid: String,
    /// Of one that was delivered for an order.
    fulfillment_id: Option<String>,
    /// Of one that was bought by wholesale: both items are of the inventory.
    stock_request_id: Option<String>,
    item_id: String,
    new_item_id: Option<String>,
    reason: &'static str,
    note: Option<String>,
    status: &'static str,
    decision_note: Option<String>,
    decided_by: Option<&'static str>,
    created_at: Time,
    updated_at: Time,
}

/// The same as its merchant reads it.
#[derive(Serialize, ToSchema)]
pub(crate) struct MerchantReplacement {
    #[serde(flatten)]
    replacement: ReplacementAnswer,
    reseller_id: String,
    batch_id: String,
}

impl ReplacementAnswer {
    pub(crate) fn of(one: &Replacement) -> Self {
        let id = one.id.to_string();
        let (fulfillment, request) = match &one.bought {
            Bought::Fulfillment { id, .. } => (Some(id.to_string()), None),
            Bought::Wholesale(id) => (None, Some(id.to_string())),
        };
        let item = |serial: SerialId| match &one.bought {
            Bought::Fulfillment { .. } => serial.item().to_string(),
            Bought::Wholesale(_) => serial.inventory_item().to_string(),
        };
        Self {
            uniqid: id.clone(),
            id,
            fulfillment_id: fulfillment,
            stock_request_id: request,
            item_id: item(one.serial),
            new_item_id: one.successor.map(item),
            reason: one.reason.name(),
            note: one.note.clone(),
            status: one.status.told(),
            decision_note: one.decision_note.clone(),
            decided_by: one.decided_by.map(DecidedBy::name),
            created_at: Time(one.created_at),
            updated_at: Time(one.updated_at),
        }
    }
}

impl MerchantReplacement {
    fn of(one: &Replacement) -> Self {
        Self {
            replacement: ReplacementAnswer::of(one),
            reseller_id: one.scope.relationship.to_string(),
            batch_id: one.serial.import().to_string(),
        }
    }
}
