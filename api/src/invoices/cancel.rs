//! `POST /dev/v1/invoices/{inv}/cancel`: nobody will pay it.

use axum::{extract::State, response::Response};
use engine::ids::InvoiceId;

use super::owned_by;
use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    balances::owner::Asker,
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
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
        let asker = Asker::merchant(&app, &caller, found.relationship).await?;
        top_ups::cancel::answer(app, asker, id).await
    };
    once.run(app, caller, work).await
}
