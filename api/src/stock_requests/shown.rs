//! A purchase and an item on the wire.

use engine::{
    catalog::Sku,
    clock::Timestamp,
    engine::Engine,
    merchants::Merchant,
    money::Currency,
    stock_requests::{Counts, Item, StockRequest},
};
use persistence::stock_requests::Summary;
use serde::Serialize;
use utoipa::ToSchema;

use super::invoiced::StockInvoice;
use crate::{
    inventory::{serial, trace},
    wire::{
        csv::Row,
        money::{CurrencyCode, MoneyText},
        time::Time,
    },
};

/// A wholesale purchase.
#[derive(Serialize, ToSchema)]
#[schema(as = StockRequest)]
pub(crate) struct StockRequestView {
    id: String,
    uniqid: String,
    relationship_id: String,
    product_id: String,
    variant_id: Option<String>,
    quantity: u32,
    unit_price: MoneyText,
    total: MoneyText,
    refunded: MoneyText,
    currency: CurrencyCode,
    status: &'static str,
    status_reason: Option<String>,
    coin: Option<String>,
    invoice: Option<StockInvoice>,
    /// What the merchant finds the money by.
    payment_reference: Option<String>,
    counts: ItemCounts,
    requested_by: &'static str,
    note: Option<String>,
    /// The entry of the ledger, where the balance paid.
    ledger_entry_id: Option<String>,
    expires_at: Time,
    invoiced_at: Option<Time>,
    paid_at: Option<Time>,
    allocated_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

/// Items by what became of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct ItemCounts {
    available: u64,
    delivered: u64,
    revoked: u64,
    replaced: u64,
}

/// A serial of an inventory.
#[derive(Serialize, ToSchema)]
#[schema(as = InventoryItem)]
pub(crate) struct InventoryItemView {
    id: String,
    uniqid: String,
    stock_request_id: String,
    product_id: String,
    variant_id: Option<String>,
    product_title: Option<String>,
    /// Masked, but where it is handed over.
    serial: Option<String>,
    status: &'static str,
    customer_email: Option<String>,
    delivered_at: Option<Time>,
    handed_over_at: Option<Time>,
    exported_at: Option<Time>,
    revealed_at: Option<Time>,
    revoked_at: Option<Time>,
    /// The item that took its place.
    replaced_by: Option<String>,
    created_at: Time,
    updated_at: Time,
}

/// The items of one SKU.
#[derive(Serialize, ToSchema)]
pub(crate) struct InventorySummary {
    product_id: String,
    variant_id: Option<String>,
    product_title: Option<String>,
    counts: ItemCounts,
}

impl StockRequestView {
    pub(crate) fn of(request: &StockRequest, currency: Currency, now: Timestamp) -> Self {
        let id = request.id.to_string();
        let money = |amount| MoneyText(currency, amount);
        let bill = request.bill.as_ref();
        let coin = bill.map(|bill| &bill.coin).or(request.coin.as_ref());
        Self {
            uniqid: id.clone(),
            id,
            relationship_id: request.scope.relationship.to_string(),
            product_id: request.sku.product.to_string(),
            variant_id: request.sku.variant.map(|id| id.to_string()),
            quantity: request.quantity,
            unit_price: money(request.agreed.unit_price),
            total: money(request.total),
            refunded: money(request.refunded),
            currency: CurrencyCode(currency),
            status: request.told(now),
            status_reason: request.status_reason.clone(),
            coin: coin.map(ToString::to_string),
            invoice: bill.map(|bill| StockInvoice::of(request, bill, currency, now)),
            payment_reference: request.payment_reference.clone(),
            counts: ItemCounts::of(request.counts),
            requested_by: request.requested_by.name(),
            note: request.note.clone(),
            ledger_entry_id: request.entry.map(|entry| entry.to_string()),
            expires_at: Time(request.expires_at),
            invoiced_at: request.invoiced_at.map(Time),
            paid_at: request.paid_at.map(Time),
            allocated_at: request.allocated_at.map(Time),
            created_at: Time(request.created_at),
            updated_at: Time(request.updated_at),
        }
    }
}

impl ItemCounts {
    const fn of(counts: Counts) -> Self {
        Self {
            available: counts.available,
            delivered: counts.delivered,
            revoked: counts.revoked,
            replaced: counts.replaced,
        }
    }
}

/// Who reads an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Sees its customers' addresses.
    Reseller,
    Merchant,
}

/// How much of a serial is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Masked,
    /// Its hand-over was noted.
    Clear,
}

impl InventoryItemView {
    pub(crate) async fn of(
        engine: &Engine,
        merchant: &Merchant,
        item: &Item,
        (reader, text): (Reader, Text),
    ) -> Self {
        let id = item.serial.inventory_item().to_string();
        let opened = merchant.key.open_serial(item.serial, &item.sealed).ok();
        let shown = opened.map(|opened| match text {
            Text::Masked => serial::masked(opened.expose()),
            Text::Clear => opened.expose().to_owned(),
        });
        let email = item.email.as_ref();
        let email = email.and_then(|sealed| {
            let opened = merchant.key.open_email(item.scope.balance, sealed);
            opened.ok()
        });
        let email = email.map(|email| match reader {
            Reader::Reseller => email.expose().to_owned(),
            Reader::Merchant => trace::masked(email.expose()),
        });
        Self {
            uniqid: id.clone(),
            id,
            stock_request_id: item.request.to_string(),
            product_id: item.sku.product.to_string(),
            variant_id: item.sku.variant.map(|id| id.to_string()),
            product_title: title(engine, item.sku).await,
            serial: shown,
            status: item.status.name(),
            customer_email: email,
            delivered_at: item.delivered_at.map(Time),
            handed_over_at: item.handed_over_at.map(Time),
            exported_at: item.exported_at.map(Time),
            revealed_at: item.revealed_at.map(Time),
            revoked_at: item.revoked_at.map(Time),
            replaced_by: item.successor.map(|one| one.inventory_item().to_string()),
            created_at: Time(item.created_at),
            updated_at: Time(item.updated_at),
        }
    }
}

impl Row for InventoryItemView {
    const DISPOSITION: &'static str = "attachment; filename=\"inventory.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "stock_request_id",
        "product_id",
        "variant_id",
        "product_title",
        "serial",
        "status",
        "customer_email",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            self.id.clone(),
            self.stock_request_id.clone(),
            self.product_id.clone(),
            text(&self.variant_id),
            text(&self.product_title),
            text(&self.serial),
            self.status.to_owned(),
            text(&self.customer_email),
        ]
    }
}

impl InventorySummary {
    pub(super) async fn of(engine: &Engine, summary: Summary) -> Self {
        Self {
            product_id: summary.sku.product.to_string(),
            variant_id: summary.sku.variant.map(|id| id.to_string()),
            product_title: title(engine, summary.sku).await,
            counts: ItemCounts::of(summary.counts),
        }
    }
}

/// A title that cannot be read now is no reason to keep what it is about back.
pub(super) async fn title(engine: &Engine, sku: Sku) -> Option<String> {
    let product = engine.product(sku.product).await.ok().flatten();
    product.map(|product| product.title.clone())
}
