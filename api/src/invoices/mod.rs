//! A merchant's invoices, whoever they are for: read, completed, cancelled, taken back. Those that there are top
//! balances up; how they live is said in [`crate::top_ups`].

pub(crate) mod cancel;
pub(crate) mod complete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod take_back;

use engine::{
    clock::Timestamp,
    ids::{InvoiceId, MerchantId},
    money::Currency,
    payments::Invoice,
};
use persistence::top_ups;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    error::{ApiError, Code},
    state::App,
    top_ups::TopUpView,
};

/// An invoice as its merchant reads it.
#[derive(Serialize, ToSchema)]
#[schema(as = Invoice)]
pub(crate) struct InvoiceView {
    #[serde(flatten)]
    top_up: TopUpView,
    /// Whose balance it tops up.
    reseller_id: String,
}

impl InvoiceView {
    fn of(invoice: &Invoice, currency: Currency, now: Timestamp) -> Self {
        Self {
            top_up: TopUpView::of(invoice, currency, now),
            reseller_id: invoice.relationship.to_string(),
        }
    }
}

/// The merchant's invoice with this id, or 404.
async fn owned_by(app: &App, merchant: MerchantId, id: InvoiceId) -> Result<Invoice, ApiError> {
    let found = top_ups::find_of(&app.database, merchant, id).await?;
    found.ok_or_else(|| ApiError::new(Code::NotFound))
}
