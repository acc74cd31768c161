//! `POST /dev/v1/resellers/sales/{sal}/refund`: the merchant gave a customer money back.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::SaleId,
    money::Money,
    sales::{Excess, NOTE_CHARS_MAX},
};
use persistence::sales::refund::{Outcome, Wanted, refund};
use serde::Deserialize;
use utoipa::ToSchema;

use super::SaleView;
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    balances::credit::one_line,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        money::{Amount, MoneyText},
        texts,
    },
};

const REFERENCE_CHARS_MAX: usize = 128;

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
    let wanted = Wanted {
        amount,
        reference: one_line(wire.refund_ref, "refund_ref", REFERENCE_CHARS_MAX)?,
        note: texts::lines(wire.reason, "reason", NOTE_CHARS_MAX)?,
    };
    let random = Arc::clone(app.engine.random());
    let (of, by) = ((caller.merchant_id(), id), (caller.actor(), app.now()));
    let outcome = refund(&app.database, random, of, wanted, by).await?;
    match outcome.ok_or_else(|| ApiError::new(Code::NotFound))? {
        Outcome::Fresh(sale) => Ok(Answer::ok(SaleView::of(&sale, currency)).into_response()),
        Outcome::Again(sale) => Ok(Answer::replayed(SaleView::of(&sale, currency)).into_response()),
        Outcome::Mismatch => {
            let said = "This reference belongs to another refund. Nothing was changed.";
            let error = ApiError::saying(Code::AlreadyExists, said);
            Err(error.detail("refund_ref", "belongs to another refund"))
        }
        Outcome::Excess(Excess { rest }) => {
            let rest = MoneyText(currency, rest).to_string();
            Err(ApiError::new(Code::AmountOutOfRange).detail("rest", rest))
        }
    }
}
