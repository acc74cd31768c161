//! `POST /dev/v1/resellers/sales/{sal}/refund`: the merchant gave a customer money back. Of a sale that was billed
//! here, it goes back of the invoice: once nothing of that is left, what was not delivered yet is delivered no more.
//! Who does that must be one who may do it to the invoice.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{InvoiceId, SaleId},
    money::{Currency, Money},
    sales::{Excess, NOTE_CHARS_MAX, Sale},
};
use persistence::sales::refund::{Outcome, Wanted, find, refund};
use serde::Deserialize;
use utoipa::ToSchema;

use super::SaleView;
use crate::{
    auth::{
        MerchantKey,
        scope::{BalanceWrite, ResellersWrite},
    },
    checkout::refund::{NotRefunded, refunded},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        money::{Amount, MoneyText},
        texts,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundSale {
    /// The rest of what was paid, if it is not sent.
    amount: Option<Amount>,
    /// Your own id of the refund: it is taken down once.
    refund_ref: String,
    reason: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds(id): PathIds<SaleId>,
    once: Once<RefundSale>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| answer(app, caller, id, wire);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellersWrite>,
    id: SaleId,
    wire: RefundSale,
) -> Result<Response, ApiError> {
    let currency = caller.currency();
    let amount = wire.amount.map(|amount| amount.read(currency, "amount"));
    let amount = amount.transpose()?;
    if amount.is_some_and(|amount| amount <= Money::ZERO) {
        return Err(ApiError::field("amount", "must be above zero"));
    }
    let reference = texts::refund_ref(wire.refund_ref)?;
    let wanted = Wanted {
        amount,
        reference,
        note: texts::lines(wire.reason, "reason", NOTE_CHARS_MAX)?,
    };
    let of = (caller.merchant_id(), id);
    let missing = || ApiError::new(Code::NotFound);
    let found = find(&app.database, of).await?.ok_or_else(missing)?;
    if let Some(invoice) = found.billed {
        caller.also::<BalanceWrite>()?;
        return billed(&app, &caller, (id, invoice), wanted).await;
    }
    let (random, by) = (Arc::clone(app.engine.random()), (caller.actor(), app.now()));
    let outcome = refund(&app.database, random, of, wanted, by).await?;
    match outcome.ok_or_else(missing)? {
        Outcome::Fresh(sale) => Ok(shown(&sale, currency, false)),
        Outcome::Again(sale) => Ok(shown(&sale, currency, true)),
        Outcome::Mismatch => Err(mismatch()),
        Outcome::Excess(Excess { rest }) => Err(excess(rest, currency)),
    }
}

async fn billed(
    app: &App,
    caller: &MerchantKey<ResellersWrite>,
    (id, invoice): (SaleId, InvoiceId),
    wanted: Wanted,
) -> Result<Response, ApiError> {
    let (merchant, currency) = (caller.merchant_id(), caller.currency());
    let done = refunded(app, (merchant, invoice), (wanted, Some(id)), caller.actor()).await?;
    let (already, _) = done.map_err(|refused| match (refused.excess(), refused) {
        (Some(rest), _) => excess(rest, currency),
        (None, NotRefunded::Mismatch) => mismatch(),
        (None, NotRefunded::Invoice(_)) => ApiError::new(Code::InvalidState),
    })?;
    let sale = find(&app.database, (merchant, id)).await;
    let sale = sale.map_err(|error| ApiError::from(error).after_change())?;
    let sale = sale.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(shown(&sale, currency, already))
}

fn shown(sale: &Sale, currency: Currency, already: bool) -> Response {
    let view = SaleView::of(sale, currency);
    if already {
        Answer::replayed(view).into_response()
    } else {
        Answer::ok(view).into_response()
    }
}

fn mismatch() -> ApiError {
    let said = "This reference belongs to another refund. Nothing was changed.";
    let error = ApiError::saying(Code::AlreadyExists, said);
    error.detail("refund_ref", "belongs to another refund")
}

fn excess(rest: Money, currency: Currency) -> ApiError {
    let rest = MoneyText(currency, rest).to_string();
    ApiError::new(Code::AmountOutOfRange).detail("rest", rest)
}
