//! A sale and its commission as both sides read them.

use engine::{
    money::Currency,
    sales::{Commission, Reason, Sale},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{
    money::{CurrencyCode, MoneyText},
    percent::Hundredths,
    time::Time,
};

/// An attributed line of a paid invoice.
#[derive(Serialize, ToSchema)]
#[schema(as = Sale)]
pub(crate) struct SaleView {
    id: String,
    uniqid: String,
    /// The merchant's own id of it; `inv_...` if the customer paid here.
    invoice_id: String,
    relationship_id: String,
    product_id: String,
    variant_id: Option<String>,
    product_title: String,
    quantity: u32,
    source: SaleSource,
    status: &'static str,
    amount: MoneyText,
    discount: MoneyText,
    tax: MoneyText,
    net: MoneyText,
    refunded: MoneyText,
    currency: CurrencyCode,
    /// Masked.
    customer_email: Option<String>,
    commission: CommissionView,
    sold_at: Time,
    created_at: Time,
    updated_at: Time,
}

/// What brought a sale.
#[derive(Serialize, ToSchema)]
pub(crate) struct SaleSource {
    /// LINK, CAMPAIGN: the customer came by it and paid here. LISTING: the customer bought at its price. REPORTED:
    /// by the merchant, with the token of a link or a campaign.
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    name: String,
}

/// What the merchant owes for a sale.
#[derive(Serialize, ToSchema)]
#[schema(as = Commission)]
pub(crate) struct CommissionView {
    id: String,
    uniqid: String,
    sale_id: String,
    /// PERCENT of what was sold, or the MARGIN of a listing, which has no percentage.
    kind: &'static str,
    percent: Option<Hundredths>,
    amount: MoneyText,
    reversed: MoneyText,
    currency: CurrencyCode,
    status: &'static str,
    hold_until: Time,
    approved_at: Option<Time>,
    reason: Option<&'static str>,
    note: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl SaleView {
    pub(crate) fn of(sale: &Sale, currency: Currency) -> Self {
        let id = sale.id.to_string();
        let money = |amount| MoneyText(currency, amount);
        Self {
            uniqid: id.clone(),
            id,
            invoice_id: sale.invoice.clone(),
            relationship_id: sale.relationship.to_string(),
            product_id: sale.product.to_string(),
            variant_id: sale.variant.map(|id| id.to_string()),
            product_title: sale.product_title.clone(),
            quantity: sale.quantity,
            source: SaleSource {
                kind: if sale.billed.is_some() {
                    sale.source.kind()
                } else {
                    "REPORTED"
                },
                id: sale.source.to_string(),
                name: sale.source_name.clone(),
            },
            status: sale.status.name(),
            amount: money(sale.amount),
            discount: money(sale.discount),
            tax: money(sale.tax),
            net: money(sale.net()),
            refunded: money(sale.refunded),
            currency: CurrencyCode(currency),
            customer_email: sale.customer.clone(),
            commission: CommissionView::of(sale, currency),
            sold_at: Time(sale.sold_at),
            created_at: Time(sale.created_at),
            updated_at: Time(sale.updated_at),
        }
    }
}

impl CommissionView {
    pub(crate) fn of(sale: &Sale, currency: Currency) -> Self {
        let id = sale.id.commission().to_string();
        let it: &Commission = &sale.commission;
        Self {
            uniqid: id.clone(),
            id,
            sale_id: sale.id.to_string(),
            kind: it.percent.map_or("MARGIN", |_| "PERCENT"),
            percent: it.percent.map(Hundredths::from),
            amount: MoneyText(currency, it.amount),
            reversed: MoneyText(currency, it.reversed),
            currency: CurrencyCode(currency),
            status: it.status.name(),
            hold_until: Time(it.hold_until),
            approved_at: it.approved_at.map(Time),
            reason: it.reason.map(Reason::name),
            note: it.note.clone(),
            created_at: Time(sale.created_at),
            updated_at: Time(sale.updated_at),
        }
    }
}
