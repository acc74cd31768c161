//! A link on the wire, as both sides read it.

use engine::{links::Target, money::Currency};
use persistence::links::Tracked;
use serde::Serialize;
use utoipa::ToSchema;

use super::{link_url, target::Ground};
use crate::{
    state::App,
    wire::{
        money::{CurrencyCode, MoneyText},
        time::Time,
    },
};

/// A link with what came by it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrackedLink {
    id: String,
    uniqid: String,
    relationship_id: String,
    name: String,
    code: String,
    url: String,
    /// Where it leads at this moment, but for `consign_ref`; null: nowhere.
    leads_to: Option<String>,
    /// The one that every relationship has.
    is_default: bool,
    target_product_id: Option<String>,
    target_url: Option<String>,
    status: &'static str,
    clicks: u64,
    sales: u64,
    /// What customers paid, less what they got back.
    revenue: MoneyText,
    /// What is owed for it, less what was taken back.
    commission: MoneyText,
    currency: CurrencyCode,
    created_at: Time,
    updated_at: Time,
}

impl TrackedLink {
    pub(crate) fn of(
        app: &App,
        tracked: &Tracked,
        (ground, currency): (&Ground, Currency),
    ) -> Self {
        let Tracked {
            link,
            clicks,
            brought,
        } = tracked;
        let id = link.id.to_string();
        let (product, url) = match &link.target {
            Target::Shop => (None, None),
            Target::Product(product) => (Some(product.to_string()), None),
            Target::Url(url) => (None, Some(url.clone())),
        };
        Self {
            uniqid: id.clone(),
            id,
            relationship_id: link.relationship.to_string(),
            name: link.name.clone(),
            code: link.code.clone(),
            url: link_url(&app.origin, &link.code),
            leads_to: ground.preview(&link.target, &app.origin),
            is_default: link.is_own(),
            target_product_id: product,
            target_url: url,
            status: link.status.name(),
            clicks: *clicks,
            sales: brought.sales,
            revenue: MoneyText(currency, brought.revenue),
            commission: MoneyText(currency, brought.commission),
            currency: CurrencyCode(currency),
            created_at: Time(link.created_at),
            updated_at: Time(link.updated_at),
        }
    }
}
