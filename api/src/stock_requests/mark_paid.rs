//! `POST /dev/v1/resellers/{id}/stock-transfers/{transferId}/mark-paid`: the merchant saw the money.
//!
//! Keeps: it is said once. Money that comes for a purchase that is over buys it all the same, as long as it
//! can be had at its price; otherwise it goes to the balance. Which of both is decided with the row in hand:
//! whether its units are kept, only that says.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    fulfillments::{Request, policy},
    ids::{MerchantId, RelationshipId, StockRequestId},
    money::Currency,
    stock_requests::{Event, Status, StockRequest},
};
use persistence::{
    owned, programs,
    stock_requests::{Step, Steps, find, step},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    StockRequestView,
    carry::allocate_paid,
    counted,
    give_back::{give_back, room_for},
    invoice::wrong,
};
use crate::{
    auth::{MerchantKey, scope::ResellerStockWrite},
    balances::{credit::one_line, owner::scope_of},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::answer::Answer,
};

const REFERENCE_CHARS_MAX: usize = 128;

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
        let reference = reference.map(|text| one_line(text, "reference", REFERENCE_CHARS_MAX));
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
    let (event, if_over) = events(&app, &found).await?;
    if [event, if_over].contains(&Event::PaidInVain) && is_over(&app, &found) {
        room_for(&app, scope, found.total).await?;
    }
    let paid = Step {
        if_over: Some(if_over),
        payment_reference: seen.reference.clone(),
        ..Step::by(event, seen.actor, "stock_request.mark_paid")
    };
    let of = (seen.merchant, Some(seen.relationship));
    let stepped = step(&app.database, of, seen.id, paid, app.now()).await?;
    let (request, refund) = match stepped.ok_or_else(missing)? {
        Steps::To(request, refund) => (*request, refund),
        Steps::Already(request) => return again(*request, seen.reference.as_deref()),
        Steps::Wrong(found) => return Err(wrong(&found, app.now())),
        Steps::ReferenceTaken => {
            let said = "This reference paid another purchase. Nothing was changed.";
            let error = ApiError::saying(Code::AlreadyExists, said);
            return Err(error.detail("reference", "belongs to another purchase"));
        }
    };
    counted(&app, &request).await?;
    if let Some(refund) = refund {
        let given = give_back(&app, refund).await;
        given.map_err(ApiError::after_change)?;
    }
    let request = if request.status == Status::Paid && allocates(&app, seen.merchant).await? {
        let allocated = allocate_paid(&app, &turn, request, seen.currency).await;
        allocated.map_err(ApiError::after_change)?
    } else {
        request
    };
    Ok((request, false))
}

/// What the money brings about, and what if the end of the purchase is stored by then: of one that is over, only
/// what can still be had.
async fn events(app: &App, found: &StockRequest) -> Result<(Event, Event), ApiError> {
    if found.paid_at.is_some() {
        return Ok((Event::Paid, Event::Paid));
    }
    let paid_if = |can| if can { Event::Paid } else { Event::PaidInVain };
    let allowed = is_allowed(app, found).await?;
    let stock = app.engine.stock(found.scope.merchant, found.sku).await?;
    let there = stock.available >= u64::from(found.quantity);
    // Its time may be over, and nobody noted that: its units are kept.
    let kept = found.status == Status::Invoiced;
    let event = paid_if(!is_over(app, found) || allowed && (kept || there));
    Ok((event, paid_if(allowed && there)))
}

fn is_over(app: &App, found: &StockRequest) -> bool {
    let status = found.status_at(app.now());
    matches!(status, Status::Cancelled | Status::Expired)
}

/// Whether the reseller may still buy it.
async fn is_allowed(app: &App, found: &StockRequest) -> Result<bool, ApiError> {
    let terms = app.engine.terms(found.scope.relationship).await?;
    let product = app.engine.product(found.sku.product).await?;
    let asked = Request::purchase(found.purchase(), app.engine.vault());
    Ok(terms.is_some_and(|terms| {
        let quote = policy::quote(&terms, |_| product.as_deref(), &asked);
        quote.is_ok()
    }))
}

/// Whether what is paid gets its serials at once.
async fn allocates(app: &App, merchant: MerchantId) -> Result<bool, ApiError> {
    let program = programs::find(&app.database, merchant).await;
    let program = program.map_err(|error| ApiError::from(error).after_change())?;
    Ok(program.is_some_and(|program| program.auto_allocate))
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
