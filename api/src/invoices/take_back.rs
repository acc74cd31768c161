//! `POST /dev/v1/invoices/{inv}/refund` and `/dispute`: money of an invoice that was paid goes back, or somebody
//! says that it must.
//!
//! Keeps the order: where the invoice stands is stored, the money is taken out of the balance, answered. A
//! reference takes back once; what a crash cut off is taken by a job. What a customer paid is in no balance: its
//! refund ends the purchase once the whole price went back, and a dispute about it is one about its sales.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::InvoiceId,
    money::Money,
    payments::{Act, Dispute, Invoice, NotTakenBack, Purpose},
};
use persistence::{
    checkout, owned,
    sales::refund as customers,
    top_ups::{self, Refused, Wanted},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{InvoiceView, owned_by, topped_up};
use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    checkout::refund::{NotRefunded, refunded},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    stock_requests,
    top_ups::owed,
    wire::{
        answer::Answer,
        money::{Amount, MoneyText},
        texts,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundInvoice {
    /// What you gave back; else the rest.
    amount: Option<Amount>,
    refund_ref: String,
    reason: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisputeInvoice {
    /// OPENED, WON or LOST.
    outcome: String,
}

pub(crate) async fn refund(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(id): PathIds<InvoiceId>,
    once: Once<RefundInvoice>,
) -> Result<Response, ApiError> {
    let work = move |app: App, caller: MerchantKey<BalanceWrite>, wire: RefundInvoice| async move {
        let found = owned_by(&app, caller.merchant_id(), id).await?;
        let amount = wire
            .amount
            .map(|sent| sent.read(caller.currency(), "amount"));
        let amount = amount.transpose()?;
        if amount.is_some_and(|amount| amount <= Money::ZERO) {
            return Err(ApiError::field("amount", "must be above zero"));
        }
        let reference = texts::refund_ref(wire.refund_ref)?;
        let note = texts::line(wire.reason, "reason", texts::REASON_CHARS_MAX)?;
        match found.purpose {
            Purpose::TopUp => {
                let wanted = Wanted {
                    act: Act::Refund(amount),
                    reference,
                    note,
                };
                answer(app, caller, found, wanted).await
            }
            Purpose::Checkout => {
                let wanted = customers::Wanted {
                    amount,
                    reference,
                    note,
                };
                of_customer(&app, &caller, found, wanted).await
            }
            Purpose::StockRequest => {
                let wanted = customers::Wanted {
                    amount,
                    reference,
                    note,
                };
                let (of, by) = ((found.merchant, found.id), caller.actor());
                let done = stock_requests::pay::refunded(&app, of, wanted, by).await?;
                let done = done.map_err(|refused| refusal(&refused, caller.currency()))?;
                super::answer(&app, &caller, (done.0, &done.1)).await
            }
        }
    };
    once.run(app, caller, work).await
}

pub(crate) async fn dispute(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(id): PathIds<InvoiceId>,
    once: Once<DisputeInvoice>,
) -> Result<Response, ApiError> {
    let work = move |app: App, caller: MerchantKey<BalanceWrite>, wire: DisputeInvoice| async move {
        let found = owned_by(&app, caller.merchant_id(), id).await?;
        let outcome = texts::word(Some(wire.outcome), "outcome", Dispute::parse)?;
        let dispute = outcome.ok_or_else(|| ApiError::field("outcome", "is missing"))?;
        match found.purpose {
            Purpose::TopUp => {
                let wanted = Wanted {
                    act: dispute.act(),
                    // A dispute is lost once.
                    reference: format!("{}dispute:{id}", texts::OWN_REFERENCES),
                    note: None,
                };
                answer(app, caller, found, wanted).await
            }
            Purpose::Checkout => of_purchase(&app, &caller, &found, dispute).await,
            Purpose::StockRequest => {
                let said = "A reseller's purchase has no dispute here: it is cancelled or revoked.";
                Err(ApiError::saying(Code::InvalidState, said))
            }
        }
    };
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<BalanceWrite>,
    found: Invoice,
    wanted: Wanted,
) -> Result<Response, ApiError> {
    let currency = caller.currency();
    let of = ((found.merchant, topped_up(&found)?), found.id);
    let by = (caller.actor(), app.now());
    // One task for both steps: what is stored is also taken.
    let doing = owned(async move {
        let done = top_ups::take_back(&app.database, of, wanted, by).await?;
        let done = done.ok_or_else(|| ApiError::new(Code::NotFound))?;
        let done = done.map_err(|refused| refusal(&refused, currency))?;
        if let Some(taking) = done.taking {
            let taken = owed::take(&app, taking).await;
            taken.map_err(ApiError::after_change)?;
        }
        let view = InvoiceView::of(&done.invoice, None, (currency, app.now()));
        Ok::<_, ApiError>((done.already, view))
    });
    let (already, view) = doing.await?;
    Ok(Answer::stepped(already, view).into_response())
}

async fn of_purchase(
    app: &App,
    caller: &MerchantKey<BalanceWrite>,
    found: &Invoice,
    dispute: Dispute,
) -> Result<Response, ApiError> {
    let of = (found.merchant, found.id);
    let by = (caller.actor(), app.engine.random().clone());
    let own = app.clone();
    // One task: the turn is held until it is stored, whether or not the caller waits.
    let done = owned(async move {
        let _turn = own.turns.of_invoice(of.1).await;
        checkout::dispute(&own.database, of, dispute, by, own.now()).await
    });
    let done = done.await?;
    let done = done.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let (invoice, already) =
        done.map_err(|refused| refusal(&Refused::Invoice(refused), caller.currency()))?;
    super::answer(app, caller, (already, &invoice)).await
}

async fn of_customer(
    app: &App,
    caller: &MerchantKey<BalanceWrite>,
    found: Invoice,
    wanted: customers::Wanted,
) -> Result<Response, ApiError> {
    let of = (found.merchant, found.id);
    let done = refunded(app, of, (wanted, None), caller.actor()).await?;
    let (already, invoice) = done.map_err(|refused| {
        let refused = match refused {
            NotRefunded::Invoice(refused) => Refused::Invoice(refused),
            NotRefunded::Mismatch => Refused::ReferenceTaken,
        };
        refusal(&refused, caller.currency())
    })?;
    super::answer(app, caller, (already, &invoice)).await
}

fn refusal(refused: &Refused, currency: engine::money::Currency) -> ApiError {
    match refused {
        Refused::ReferenceTaken => {
            let said = "This reference belongs to another refund. Nothing was changed.";
            ApiError::saying(Code::AlreadyExists, said)
                .detail("refund_ref", "belongs to another refund")
        }
        Refused::Invoice(NotTakenBack::Excess { rest }) => {
            let rest = MoneyText(currency, *rest).to_string();
            ApiError::new(Code::AmountOutOfRange).detail("rest", rest)
        }
        Refused::Invoice(NotTakenBack::Status(status)) => {
            let said = "The status of the invoice does not allow this.";
            ApiError::saying(Code::InvalidState, said).detail("status", status.name())
        }
    }
}
