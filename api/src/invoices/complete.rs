//! `POST /dev/v1/invoices/{inv}/complete`: the merchant saw the money that the invoice asks for.

use axum::{extract::State, response::Response};
use engine::{ids::InvoiceId, payments::Purpose};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{answer, owned_by, topped_up};
use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    balances::owner::Asker,
    checkout,
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    stock_requests::pay::with_its_purchase,
    top_ups::mark_paid::{MarkPaid, marked, reference},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompleteInvoice {
    /// Under which the money is found again; it pays one invoice only.
    reference: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(id): PathIds<InvoiceId>,
    once: Once<CompleteInvoice>,
) -> Result<Response, ApiError> {
    let work = move |app: App, caller: MerchantKey<BalanceWrite>, wire: CompleteInvoice| async move {
        let found = owned_by(&app, caller.merchant_id(), id).await?;
        let (already, invoice) = match found.purpose {
            Purpose::TopUp => {
                let asker = Asker::merchant(&app, &caller, topped_up(&found)?).await?;
                let word = MarkPaid {
                    amount: None,
                    reference: wire.reference,
                };
                marked(&app, asker, id, word).await?
            }
            Purpose::Checkout => {
                let word = reference(wire.reference)?;
                checkout::pay::marked(&app, found, word, caller.actor()).await?
            }
            Purpose::StockRequest => return Err(with_its_purchase(&found, app.now())),
        };
        answer(&app, &caller, (already, &invoice)).await
    };
    once.run(app, caller, work).await
}
