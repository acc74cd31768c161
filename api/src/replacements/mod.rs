//! Replacements of delivered serials: shops ask, merchants decide, both read.

pub(crate) mod carry;
pub(crate) mod decide;
pub(crate) mod list;
pub(crate) mod request;

use engine::replacements::{DecidedBy, Replacement};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::time::Time;

/// A replacement as the shop reads it that asked for it.
#[derive(Serialize, ToSchema)]
#[schema(as = Replacement)]
pub(crate) struct ReplacementAnswer {
    id: String,
    uniqid: String,
    fulfillment_id: String,
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
        Self {
            uniqid: id.clone(),
            id,
            fulfillment_id: one.fulfillment.to_string(),
            item_id: one.serial.item().to_string(),
            new_item_id: one.successor.map(|serial| serial.item().to_string()),
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
