//! `GET .../inventory` and its summary: the serials that a reseller bought to sell them on, masked.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use engine::{
    fulfillments::Email,
    ids::{ProductId, RelationshipId, StockRequestId},
    merchants::Merchant,
    relationships::RelationshipScope,
    stock_requests::{Item, ItemStatus},
};
use futures_util::TryStreamExt as _;
use persistence::stock_requests::{self, ItemFilter};
use uuid::Uuid;

use super::{
    InventoryItemView, InventorySummary,
    shown::{Reader, Text},
};
use crate::{
    auth::{MerchantKey, Session, scope::ResellerStockRead},
    balances::owner::{own_scope, scope_of},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::{
        answer::Answer,
        csv,
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
    listed(&app, scope, (caller.merchant(), Reader::Merchant), &query).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, _) = own_scope(&app, &caller, id).await?;
    let merchant = merchant_of(&app, scope).await?;
    listed(&app, scope, (&merchant, Reader::Reseller), &query).await
}

pub(crate) async fn portal_summary(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
) -> Result<Answer<Vec<InventorySummary>>, ApiError> {
    let (scope, _) = own_scope(&app, &caller, id).await?;
    let found = stock_requests::summary(&app.database, scope).await?;
    let mut shown = Vec::with_capacity(found.len());
    for summary in found {
        shown.push(InventorySummary::of(&app.engine, summary).await);
    }
    Ok(Answer::ok(shown))
}

/// The merchant whose serials are in this inventory.
pub(super) async fn merchant_of(
    app: &App,
    scope: RelationshipScope,
) -> Result<Arc<Merchant>, ApiError> {
    let merchant = app.engine.merchant(scope.merchant).await?;
    merchant.ok_or_else(|| ApiError::new(Code::InternalError))
}

async fn listed(
    app: &App,
    scope: RelationshipScope,
    by: (&Arc<Merchant>, Reader),
    query: &Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(query, &format!("inventory {}", scope.relationship))?;
    let filter = filter(app, scope, query)?;
    if csv::wanted(query)? {
        return Ok(rows(app, scope, by, filter));
    }
    let by = (&**by.0, by.1);
    match paging {
        Paging::Numbered(page) => {
            let found = stock_requests::numbered_items(&app.database, scope, filter, page).await?;
            Ok(numbered(
                page,
                masked(app, by, &found.items).await,
                found.total,
            ))
        }
        Paging::Cursor(page) => {
            let below = page.position(|text| text.parse().ok())?;
            let found = stock_requests::items(&app.database, scope, filter, below, page.limit);
            let found = found.await?;
            let next = found.next(|item| item.number);
            Ok(page.answer(masked(app, by, &found.items).await, next))
        }
    }
}

/// All of them, with their serials masked.
fn rows(
    app: &App,
    scope: RelationshipScope,
    (merchant, reader): (&Arc<Merchant>, Reader),
    filter: ItemFilter,
) -> Response {
    let (engine, merchant) = (app.engine.clone(), Arc::clone(merchant));
    let found = stock_requests::stream_items(app.database.clone(), scope, filter);
    csv::answer(found.and_then(move |item| {
        let (engine, merchant) = (engine.clone(), Arc::clone(&merchant));
        async move {
            let how = (reader, Text::Masked);
            Ok(InventoryItemView::of(&engine, &merchant, &item, how).await)
        }
    }))
}

async fn masked(
    app: &App,
    (merchant, reader): (&Merchant, Reader),
    items: &[Item],
) -> Vec<InventoryItemView> {
    let mut shown = Vec::with_capacity(items.len());
    for item in items {
        let how = (reader, Text::Masked);
        shown.push(InventoryItemView::of(&app.engine, merchant, item, how).await);
    }
    shown
}

fn filter(app: &App, scope: RelationshipScope, query: &Query) -> Result<ItemFilter, ApiError> {
    // A malformed id is one that nothing has.
    let product = query.get("product_id").map(|text| {
        let id = ProductId::parse(text);
        id.unwrap_or(ProductId::from_uuid(Uuid::nil()))
    });
    let request = query.get("stock_request_id").map(|text| {
        let id = StockRequestId::parse(text);
        id.unwrap_or(StockRequestId::from_uuid(Uuid::nil()))
    });
    let email = query.get("email").map(|text| {
        let email = Email::parse(text);
        email.ok_or_else(|| ApiError::field("email", "is no e-mail address"))
    });
    let digest = |email: Email| {
        let vault = app.engine.vault();
        vault.email_fingerprint(scope.merchant, email.as_str())
    };
    Ok(ItemFilter {
        statuses: words(query, "status", ItemStatus::parse)?,
        product,
        request,
        email: email.transpose()?.map(digest),
    })
}
