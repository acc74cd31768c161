//! `GET /portal/v1/programs/{rel}/listings/quote`: what a product could be listed at, and what that would
//! earn.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{ProductId, RelationshipId, VariantId},
    listings::{Refusal, margin_percent},
};
use persistence::listings;
use serde::Serialize;
use utoipa::ToSchema;

use super::refusal::refusal;
use crate::{
    auth::Session,
    balances::owner::own_scope,
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{
        answer::Answer,
        money::{self, CurrencyCode, MoneyText},
        percent::Hundredths,
    },
};

/// The bounds of a price, and what is earned by it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListingQuote {
    product_id: String,
    variant_id: Option<String>,
    price: MoneyText,
    currency: CurrencyCode,
    wholesale_price: MoneyText,
    min_price: MoneyText,
    max_price: Option<MoneyText>,
    expected_margin: MoneyText,
    margin_percent: Hundredths,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    let required = |name: &'static str| {
        let sent = query.get(name);
        sent.ok_or_else(|| ApiError::field(name, "is required"))
    };
    let price = money::read(required("price")?, currency, "price")?;
    let product = ProductId::parse(required("product_id")?);
    let variant = query.get("variant_id").map(VariantId::parse);
    let refused = |refused| refusal(refused, currency);
    // A malformed id names nothing that is sold.
    let (Some(product), false) = (product, variant == Some(None)) else {
        return Err(refused(Refusal::NotAllowed));
    };
    let ware = (product, variant.flatten());
    let facts = listings::facts(&app.database, (scope.merchant, relationship), ware).await?;
    let bounds = facts.map_or(Err(Refusal::NotAllowed), |facts| facts.bounds());
    let bounds = bounds.map_err(refused)?;
    bounds.allow(price).map_err(refused)?;
    let margin = bounds.margin(price).unwrap_or_default();
    let text = |amount| MoneyText(currency, amount);
    let quote = ListingQuote {
        product_id: product.to_string(),
        variant_id: ware.1.map(|id| id.to_string()),
        price: text(price),
        currency: CurrencyCode(currency),
        wholesale_price: text(bounds.wholesale),
        min_price: text(bounds.min),
        max_price: bounds.max.map(text),
        expected_margin: text(margin),
        margin_percent: Hundredths(margin_percent(margin, price)),
    };
    Ok(Answer::ok(quote).into_response())
}
