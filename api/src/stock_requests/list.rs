//! `GET .../stock-requests`, `.../stock-transfers` and one of them: purchases, newest first; for the merchant,
//! and for the person.

use axum::{extract::State, response::Response};
use engine::{
    ids::{RelationshipId, StockRequestId},
    money::Currency,
    relationships::RelationshipScope,
    stock_requests::Status,
};
use persistence::stock_requests::{self, Filter};

use super::StockRequestView;
use crate::{
    auth::{MerchantKey, Session, scope::ResellerStockRead},
    balances::owner::{own_scope, scope_of},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::{
        answer::Answer,
        page::{Paging, numbered},
        texts::words,
    },
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockRead>,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), id).await?;
    listed(&app, scope, caller.currency(), &query).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, id).await?;
    listed(&app, scope, currency, &query).await
}

async fn listed(
    app: &App,
    scope: RelationshipScope,
    currency: Currency,
    query: &Query,
) -> Result<Response, ApiError> {
    let now = app.now();
    let paging = Paging::read(query, &format!("stock requests {}", scope.relationship))?;
    let told = |word: &str| {
        let mut all = Status::ALL.into_iter().map(Status::told);
        all.find(|told| *told == word)
    };
    let filter = Filter {
        statuses: words(query, "status", told)?,
    };
    let view = |one| StockRequestView::of(&one, currency, now);
    match paging {
        Paging::Numbered(page) => {
            let found = stock_requests::numbered(&app.database, scope, (filter, now), page).await?;
            let shown = found.items.into_iter().map(view).collect();
            Ok(numbered(page, shown, found.total))
        }
        Paging::Cursor(page) => {
            let below = page.position(|text| text.parse().ok())?;
            let what = (filter, now);
            let found = stock_requests::list(&app.database, scope, what, below, page.limit).await?;
            let last = found.items.last().filter(|_| found.has_more);
            let next = last.map(|one| one.number);
            Ok(page.answer(found.items.into_iter().map(view).collect(), next))
        }
    }
}

pub(crate) async fn dev_one(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockRead>,
    PathIds((relationship, id)): PathIds<(RelationshipId, StockRequestId)>,
) -> Result<Answer<StockRequestView>, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
    found(&app, scope, caller.currency(), id).await
}

pub(crate) async fn portal_one(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, StockRequestId)>,
) -> Result<Answer<StockRequestView>, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    found(&app, scope, currency, id).await
}

async fn found(
    app: &App,
    scope: RelationshipScope,
    currency: Currency,
    id: StockRequestId,
) -> Result<Answer<StockRequestView>, ApiError> {
    let found = stock_requests::find(&app.database, scope, id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(Answer::ok(StockRequestView::of(
        &found,
        currency,
        app.now(),
    )))
}
