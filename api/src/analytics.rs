//! `GET /dev/v1/resellers/analytics` and `.../{id}/analytics`: what resellers sold, earned and bought over a
//! time, in sums.
//!
//! Keeps: figures are sums of rows as they stand; the parts of the series are all there, also where nothing
//! happened, and their sums are the totals.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::NaiveDate;
use engine::{
    analytics::{Interval, Period},
    engine::Engine,
    ids::{MerchantId, ProductId, RelationshipId},
    money::Currency,
};
use persistence::analytics::{self, Analytics, Figures, Reseller};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{MerchantKey, scope::ResellerSalesRead},
    balances::owner::scope_of,
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{
        answer::Answer,
        filters,
        money::{CurrencyCode, SumText},
        time::Time,
    },
};

/// Products and resellers that are told one by one: those with the largest amounts.
const TOLD_MAX: usize = 1000;

#[derive(Serialize, ToSchema)]
#[schema(as = Analytics)]
pub(crate) struct AnalyticsView {
    from: Time,
    to: Time,
    interval: &'static str,
    currency: CurrencyCode,
    totals: FiguresView,
    series: Vec<PartView>,
    /// At most 1000, those with the largest amounts first.
    by_product: Vec<ProductFigures>,
    /// The same.
    by_reseller: Vec<ResellerFigures>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Figures)]
struct FiguresView {
    /// What customers paid for attributed sales, without what they got back.
    revenue: SumText,
    /// Of the sales of this time, as their commissions stand.
    commission_pending: SumText,
    commission_approved: SumText,
    commission_reversed: SumText,
    paid_out: SumText,
    fulfillments: u64,
    units: u64,
    /// What orders and wholesale purchases from the balance cost; refunds are not taken off.
    wholesale_spend: SumText,
    stock_assigned: u64,
    burned_units: u64,
}

#[derive(Serialize, ToSchema)]
struct PartView {
    /// The first day.
    date: String,
    #[serde(flatten)]
    figures: FiguresView,
}

#[derive(Serialize, ToSchema)]
struct ProductFigures {
    product_id: String,
    product_title: Option<String>,
    #[serde(flatten)]
    figures: FiguresView,
}

#[derive(Serialize, ToSchema)]
struct ResellerFigures {
    relationship_id: String,
    code: String,
    name: String,
    #[serde(flatten)]
    figures: FiguresView,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerSalesRead>,
    query: Query,
) -> Result<Answer<AnalyticsView>, ApiError> {
    let whose = (caller.merchant_id(), None);
    told(&app, whose, caller.currency(), &query).await
}

pub(crate) async fn dev_one(
    State(app): State<App>,
    caller: MerchantKey<ResellerSalesRead>,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Answer<AnalyticsView>, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), id).await?;
    let whose = (scope.merchant, Some(scope.relationship));
    told(&app, whose, caller.currency(), &query).await
}

async fn told(
    app: &App,
    (merchant, reseller): (MerchantId, Option<RelationshipId>),
    currency: Currency,
    query: &Query,
) -> Result<Answer<AnalyticsView>, ApiError> {
    let (from, to) = (filters::time(query, "from")?, filters::time(query, "to")?);
    let period = Period::of(from, to, app.now());
    let period = period.map_err(|wrong| ApiError::field("from", wrong.to_string()))?;
    let interval = match query.get("interval").map(Interval::parse) {
        None => Interval::Day,
        Some(Some(interval)) => interval,
        Some(None) => return Err(ApiError::field("interval", "must be day, week or month")),
    };
    let over = (period, interval);
    let found = analytics::figures(&app.database, merchant, reseller, over).await?;
    let Analytics {
        totals,
        series,
        by_product,
        by_reseller,
    } = found;
    let by_reseller = by_reseller.into_iter().take(TOLD_MAX);
    Ok(Answer::ok(AnalyticsView {
        from: Time(period.from),
        to: Time(period.to),
        interval: interval.name(),
        currency: CurrencyCode(currency),
        totals: view(totals, currency),
        series: parts(over, series, currency),
        by_product: products(&app.engine, by_product, currency).await,
        by_reseller: by_reseller
            .map(|one| reseller_view(one, currency))
            .collect(),
    }))
}

/// Every part of the period, in order.
fn parts(
    (period, interval): (Period, Interval),
    found: Vec<(NaiveDate, Figures)>,
    currency: Currency,
) -> Vec<PartView> {
    let found: BTreeMap<_, _> = found.into_iter().collect();
    let parts = period.parts(interval).into_iter();
    parts
        .map(|part| PartView {
            date: part.to_string(),
            figures: view(found.get(&part).copied().unwrap_or_default(), currency),
        })
        .collect()
}

async fn products(
    engine: &Engine,
    found: Vec<(ProductId, Figures)>,
    currency: Currency,
) -> Vec<ProductFigures> {
    let mut told = Vec::with_capacity(found.len().min(TOLD_MAX));
    for (id, figures) in found.into_iter().take(TOLD_MAX) {
        // A title that cannot be read now is no reason to keep the sums back.
        let product = engine.product(id).await.ok().flatten();
        told.push(ProductFigures {
            product_id: id.to_string(),
            product_title: product.map(|product| product.title.clone()),
            figures: view(figures, currency),
        });
    }
    told
}

fn reseller_view((of, figures): (Reseller, Figures), currency: Currency) -> ResellerFigures {
    ResellerFigures {
        relationship_id: of.id.to_string(),
        code: of.code,
        name: of.name,
        figures: view(figures, currency),
    }
}

fn view(figures: Figures, currency: Currency) -> FiguresView {
    let sum = |minor| SumText(currency, minor);
    FiguresView {
        revenue: sum(figures.revenue),
        commission_pending: sum(figures.commission_pending),
        commission_approved: sum(figures.commission_approved),
        commission_reversed: sum(figures.commission_reversed),
        paid_out: sum(figures.paid_out),
        fulfillments: figures.fulfillments,
        units: figures.units,
        wholesale_spend: sum(figures.wholesale_spend),
        stock_assigned: figures.stock_assigned,
        burned_units: figures.burned_units,
    }
}
