//! `GET /dev/v1/audit-log`: who did what, newest first.

use axum::{extract::State, response::Response};
use persistence::audit::{self, Filter};

use super::AuditEntry;
use crate::{
    auth::{MerchantKey, scope::All},
    error::ApiError,
    extract::Query,
    state::App,
    wire::{filters, page::CursorPage},
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<All>,
    query: Query,
) -> Result<Response, ApiError> {
    let merchant = caller.merchant_id();
    let page = CursorPage::read(&query, &format!("audit-log {merchant}"))?;
    let before = page.position(|text| text.parse().ok())?;
    let text = |name| query.get(name).map(str::to_owned);
    let filter = Filter {
        actor: text("actor"),
        action: text("action"),
        target: text("target"),
        from: filters::time(&query, "from")?,
        to: filters::time(&query, "to")?,
    };
    let found = audit::list(&app.database, merchant, filter, before, page.limit).await?;
    let last = found.items.last().filter(|_| found.has_more);
    let next = last.map(|entry| entry.seq);
    let entries: Vec<_> = found.items.into_iter().map(AuditEntry::from).collect();
    Ok(page.answer(entries, next))
}
