//! `POST /dev/v1/resellers/replacements/{rpl}/issue`, `/credit` and `/reject`: the merchant decides.
//!
//! Keeps: a request is decided once; what is decided is carried out, now or later, whoever stops waiting.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::ReplacementId,
    replacements::{Bought, NOTE_CHARS_MAX, Refusal, Replacement, Status},
};
use persistence::{
    fulfillments::get,
    owned,
    replacements::{
        decide::{Decided, Verb, decide},
        list,
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{MerchantReplacement, carry::carry, request::refused};
use crate::{
    auth::{MerchantKey, scope::ResellerStockWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    stock_requests::give_back::room_for,
    wire::{answer::Answer, texts},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueReplacement {
    note: Option<String>,
    /// Also if what was paid was given back.
    #[serde(rename = "override")]
    despite: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideReplacement {
    note: Option<String>,
}

pub(crate) async fn dev_issue(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds(id): PathIds<ReplacementId>,
    once: Once<IssueReplacement>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire: IssueReplacement| async move {
        if wire.despite != Some(true) {
            check_unrefunded(&app, &caller, id).await?;
        }
        answer(app, caller, (id, Verb::Issue), wire.note).await
    };
    once.run(app, caller, work).await
}

pub(crate) async fn dev_credit(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds(id): PathIds<ReplacementId>,
    once: Once<DecideReplacement>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire: DecideReplacement| async move {
        check_room(&app, &caller, id).await?;
        answer(app, caller, (id, Verb::Credit), wire.note).await
    };
    once.run(app, caller, work).await
}

pub(crate) async fn dev_reject(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds(id): PathIds<ReplacementId>,
    once: Once<DecideReplacement>,
) -> Result<Response, ApiError> {
    let what = (id, Verb::Reject);
    let work = move |app, caller, wire: DecideReplacement| answer(app, caller, what, wire.note);
    once.run(app, caller, work).await
}

/// What goes back for an item of an inventory is stored before it is credited.
async fn check_room(
    app: &App,
    caller: &MerchantKey<ResellerStockWrite>,
    id: ReplacementId,
) -> Result<(), ApiError> {
    let found = list::find(&app.database, caller.merchant_id(), id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    match (found.status, &found.bought) {
        (Status::Requested, Bought::Wholesale(_)) => {
            room_for(app, found.scope, found.unit_price).await
        }
        _ => Ok(()),
    }
}

async fn check_unrefunded(
    app: &App,
    caller: &MerchantKey<ResellerStockWrite>,
    id: ReplacementId,
) -> Result<(), ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let found = list::find(&app.database, caller.merchant_id(), id).await?;
    let found = found.ok_or_else(missing)?;
    // What becomes of an item of an inventory is looked at with the decision.
    let Bought::Fulfillment { id, .. } = found.bought else {
        return Ok(());
    };
    let fulfillment = get::find(&app.database, found.scope, id).await?;
    let refunded = fulfillment.ok_or_else(missing)?.is_refunded(found.serial);
    if found.status == Status::Requested && refunded {
        return Err(refused(Refusal::Refunded));
    }
    Ok(())
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellerStockWrite>,
    (id, verb): (ReplacementId, Verb),
    note: Option<String>,
) -> Result<Response, ApiError> {
    let note = texts::lines(note, "note", NOTE_CHARS_MAX)?;
    let of = (caller.merchant_id(), id);
    let by = (caller.actor(), app.now());
    // One task for both steps: what is decided is also carried out.
    let done = owned(async move {
        let decided = decide(&app.database, of, verb, note, by).await?;
        let (decided, again) = match decided.ok_or_else(|| ApiError::new(Code::NotFound))? {
            Decided::Fresh(decided) => (decided, false),
            Decided::Again(decided) => (decided, true),
            Decided::Otherwise(found) => return Err(otherwise(&found)),
            Decided::Gone => return Err(refused(Refusal::Gone)),
        };
        let carried = carry(&app, decided).await.map_err(ApiError::after_change)?;
        Ok::<_, ApiError>((carried, again))
    });
    let (done, again) = done.await?;
    // The shelf was empty: the decision was taken back, and nothing is changed.
    if done.status == Status::Requested {
        return Err(ApiError::new(Code::OutOfStock));
    }
    let shown = MerchantReplacement::of(&done);
    Ok(Answer::stepped(again, shown).into_response())
}

pub(super) fn otherwise(found: &Replacement) -> ApiError {
    let error = ApiError::new(Code::InvalidState);
    error.detail("status", found.status.told())
}
