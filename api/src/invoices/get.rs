//! `GET /dev/v1/invoices/{inv}`: one invoice.

use axum::extract::State;
use engine::ids::InvoiceId;

use super::{InvoiceView, owned_by, view};
use crate::{
    auth::{MerchantKey, scope::ResellerSalesRead},
    error::ApiError,
    extract::PathIds,
    state::App,
    wire::answer::Answer,
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerSalesRead>,
    PathIds(id): PathIds<InvoiceId>,
) -> Result<Answer<InvoiceView>, ApiError> {
    let found = owned_by(&app, caller.merchant_id(), id).await?;
    let at = (caller.currency(), app.now());
    Ok(Answer::ok(view(&app, &found, at).await?))
}
