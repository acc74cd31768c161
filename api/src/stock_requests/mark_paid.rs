//! `POST /dev/v1/resellers/{id}/stock-transfers/{transferId}/mark-paid`: the merchant saw the money.
//!
//! Keeps: it is said once, and what it brings about is what it would if a provider told of it ([`super::pay`]).

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::{MerchantId, RelationshipId, StockRequestId},
    money::Currency,
    stock_requests::StockRequest,
};
use persistence::{
    owned,
    stock_requests::{Step, Steps, find, step},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    StockRequestView, counted,
    give_back::give_back,
    invoice::wrong,
    pay::{allocate_if, marked, once_paid_in_full, reference_taken},
};
use crate::{
    auth::{MerchantKey, scope::ResellerStockWrite},
    balances::owner::scope_of,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, texts},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkStockPaid {
    /// Under which the money is found again; it pays one purchase only.
    reference: Option<String>,
}

/// Which purchase, what the money is found by, and who saw it.
struct Seen {
    merchant: MerchantId,
    relationship: RelationshipId,
    id: StockRequestId,
    currency: Currency,
    reference: Option<String>,
    actor: Actor,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, StockRequestId)>,
    once: Once<MarkStockPaid>,
) -> Result<Response, ApiError> {
    let work = move |app: App, caller: MerchantKey<ResellerStockWrite>, wire: MarkStockPaid| async move {
        let reference = wire.reference;
        let reference =
            reference.map(|text| texts::one_line(text, "reference", texts::REFERENCE_CHARS_MAX));
        let seen = Seen {
            merchant: caller.merchant_id(),
            relationship,
            id,
            currency: caller.currency(),
            reference: reference.transpose()?,
            actor: caller.actor(),
        };
        let (currency, now) = (seen.currency, app.now());
        // One task for all of it: what is paid is allocated or goes back, whether or not the caller waits.
        let (request, again) = owned(paid(app, seen)).await?;
        let view = StockRequestView::of(&request, currency, now);
        Ok(Answer::stepped(again, view).into_response())
    };
    once.run(app, caller, work).await
}

async fn paid(app: App, seen: Seen) -> Result<(StockRequest, bool), ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let turn = app.turns.take(seen.id).await;
    let scope = scope_of(&app, seen.merchant, seen.relationship).await?;
    let found = find(&app.database, scope, seen.id).await?;
    let found = found.ok_or_else(missing)?;
    if found.invoice().is_some() {
        let said = (seen.reference, seen.actor);
        return Box::pin(marked(&app, &turn, (found, seen.currency), said)).await;
    }
    let once = once_paid_in_full(&app, &found).await?;
    let paid = Step {
        if_over: Some(once.if_over),
        payment_reference: seen.reference.clone(),
        ..Step::by(once.event, seen.actor, "stock_request.mark_paid")
    };
    let of = (seen.merchant, Some(seen.relationship));
    let stepped = step(&app.database, of, seen.id, paid, app.now()).await?;
    let (request, refund) = match stepped.ok_or_else(missing)? {
        Steps::To(request, refund) => (*request, refund),
        Steps::Already(request) => return again(*request, seen.reference.as_deref()),
        Steps::Wrong(found) => return Err(wrong(&found, app.now())),
        Steps::ReferenceTaken => return Err(reference_taken()),
    };
    counted(&app, &request).await?;
    if let Some(refund) = refund {
        let given = give_back(&app, refund).await;
        given.map_err(ApiError::after_change)?;
    }
    let allocated = allocate_if(&app, &turn, request, seen.currency).await;
    Ok((allocated.map_err(ApiError::after_change)?, false))
}

fn again(request: StockRequest, reference: Option<&str>) -> Result<(StockRequest, bool), ApiError> {
    let same = reference.is_none_or(|said| request.payment_reference.as_deref() == Some(said));
    if same && request.entry.is_none() {
        return Ok((request, true));
    }
    let said = if same {
        "The balance paid it. Nothing was changed."
    } else {
        "It was marked paid with another reference. Nothing was changed."
    };
    Err(ApiError::saying(Code::InvalidState, said))
}
