//! `POST /dev/v1/invoices/{inv}/cancel`: nobody will pay it.

use axum::{extract::State, response::Response};
use engine::{
    ids::InvoiceId,
    payments::{Invoice, Purpose, WrongStatus},
};
use persistence::checkout::{self, Ended};

use super::{answer, owned_by, topped_up};
use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    balances::owner::Asker,
    checkout::release,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    stock_requests::pay::with_its_purchase,
    top_ups,
    wire::fields::Nothing,
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(id): PathIds<InvoiceId>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let work = move |app: App, caller: MerchantKey<BalanceWrite>, Nothing {}| async move {
        let found = owned_by(&app, caller.merchant_id(), id).await?;
        let (invoice, already) = match found.purpose {
            Purpose::TopUp => {
                let asker = Asker::merchant(&app, &caller, topped_up(&found)?).await?;
                top_ups::cancel::cancelled(&app, asker, id).await?
            }
            Purpose::Checkout => of_customer(&app, &caller, id).await?,
            Purpose::StockRequest => return Err(with_its_purchase(&found, app.now())),
        };
        answer(&app, &caller, (already, &invoice)).await
    };
    once.run(app, caller, work).await
}

async fn of_customer(
    app: &App,
    caller: &MerchantKey<BalanceWrite>,
    id: InvoiceId,
) -> Result<(Invoice, bool), ApiError> {
    let (of, now) = ((caller.merchant_id(), id), app.now());
    let cancelled = checkout::cancel(&app.database, of, caller.actor(), now).await?;
    let cancelled = cancelled.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let (invoice, ended) = cancelled.map_err(|WrongStatus(status)| {
        let said = "Only an open invoice can be cancelled.";
        ApiError::saying(Code::InvalidState, said).detail("status", status.name())
    })?;
    let before = ended == Ended::Before;
    if let Ended::Now(freed) = ended {
        release(app, freed).await;
    }
    Ok((invoice, before))
}
