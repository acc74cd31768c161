//! The invoice of a purchase on the wire: in the form of every invoice.

use engine::{
    clock::Timestamp,
    money::{Currency, Money},
    stock_requests::{Bill, StockRequest},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    top_ups::{PayView, missing},
    wire::{
        money::{CurrencyCode, MoneyText},
        time::Time,
    },
};

/// The invoice of a wholesale purchase that is paid elsewhere than from the balance.
#[derive(Serialize, ToSchema)]
pub(crate) struct StockInvoice {
    id: String,
    uniqid: String,
    purpose: &'static str,
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
    expires_at: Time,
    paid_at: Option<Time>,
    completed_at: Option<Time>,
    customer_email: Option<String>,
    lines: [InvoicedLine; 1],
    created_at: Time,
    updated_at: Time,
}

/// What is invoiced.
#[derive(Serialize, ToSchema)]
struct InvoicedLine {
    product_id: String,
    variant_id: Option<String>,
    quantity: u32,
    unit_price: MoneyText,
    total: MoneyText,
}

impl StockInvoice {
    pub(super) fn of(
        request: &StockRequest,
        bill: &Bill,
        currency: Currency,
        now: Timestamp,
    ) -> Self {
        let id = bill.id.to_string();
        let money = |amount| MoneyText(currency, amount);
        let (received, overpaid, missing, gone) = bill.invoice.as_ref().map_or_else(
            || {
                let all = request.paid_at.map_or(Money::ZERO, |_| request.total);
                let missing = request.total.checked_sub(all).unwrap_or_default();
                (all, Money::ZERO, missing, Money::ZERO)
            },
            |invoice| {
                let received = invoice.received().unwrap_or_default();
                let over = received.checked_sub(request.total).unwrap_or_default();
                let over = over.max(Money::ZERO);
                (received, over, missing(invoice), invoice.refunded)
            },
        );
        let refunded = request.refunded.checked_add(gone).unwrap_or(received);
        Self {
            uniqid: id.clone(),
            id,
            purpose: "STOCK_REQUEST",
            status: request.bill_status(now).name(),
            amount: money(request.total),
            currency: CurrencyCode(currency),
            coin: bill.coin.to_string(),
            provider: bill.provider.name(),
            pay: PayView::of(&bill.pay, request.total, currency),
            received: money(received),
            overpaid: money(overpaid),
            missing: money(missing),
            refunded: money(refunded),
            expires_at: Time(request.expires_at),
            paid_at: request.paid_at.map(Time),
            completed_at: request.allocated_at.map(Time),
            customer_email: None,
            lines: [InvoicedLine {
                product_id: request.sku.product.to_string(),
                variant_id: request.sku.variant.map(|id| id.to_string()),
                quantity: request.quantity,
                unit_price: money(request.agreed.unit_price),
                total: money(request.total),
            }],
            created_at: Time(request.invoiced_at.unwrap_or(request.created_at)),
            updated_at: Time(request.updated_at),
        }
    }
}
