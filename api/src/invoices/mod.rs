//! A merchant's invoices, whoever they are for: read, completed, accepted, cancelled, taken back, replaced. Those
//! that top balances up live as [`crate::top_ups`] says, those of customers as [`crate::checkout`].

pub(crate) mod accept;
pub(crate) mod cancel;
pub(crate) mod complete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod replace;
pub(crate) mod take_back;

use std::collections::BTreeMap;

use axum::response::{IntoResponse as _, Response};
use engine::{
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, RelationshipId},
    money::Currency,
    payments::Invoice,
};
use persistence::{
    checkout::{self, Purchase},
    top_ups,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    error::{ApiError, Code},
    state::App,
    top_ups::{InvoiceLineView, TopUpView},
    wire::answer::Answer,
};

/// An invoice as its merchant reads it.
#[derive(Serialize, ToSchema)]
#[schema(as = Invoice)]
pub(crate) struct InvoiceView {
    #[serde(flatten)]
    top_up: TopUpView,
    /// Whose balance it tops up, or who brought the customer.
    reseller_id: Option<String>,
    /// What your shop sent with the customer's visit.
    metadata: BTreeMap<String, String>,
}

impl InvoiceView {
    fn of(
        invoice: &Invoice,
        bought: Option<&Purchase>,
        (currency, now): (Currency, Timestamp),
    ) -> Self {
        let mut top_up = TopUpView::of(invoice, currency, now);
        if let Some(bought) = bought {
            let lines = bought.lines.iter();
            let lines = lines.map(|line| InvoiceLineView::of(line, currency));
            top_up.lines = lines.collect();
            top_up.customer_email.clone_from(&bought.customer);
        }
        let metadata = bought.map(|bought| bought.metadata.clone());
        Self {
            top_up,
            reseller_id: invoice.relationship.map(|id| id.to_string()),
            metadata: metadata.unwrap_or_default(),
        }
    }
}

/// These invoices of one merchant, with what they are for.
async fn views(
    app: &App,
    merchant: MerchantId,
    invoices: &[Invoice],
    (currency, now): (Currency, Timestamp),
) -> Result<Vec<InvoiceView>, ApiError> {
    let ids: Vec<InvoiceId> = invoices.iter().map(|invoice| invoice.id).collect();
    let bought = checkout::lines(&app.database, merchant, &ids).await?;
    let views = invoices.iter();
    let view = |one: &Invoice| InvoiceView::of(one, bought.get(&one.id), (currency, now));
    Ok(views.map(view).collect())
}

/// One of them.
async fn view(
    app: &App,
    invoice: &Invoice,
    (currency, now): (Currency, Timestamp),
) -> Result<InvoiceView, ApiError> {
    let of = invoice.merchant;
    let views = views(app, of, std::slice::from_ref(invoice), (currency, now)).await?;
    let view = views.into_iter().next();
    view.ok_or_else(|| ApiError::new(Code::InternalError))
}

/// An invoice that was changed, or was so before.
async fn answer(
    app: &App,
    caller: &MerchantKey<BalanceWrite>,
    (already, invoice): (bool, &Invoice),
) -> Result<Response, ApiError> {
    let view = view(app, invoice, (caller.currency(), app.now())).await;
    let view = view.map_err(ApiError::after_change)?;
    Ok(Answer::stepped(already, view).into_response())
}

/// Whose balance a top-up is for.
fn topped_up(invoice: &Invoice) -> Result<RelationshipId, ApiError> {
    let relationship = invoice.relationship;
    relationship.ok_or_else(|| ApiError::new(Code::InternalError))
}

/// The merchant's invoice with this id, or 404.
async fn owned_by(app: &App, merchant: MerchantId, id: InvoiceId) -> Result<Invoice, ApiError> {
    let found = top_ups::find_of(&app.database, merchant, id).await?;
    found.ok_or_else(|| ApiError::new(Code::NotFound))
}
