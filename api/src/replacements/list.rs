//! `GET /dev/v1/resellers/replacements`: what resellers asked for, newest first; and in the portal what one of
//! them did.

use axum::{extract::State, response::Response};
use engine::{
    ids::{ImportId, RelationshipId, ReplacementId},
    replacements::Status,
};
use persistence::replacements::list::{Filter, list};

use super::{MerchantReplacement, ReplacementAnswer};
use crate::{
    auth::{MerchantKey, Session, scope::ResellerStockRead},
    balances::owner::own_scope,
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{filters, page::CursorPage, texts::words},
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
        test: test(&query)?,
        statuses: statuses(&query)?,
        relationship: relationship.transpose()?,
        import: import.transpose()?,
    };
    let found = list(&app.database, merchant, filter, before, page.limit).await?;
    let next = found.next(|one| one.id);
    let shown: Vec<_> = found.items.iter().map(MerchantReplacement::of).collect();
    Ok(page.answer(shown, next))
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, _) = own_scope(&app, &caller, id).await?;
    let page = CursorPage::read(&query, &format!("own replacements {id}"))?;
    let before = page.position(ReplacementId::parse)?;
    let filter = Filter {
        test: test(&query)?,
        statuses: statuses(&query)?,
        relationship: Some(id),
        import: None,
    };
    let found = list(&app.database, scope.merchant, filter, before, page.limit).await?;
    let next = found.next(|one| one.id);
    let shown: Vec<_> = found.items.iter().map(ReplacementAnswer::of).collect();
    Ok(page.answer(shown, next))
}

fn test(query: &Query) -> Result<bool, ApiError> {
    Ok(filters::flag(query, "test")?.unwrap_or(false))
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
