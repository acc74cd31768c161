//! A campaign on the wire, as both sides read it.

use engine::money::Currency;
use persistence::campaigns::Viewed;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{
    money::{CurrencyCode, MoneyText},
    time::Time,
};

/// A widget that may be placed in other pages.
#[derive(Serialize, ToSchema)]
pub(crate) struct EmbedCampaign {
    id: String,
    uniqid: String,
    relationship_id: String,
    name: String,
    status: &'static str,
    /// Neither products nor variants: all that the relationship covers.
    product_ids: Vec<String>,
    variant_ids: Vec<String>,
    /// None: any page by https.
    allowed_origins: Vec<String>,
    /// Snippets of an older version show nothing.
    token_version: u32,
    views: u64,
    sales: u64,
    /// What customers paid, less what they got back.
    revenue: MoneyText,
    /// What is owed for it, less what was taken back.
    commission: MoneyText,
    currency: CurrencyCode,
    created_at: Time,
    updated_at: Time,
}

/// A campaign that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignWithSnippet {
    #[serde(flatten)]
    pub(super) campaign: EmbedCampaign,
    /// HTML to be placed in a page.
    pub(super) snippet: String,
}

impl EmbedCampaign {
    pub(crate) fn of(viewed: &Viewed, currency: Currency) -> Self {
        let Viewed {
            campaign,
            views,
            brought,
        } = viewed;
        let id = campaign.id.to_string();
        let products = campaign.scope.products.iter();
        let variants = campaign.scope.variants.keys();
        Self {
            uniqid: id.clone(),
            id,
            relationship_id: campaign.relationship.to_string(),
            name: campaign.name.clone(),
            status: campaign.status.name(),
            product_ids: products.map(ToString::to_string).collect(),
            variant_ids: variants.map(ToString::to_string).collect(),
            allowed_origins: campaign.origins.clone(),
            token_version: campaign.token_version,
            views: *views,
            sales: brought.sales,
            revenue: MoneyText(currency, brought.revenue),
            commission: MoneyText(currency, brought.commission),
            currency: CurrencyCode(currency),
            created_at: Time(campaign.created_at),
            updated_at: Time(campaign.updated_at),
        }
    }
}
