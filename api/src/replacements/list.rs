//! `GET /dev/v1/resellers/replacements`: what resellers asked for, newest first.

use axum::{extract::State, response::Response};
use engine::{
    ids::{ImportId, RelationshipId, ReplacementId},
    replacements::Status,
};
use persistence::replacements::list::{Filter, list};

use super::MerchantReplacement;
use crate::{
    auth::{MerchantKey, scope::ResellerStockRead},
    error::ApiError,
    extract::Query,
    state::App,
    wire::{page::CursorPage, texts::words},
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let merchant = caller.merchant_id();
    let page = CursorPage::read(&query, &format!("replacements {merchant}"))?;
    let before = page.position(ReplacementId::parse)?;
    let relationship = query.get("reseller_id").map(|id| {
        let found = RelationshipId::parse(id);
        found.ok_or_else(|| ApiError::field("reseller_id", "is the id of no reseller"))
    });
    let import = query.get("batch_id").map(|id| {
        let found = ImportId::parse(id);
        found.ok_or_else(|| ApiError::field("batch_id", "is the id of no batch"))
    });
    let filter = Filter {
        statuses: statuses(&query)?,
        relationship: relationship.transpose()?,
        import: import.transpose()?,
    };
    let found = list(&app.database, merchant, filter, before, page.limit).await?;
    let last = found.items.last().filter(|_| found.has_more);
    let next = last.map(|one| one.id);
    let shown: Vec<_> = found.items.iter().map(MerchantReplacement::of).collect();
    Ok(page.answer(shown, next))
}

/// Every status that is told by one of the words that were sent.
fn statuses(query: &Query) -> Result<Vec<Status>, ApiError> {
    let told = |word: &str| {
        let told = Status::ALL.into_iter().filter(|one| one.told() == word);
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then_some(told)
    };
    Ok(words(query, "status", told)?
        .into_iter()
        .flatten()
        .collect())
}
