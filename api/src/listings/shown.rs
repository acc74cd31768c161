//! A listing on the wire, as both sides read it.

use engine::{
    catalog::Sku,
    listings::{Bounds, State, margin_percent},
    money::{Currency, Money},
};
use persistence::listings::Listed;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    state::App,
    wire::{
        money::{CurrencyCode, MoneyText},
        percent::Hundredths,
        time::Time,
    },
};

/// A product at the reseller's own price.
#[derive(Serialize, ToSchema)]
#[schema(as = Listing)]
pub(crate) struct ListingView {
    id: String,
    uniqid: String,
    relationship_id: String,
    product_id: String,
    variant_id: Option<String>,
    title: String,
    variant_title: Option<String>,
    price: MoneyText,
    currency: CurrencyCode,
    /// What a unit costs the reseller now; null, as the bounds, where it may not be listed now.
    wholesale_price: Option<MoneyText>,
    expected_margin: Option<MoneyText>,
    margin_percent: Hundredths,
    min_price: Option<MoneyText>,
    max_price: Option<MoneyText>,
    status: &'static str,
    blocked_reason: Option<&'static str>,
    /// Why the merchant archived it.
    status_reason: Option<String>,
    in_stock: bool,
    /// Invoices that were paid at its price.
    sales: u64,
    /// What customers paid for them, less what they got back.
    revenue: MoneyText,
    /// What they earn: price less wholesale price of the moment of each invoice, less what was taken back.
    margin: MoneyText,
    created_at: Time,
    updated_at: Time,
}

impl ListingView {
    /// The listing as it stands now, which may be more than what its row says yet.
    pub(crate) async fn of(
        app: &App,
        Listed { judged, brought }: &Listed,
        currency: Currency,
    ) -> Result<Self, ApiError> {
        let sku = Sku {
            product: judged.listing.product,
            variant: judged.listing.variant,
        };
        let bounds = judged.facts.bounds().ok();
        let in_stock = match bounds {
            Some(_) => app.engine.stock(judged.merchant, sku).await?.available > 0,
            None => false,
        };
        let reviewed = judged.listing.reviewed(&judged.facts, app.now());
        let listing = reviewed.as_ref().unwrap_or(&judged.listing);
        let money = |amount: Money| MoneyText(currency, amount);
        let margin = bounds.and_then(|bounds: Bounds| bounds.margin(listing.price));
        let id = listing.id.to_string();
        Ok(Self {
            uniqid: id.clone(),
            id,
            relationship_id: listing.relationship.to_string(),
            product_id: listing.product.to_string(),
            variant_id: listing.variant.map(|id| id.to_string()),
            title: judged.title.clone(),
            variant_title: judged.variant_title.clone(),
            price: money(listing.price),
            currency: CurrencyCode(currency),
            wholesale_price: bounds.map(|bounds| money(bounds.wholesale)),
            expected_margin: margin.map(money),
            margin_percent: Hundredths(
                margin.map_or(0, |margin| margin_percent(margin, listing.price)),
            ),
            min_price: bounds.map(|bounds| money(bounds.min)),
            max_price: bounds.and_then(|bounds| bounds.max).map(money),
            status: listing.state.status().name(),
            blocked_reason: match listing.state {
                State::Blocked { reason, .. } => Some(reason.name()),
                State::Active | State::Paused | State::Archived => None,
            },
            status_reason: listing.note.clone(),
            in_stock,
            sales: brought.sales,
            revenue: money(brought.revenue),
            margin: money(brought.commission),
            created_at: Time(listing.created_at),
            updated_at: Time(listing.updated_at),
        })
    }
}
