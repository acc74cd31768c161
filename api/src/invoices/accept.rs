//! `POST /dev/v1/invoices/{inv}/accept`: the merchant takes what arrived for what was asked for.

use axum::{extract::State, response::Response};
use engine::{ids::InvoiceId, payments::Purpose};

use super::{answer, owned_by};
use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    checkout,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    stock_requests,
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
        let (of, by) = ((found.merchant, found.id), caller.actor());
        let accepted = match found.purpose {
            Purpose::Checkout => checkout::pay::accepted(&app, of, by).await?,
            Purpose::StockRequest => stock_requests::pay::accepted(&app, of, by).await?,
            Purpose::TopUp => {
                let said = "A top-up is credited with what arrives, however little it is.";
                let error = ApiError::saying(Code::InvalidState, said);
                return Err(error.detail("status", found.status_at(app.now()).name()));
            }
        };
        answer(&app, &caller, (accepted.0, &accepted.1)).await
    };
    once.run(app, caller, work).await
}
