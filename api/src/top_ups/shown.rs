//! Invoices as they are told: what they ask for, how they are paid, what arrived.

use std::collections::BTreeMap;

use engine::{
    checkout::Line,
    clock::Timestamp,
    money::{Currency, Money},
    payments::{Invoice, Pay},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{
    money::{CurrencyCode, MoneyText},
    time::Time,
};

/// An invoice that tops a balance up.
#[derive(Serialize, ToSchema)]
#[schema(as = TopUp)]
pub(crate) struct TopUpView {
    id: String,
    uniqid: String,
    purpose: &'static str,
    origin: &'static str,
    status: &'static str,
    amount: MoneyText,
    currency: CurrencyCode,
    coin: String,
    provider: &'static str,
    pay: PayView,
    received: MoneyText,
    overpaid: MoneyText,
    /// What of the amount is still to come; once it is paid, what did not arrive.
    missing: MoneyText,
    refunded: MoneyText,
    credited: Option<MoneyText>,
    ledger_entry_id: Option<String>,
    expires_at: Time,
    paid_at: Option<Time>,
    completed_at: Option<Time>,
    /// Masked.
    pub(crate) customer_email: Option<String>,
    /// What a customer buys; nothing, if it tops a balance up.
    pub(crate) lines: Vec<InvoiceLineView>,
    created_at: Time,
    updated_at: Time,
}

/// What an invoice is for, as it was when it opened.
#[derive(Serialize, ToSchema)]
#[schema(as = InvoiceLine)]
pub(crate) struct InvoiceLineView {
    product_id: String,
    variant_id: Option<String>,
    title: String,
    quantity: u32,
    unit_price: MoneyText,
    total: MoneyText,
    /// What the customer said of the fields of the product.
    custom_fields: BTreeMap<String, String>,
}

impl InvoiceLineView {
    pub(crate) fn of(line: &Line, currency: Currency) -> Self {
        Self {
            product_id: line.sku.product.to_string(),
            variant_id: line.sku.variant.map(|id| id.to_string()),
            title: line.title.clone(),
            quantity: line.quantity,
            unit_price: MoneyText(currency, line.unit_price),
            total: MoneyText(currency, line.total),
            custom_fields: line.custom_fields.clone(),
        }
    }
}

/// How to pay.
#[derive(Serialize, ToSchema)]
#[schema(as = Pay)]
pub(crate) struct PayView {
    url: Option<String>,
    address: Option<String>,
    network: Option<String>,
    coin_amount: Option<String>,
    instructions: Option<String>,
    qr: Option<String>,
}

impl PayView {
    pub(crate) fn of(pay: &Pay, amount: Money, currency: Currency) -> Self {
        let deposit = pay.deposit.as_ref();
        Self {
            url: pay.hosted.as_ref().map(|hosted| hosted.url.clone()),
            address: deposit.map(|deposit| deposit.address.to_string()),
            network: deposit.map(|deposit| deposit.token.network.clone()),
            coin_amount: deposit.map(|_| MoneyText(currency, amount).to_string()),
            instructions: pay.instructions.clone(),
            qr: deposit.and_then(|deposit| deposit.link(amount, currency)),
        }
    }
}

/// What of the amount is still to come; once it is paid, what did not arrive.
pub(crate) fn missing(invoice: &Invoice) -> Money {
    if invoice.paid_at.is_none() {
        return invoice.missing();
    }
    let received = invoice.received().unwrap_or_default();
    let missing = invoice.amount.checked_sub(received).unwrap_or_default();
    missing.max(Money::ZERO)
}

impl TopUpView {
    pub(crate) fn of(invoice: &Invoice, currency: Currency, now: Timestamp) -> Self {
        let id = invoice.id.to_string();
        let money = |amount| MoneyText(currency, amount);
        // Beyond the bound nothing was ever credited.
        let received = invoice.received().unwrap_or_default();
        let overpaid = received.checked_sub(invoice.amount).unwrap_or_default();
        let mut entries = invoice.payments.iter().filter_map(|payment| payment.entry);
        let entry = entries.next();
        Self {
            uniqid: id.clone(),
            id,
            purpose: invoice.purpose.name(),
            origin: invoice.origin.name(),
            status: invoice.status_at(now).name(),
            amount: money(invoice.amount),
            currency: CurrencyCode(currency),
            coin: invoice.coin.to_string(),
            provider: invoice.provider.name(),
            pay: PayView::of(&invoice.pay, invoice.amount, currency),
            received: money(received),
            overpaid: money(overpaid.max(Money::ZERO)),
            missing: money(missing(invoice)),
            refunded: money(invoice.refunded),
            credited: entry.map(|_| money(invoice.credited().unwrap_or_default())),
            ledger_entry_id: entry.map(|entry| entry.to_string()),
            expires_at: Time(invoice.expires_at),
            paid_at: invoice.paid_at.map(Time),
            completed_at: invoice.completed_at.map(Time),
            customer_email: None,
            lines: Vec::new(),
            created_at: Time(invoice.created_at),
            updated_at: Time(invoice.updated_at),
        }
    }
}
