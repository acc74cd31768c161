//! Money for a purchase is there, because its provider says so, or its merchant: it is stored, and the serials follow
//! or it goes to the balance. What a provider takes back of it is taken back.
//!
//! Keeps: what arrives in time buys the purchase; what arrives after its end buys it as long as it can be had at its
//! price, and otherwise goes to the balance. A provider's word buys late only what its reseller could ask for now,
//! for no more; the merchant's word is a yes to the price that was agreed on. Which of both it is, is decided with the
//! row in hand: whether its units are kept, who ended it, and what else counts, only that says. What is stored is
//! carried out by a job, if whoever stored it ended.

use engine::{
    audit::Actor,
    fulfillments::{Purchase, Request, policy},
    ids::{InvoiceId, MerchantId, StockRequestId},
    money::{Currency, Money},
    payments::{Invoice, Provider as _, Snapshot},
    stock_requests::{Event, NotAccepted, OncePaid, Status, StockRequest},
};
use persistence::{
    owned, programs,
    sales::refund::Wanted,
    stock_requests::{self, Limits, NotGivenBack, NotSettled, Said, Settled, TakenBack, find_of},
    top_ups::Refused,
};

use super::{
    carry::{allocate_paid, carry},
    compared, counted,
    give_back::{give_back, room_for},
    turns::Turn,
};
use crate::{
    error::{ApiError, Code},
    payments::{Manual, Word},
    state::App,
    top_ups::owed,
};

/// Why a purchase ended that its reseller paid.
const REVERSED: &str = "PAYMENT_REVERSED";

/// Whose word it is that money is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Merchant,
    Provider,
}

/// What its price brings about, and what if the end of the purchase is stored by then: of one that is over, only
/// what can still be had.
async fn once_paid(app: &App, found: &StockRequest, by: By) -> Result<OncePaid, ApiError> {
    let paid_if = |can| if can { Event::Paid } else { Event::PaidInVain };
    if found.paid_at.is_some() {
        return Ok(OncePaid {
            event: Event::Paid,
            if_over: Event::Paid,
        });
    }
    let allowed = is_allowed(app, found, by).await?;
    let stock = app.engine.stock(found.scope.merchant, found.sku).await?;
    let there = stock.available >= u64::from(found.quantity);
    // Its time may be over, and nobody noted that: its units are kept.
    let kept = found.status == Status::Invoiced;
    Ok(OncePaid {
        event: paid_if(!is_over(app, found) || allowed && (kept || there)),
        if_over: paid_if(allowed && there),
    })
}

/// The same, unless its balance could not hold what would go back to it.
pub(super) async fn once_paid_in_full(
    app: &App,
    found: &StockRequest,
) -> Result<OncePaid, ApiError> {
    let once = once_paid(app, found, By::Merchant).await?;
    if [once.event, once.if_over].contains(&Event::PaidInVain) && is_over(app, found) {
        room_for(app, found.scope, found.total).await?;
    }
    Ok(once)
}

fn is_over(app: &App, found: &StockRequest) -> bool {
    let status = found.status_at(app.now());
    matches!(status, Status::Cancelled | Status::Expired)
}

/// Whether the reseller may still buy it: at the price that was agreed on if its merchant says so, else if it costs no
/// more by now.
async fn is_allowed(app: &App, found: &StockRequest, by: By) -> Result<bool, ApiError> {
    let terms = app.engine.terms(found.scope.relationship).await?;
    let product = app.engine.product(found.sku.product).await?;
    let agreed = match by {
        By::Merchant => Some(found.agreed),
        By::Provider => None,
    };
    let purchase = Purchase {
        agreed,
        ..found.purchase()
    };
    let asked = Request::purchase(purchase, app.engine.vault());
    Ok(terms.is_some_and(|terms| {
        let quote = policy::quote(&terms, |_| product.as_deref(), &asked);
        quote.is_ok_and(|quote| quote.total <= found.total)
    }))
}

/// What the purchase limits are counted by; none of what is paid, or of a relationship that is gone.
async fn limits(app: &App, found: &StockRequest) -> Result<Option<Limits>, ApiError> {
    let terms = app.engine.terms(found.scope.relationship).await?;
    let Some(terms) = terms.filter(|_| found.paid_at.is_none()) else {
        return Ok(None);
    };
    Ok(Some(Limits {
        balance: found.scope.balance,
        terms,
        spending: app.engine.balance(found.scope).await?.spending,
    }))
}

/// Gives out what is paid, where the program does so by itself; how the purchase stands then.
pub(super) async fn allocate_if(
    app: &App,
    turn: &Turn<'_>,
    request: StockRequest,
    currency: Currency,
) -> Result<StockRequest, ApiError> {
    if request.status != Status::Paid {
        return Ok(request);
    }
    let program = programs::find(&app.database, request.scope.merchant).await?;
    if program.is_some_and(|program| program.auto_allocate) {
        return allocate_paid(app, turn, request, currency).await;
    }
    compared(app, &request).await;
    Ok(request)
}

/// The merchant saw the money for a purchase of which a provider tells as well: how it stands, and whether it was so
/// before.
pub(super) async fn marked(
    app: &App,
    turn: &Turn<'_>,
    (found, currency): (StockRequest, Currency),
    (reference, actor): (Option<String>, Actor),
) -> Result<(StockRequest, bool), ApiError> {
    let invoice = found.invoice();
    let invoice = invoice.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let word = Word {
        amount: None,
        reference: reference.clone(),
    };
    let said = Said {
        snapshot: Manual::saying(word).fetch(invoice).await?,
        once: once_paid_in_full(app, &found).await?,
        limits: None,
        reference,
    };
    let of = (found.scope.merchant, found.id);
    let by = (
        (actor, "stock_request.mark_paid"),
        app.engine.random().clone(),
    );
    let settled = stock_requests::settle(&app.database, of, said, by, app.now()).await?;
    let settled = settled.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let settled = settled.map_err(|refused| match refused {
        NotSettled::Contradiction(found) => {
            let said = "It was paid otherwise, or a part of it was. Nothing was changed.";
            let stands = found.bill_status(app.now()).name();
            ApiError::saying(Code::InvalidState, said).detail("status", stands)
        }
        NotSettled::SourceTaken => reference_taken(),
    })?;
    let already = settled.already;
    let carried = carried(app, turn, settled, currency).await;
    Ok((carried.map_err(ApiError::after_change)?, already))
}

/// What the merchant finds the money by paid something else.
pub(super) fn reference_taken() -> ApiError {
    let said = "This reference paid another purchase. Nothing was changed.";
    let error = ApiError::saying(Code::AlreadyExists, said);
    error.detail("reference", "belongs to another purchase")
}

/// A provider was asked what arrived; false if that contradicts what was taken in before. To be called in a task of
/// its own.
pub(crate) async fn taken_in(
    app: &App,
    of: (MerchantId, InvoiceId),
    snapshot: Snapshot,
    by: Actor,
) -> Result<bool, ApiError> {
    let (turn, found, currency) = turn_of(app, of).await?;
    let said = Said {
        snapshot,
        once: once_paid(app, &found, By::Provider).await?,
        limits: limits(app, &found).await?,
        reference: None,
    };
    let (db, of) = (&app.database, (of.0, found.id));
    let by = ((by, "stock_request.settle"), app.engine.random().clone());
    let settled = stock_requests::settle(db, of, said, by, app.now()).await?;
    match settled.ok_or_else(|| ApiError::new(Code::InternalError))? {
        Err(NotSettled::Contradiction(_) | NotSettled::SourceTaken) => Ok(false),
        Ok(settled) => {
            // What cannot be carried out now is by those who look for what waits.
            if let Err(error) = carried(app, &turn, settled, currency).await {
                let code = error.code().name();
                tracing::warn!(stock_request.id = %of.1, code, "a paid purchase waits on: {code}");
            }
            Ok(true)
        }
    }
}

/// The merchant takes what arrived for what was asked for: whether that was so before, and how the invoice stands.
pub(crate) async fn accepted(
    app: &App,
    of: (MerchantId, InvoiceId),
    actor: Actor,
) -> Result<(bool, Invoice), ApiError> {
    let app = app.clone();
    owned(async move {
        let (turn, found, currency) = turn_of(&app, of).await?;
        let once = once_paid_in_full(&app, &found).await?;
        let (db, stock) = (&app.database, (of.0, found.id));
        let by = (actor, "stock_request.accept");
        let accepted = stock_requests::accept(db, stock, once, by, app.now()).await?;
        let accepted = accepted.ok_or_else(|| ApiError::new(Code::NotFound))?;
        let settled = accepted.map_err(|NotAccepted(status)| {
            let said = "Nothing arrived that could be taken for what is asked.";
            ApiError::saying(Code::InvalidState, said).detail("status", status.name())
        })?;
        let already = settled.already;
        let carried = carried(&app, &turn, settled, currency).await;
        let request = carried.map_err(ApiError::after_change)?;
        Ok((already, invoice_of(request)?))
    })
    .await
}

/// The merchant gave money back that arrived and bought nothing: whether it was so before, and how the invoice
/// stands.
pub(crate) async fn refunded(
    app: &App,
    of: (MerchantId, InvoiceId),
    wanted: Wanted,
    actor: Actor,
) -> Result<Result<(bool, Invoice), Refused>, ApiError> {
    let (_turn, found, _) = turn_of(app, of).await?;
    let (db, stock, by) = (
        &app.database,
        (of.0, found.id),
        (actor, "stock_request.refund"),
    );
    let given = stock_requests::give_back(db, stock, wanted, by, app.now()).await?;
    Ok(match given.ok_or_else(|| ApiError::new(Code::NotFound))? {
        Ok((request, already)) => Ok((already, invoice_of(request)?)),
        Err(NotGivenBack::Purchase(refused)) => Err(Refused::Invoice(refused)),
        Err(NotGivenBack::Mismatch) => Err(Refused::ReferenceTaken),
    })
}

/// A payment of this much did not come after all: what has no serials yet ends, and what is the reseller's already is
/// taken from its balance. To be called in a task of its own.
pub(crate) async fn reversed(
    app: &App,
    of: (MerchantId, InvoiceId),
    (payment, wanted): (Money, Wanted),
    actor: Actor,
) -> Result<(), ApiError> {
    let (turn, found, currency) = turn_of(app, of).await?;
    let stock = (of.0, found.id);
    // What is under way is known first.
    match carry(app, &turn, found, currency).await {
        Err(error) if error.code() == Code::OutOfStock => {}
        carried => {
            carried?;
        }
    }
    let (db, by) = (&app.database, ((actor, "stock_request.reverse"), REVERSED));
    let reversed = stock_requests::reverse(db, stock, (payment, wanted), by, app.now()).await?;
    let Some(TakenBack {
        request,
        refund,
        taking,
    }) = reversed
    else {
        return Ok(());
    };
    if request.status == Status::Cancelled {
        compared(app, &request).await;
    }
    counted(app, &request).await?;
    if let Some(refund) = refund {
        give_back(app, refund).await?;
    }
    match taking {
        Some(taking) => owed::take(app, taking).await,
        None => Ok(()),
    }
}

/// Whose turn it is, and how the purchase stands.
async fn turn_of(
    app: &App,
    (merchant, id): (MerchantId, InvoiceId),
) -> Result<(Turn<'_>, StockRequest, Currency), ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    // An invoice is its purchase, under another prefix.
    let id = StockRequestId::from_uuid(id.uuid());
    let turn = app.turns.take(id).await;
    let found = find_of(&app.database, merchant, id).await?;
    let shop = app.engine.merchant(merchant).await?.ok_or_else(missing)?;
    Ok((turn, found.ok_or_else(missing)?, shop.currency))
}

/// What was stored is carried out; how the purchase stands then.
async fn carried(
    app: &App,
    turn: &Turn<'_>,
    settled: Settled,
    currency: Currency,
) -> Result<StockRequest, ApiError> {
    let Settled {
        request, refunds, ..
    } = settled;
    counted(app, &request).await?;
    for refund in refunds {
        give_back(app, refund).await?;
    }
    allocate_if(app, turn, request, currency).await
}

fn invoice_of(request: StockRequest) -> Result<Invoice, ApiError> {
    let invoice = request.bill.and_then(|bill| bill.invoice);
    let invoice = invoice.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(*invoice)
}

/// An invoice of a purchase is cancelled and marked paid with it.
pub(crate) fn with_its_purchase(invoice: &Invoice, now: engine::clock::Timestamp) -> ApiError {
    let said = "It is the invoice of a purchase: cancel that, or mark it paid.";
    let error = ApiError::saying(Code::InvalidState, said);
    error.detail("status", invoice.status_at(now).name())
}
