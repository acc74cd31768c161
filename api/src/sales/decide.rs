//! `POST /dev/v1/resellers/{id}/commissions/{com}/approve` and `/reverse`: the merchant decides before the
//! hold is over, or against a commission.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{CommissionId, RelationshipId},
    sales::{NOTE_CHARS_MAX, WrongStatus},
};
use persistence::sales::decide::{Verdict, decide};
use serde::Deserialize;
use utoipa::ToSchema;

use super::CommissionView;
use crate::{
    auth::{MerchantKey, scope::ResellerPayoutsWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing, texts},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReverseCommission {
    /// Which the reseller reads.
    reason: String,
}

type Ids = (RelationshipId, CommissionId);

pub(crate) async fn dev_approve(
    State(app): State<App>,
    caller: MerchantKey<ResellerPayoutsWrite>,
    PathIds(ids): PathIds<Ids>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, _: Nothing| answer(app, caller, ids, Verdict::Approve);
    once.run(app, caller, work).await
}

pub(crate) async fn dev_reverse(
    State(app): State<App>,
    caller: MerchantKey<ResellerPayoutsWrite>,
    PathIds(ids): PathIds<Ids>,
    once: Once<ReverseCommission>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire: ReverseCommission| async move {
        let reason = texts::lines(Some(wire.reason), "reason", NOTE_CHARS_MAX)?;
        let reason = reason.ok_or_else(|| ApiError::field("reason", "is missing"))?;
        answer(app, caller, ids, Verdict::Reverse(reason)).await
    };
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellerPayoutsWrite>,
    (relationship, id): Ids,
    verdict: Verdict,
) -> Result<Response, ApiError> {
    let of = ((caller.merchant_id(), relationship), id.sale());
    let random = Arc::clone(app.engine.random());
    let by = (caller.actor(), app.now());
    let decided = decide(&app.database, random, of, verdict, by).await?;
    let decided = decided.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let (sale, again) = decided.map_err(|WrongStatus(status)| {
        let said = "The status of the commission, or of its sale, does not allow this.";
        ApiError::saying(Code::InvalidState, said).detail("status", status.name())
    })?;
    let shown = CommissionView::of(&sale, caller.currency());
    Ok(Answer::stepped(again, shown).into_response())
}
