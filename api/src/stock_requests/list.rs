//! `GET .../stock-requests`, `.../stock-transfers` and one of them: purchases, newest first; for the merchant,
//! and for the person.

use axum::{extract::State, response::Response};
use engine::{
    clock::Timestamp,
    ids::{RelationshipId, StockRequestId},
    money::Currency,
    relationships::RelationshipScope,
    stock_requests::{Status, StockRequest},
};
use futures_util::TryStreamExt as _;
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
        csv::{self, Row},
        money::MoneyText,
        page::{Paging, numbered},
        texts::words,
        time,
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
    if csv::wanted(query)? {
        let rows = stock_requests::stream(app.database.clone(), scope, (filter, now));
        let row = move |one: StockRequest| Exported::of(&one, currency, now);
        return Ok(csv::answer(rows.map_ok(row)));
    }
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
            let next = found.next(|one| one.number);
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

/// One purchase as a row.
struct Exported([String; 13]);

impl Exported {
    fn of(request: &StockRequest, currency: Currency, now: Timestamp) -> Self {
        let money = |amount| MoneyText(currency, amount).to_string();
        let at = |at: Option<Timestamp>| at.map(time::text).unwrap_or_default();
        let variant = request.sku.variant.map(|id| id.to_string());
        Self([
            request.id.to_string(),
            request.scope.relationship.to_string(),
            request.sku.product.to_string(),
            variant.unwrap_or_default(),
            request.quantity.to_string(),
            money(request.agreed.unit_price),
            money(request.total),
            money(request.refunded),
            currency.code().to_owned(),
            request.told(now).to_owned(),
            time::text(request.created_at),
            at(request.paid_at),
            at(request.allocated_at),
        ])
    }
}

impl Row for Exported {
    const DISPOSITION: &'static str = "attachment; filename=\"stock-transfers.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "reseller_id",
        "product_id",
        "variant_id",
        "quantity",
        "unit_price",
        "total",
        "refunded",
        "currency",
        "status",
        "created_at",
        "paid_at",
        "allocated_at",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}
