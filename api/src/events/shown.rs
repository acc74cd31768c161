//! An event on the wire: the same for a reseller, a merchant and a webhook.
//!
//! Keeps: no serial, key or e-mail address is in it; a fact has its form here and nowhere else.

use engine::{
    balances::EntryKind,
    events::{
        BalanceLow, CommissionApproved, CommissionReversed, ConnectionRefused, Fact,
        InvoiceAwaitingStock, InvoiceReplacementIssued, InvoiceUpdated, ItemReplacement, Kind,
        ListingBlocked, PayoutUpdated, PriceChanged, SaleCreated, SaleDisputed, SaleRefunded,
        ShelfChanged, StockGiven, StockStep, StockTaken, VerificationUpdated,
    },
    ids::{
        ConnectionId, FulfillmentId, ImportId, InventoryItemId, InvoiceId, ItemId, KeyId,
        ListingId, PayoutId, ProductId, RelationshipId, ReplacementId, SaleId, StockRequestId,
        VariantId, WebhookId,
    },
    money::{Currency, Money},
};
use persistence::events::list::{Entry, Event, Line, Subject};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    balances::entry::purchase,
    fulfillments::answer::channel,
    wire::{
        money::{CurrencyCode, MoneyText},
        time::Time,
    },
};

/// One event.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventAnswer {
    id: String,
    uniqid: String,
    /// Without a gap within its feed.
    seq: i64,
    event: &'static str,
    data: Told,
    created_at: Time,
}

/// What happened, by the name of the event.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Told(Value);

impl EventAnswer {
    pub(crate) fn of(event: &Event, currency: Currency) -> Self {
        let id = event.id.to_string();
        Self {
            uniqid: id.clone(),
            id,
            seq: event.seq,
            event: event.kind().name(),
            data: Told(match &event.subject {
                Subject::Entry(told) => entry(told, currency),
                Subject::Fact(told) => fact(told, currency),
            }),
            created_at: Time(event.at),
        }
    }
}

fn entry(entry: &Entry, currency: Currency) -> Value {
    let relationship = entry.relationship.to_string();
    let balance_after = MoneyText(currency, entry.balance_after);
    let currency_code = CurrencyCode(currency);
    match entry.kind {
        EntryKind::Fulfillment => json!({
            "fulfillment_id": entry.id.fulfillment().to_string(),
            "relationship_id": relationship,
            "external_order_id": entry.reference,
            "channel": entry.channel.map(channel),
            "lines": entry.lines.iter().map(|line| sold(line, currency)).collect::<Vec<_>>(),
            "total": MoneyText(currency, -entry.amount),
            "currency": currency_code,
            "balance_after": balance_after,
        }),
        EntryKind::Refund => json!({
            "ledger_entry_id": entry.id.to_string(),
            "fulfillment_id": entry.refunded.map(|id| id.to_string()),
            "relationship_id": relationship,
            "reference": entry.reference,
            "description": entry.description,
            "amount": MoneyText(currency, entry.amount),
            "currency": currency_code,
            "balance_after": balance_after,
        }),
        EntryKind::TopUp
        | EntryKind::Credit
        | EntryKind::Debit
        | EntryKind::TopUpReversal
        | EntryKind::DebtSettlement
        | EntryKind::StockRefund
        | EntryKind::StockPurchase => {
            let (reference, description) = named(entry);
            json!({
                "ledger_entry_id": entry.id.to_string(),
                "relationship_id": relationship,
                "reference": reference,
                "description": description,
                "amount": MoneyText(currency, entry.amount),
                "currency": currency_code,
                "balance_after": balance_after,
            })
        }
    }
}

/// What an entry refers to, and what it says of itself.
fn named(entry: &Entry) -> (String, Option<String>) {
    if entry.kind == EntryKind::StockPurchase {
        let request = purchase(&entry.reference);
        let description = format!("Stock request {request}");
        return (request, Some(description));
    }
    (entry.reference.clone(), entry.description.clone())
}

fn stock_step(step: &StockStep) -> Value {
    json!({
        "stock_request_id": StockRequestId::from_uuid(step.request).to_string(),
        "relationship_id": of(&step.relationship),
        "status": step.status,
    })
}

fn stock_given(given: &StockGiven) -> Value {
    json!({
        "stock_request_id": StockRequestId::from_uuid(given.request).to_string(),
        "relationship_id": of(&given.relationship),
        "product_id": ProductId::from_uuid(given.product).to_string(),
        "variant_id": given.variant.map(|id| VariantId::from_uuid(id).to_string()),
        "quantity": given.items,
    })
}

fn stock_taken(taken: &StockTaken) -> Value {
    json!({
        "stock_request_id": StockRequestId::from_uuid(taken.request).to_string(),
        "relationship_id": of(&taken.relationship),
        "quantity": taken.items,
    })
}

fn sold(line: &Line, currency: Currency) -> Value {
    json!({
        "product_id": line.sku.product.to_string(),
        "variant_id": line.sku.variant.map(|variant| variant.to_string()),
        "quantity": line.quantity,
        "unit_price": MoneyText(currency, line.unit_price),
    })
}

fn replacement_updated([replacement, fulfillment, item]: [Uuid; 3], status: &str) -> Value {
    json!({
        "replacement_id": ReplacementId::from_uuid(replacement).to_string(),
        "fulfillment_id": FulfillmentId::from_uuid(fulfillment).to_string(),
        "item_id": ItemId::from_uuid(item).to_string(),
        "status": status,
    })
}

fn item_replacement(told: &ItemReplacement) -> Value {
    let item = |serial| InventoryItemId::from_uuid(serial).to_string();
    json!({
        "replacement_id": ReplacementId::from_uuid(told.replacement).to_string(),
        "stock_request_id": StockRequestId::from_uuid(told.request).to_string(),
        "item_id": item(told.item),
        "new_item_id": told.successor.map(item),
        "status": told.status,
    })
}

fn invoice_replacement(told: &InvoiceReplacementIssued) -> Value {
    json!({
        "replacement_id": ReplacementId::from_uuid(told.replacement).to_string(),
        "invoice_id": InvoiceId::from_uuid(told.invoice).to_string(),
        "product_id": ProductId::from_uuid(told.product).to_string(),
        "variant_id": told.variant.map(|id| VariantId::from_uuid(id).to_string()),
        "quantity": told.quantity,
        "status": "ISSUED",
    })
}

fn item_replaced(fulfillment: Uuid, item: Uuid, successor: Uuid) -> Value {
    json!({
        "fulfillment_id": FulfillmentId::from_uuid(fulfillment).to_string(),
        "item_id": ItemId::from_uuid(item).to_string(),
        "new_item_id": ItemId::from_uuid(successor).to_string(),
    })
}

fn product_stock(told: &ShelfChanged) -> Value {
    json!({
        "product_id": ProductId::from_uuid(told.product).to_string(),
        "variant_id": told.variant.map(|id| VariantId::from_uuid(id).to_string()),
        "change": told.change,
        "stock": told.stock,
    })
}

fn price_changed(told: &PriceChanged) -> Value {
    json!({
        "product_id": ProductId::from_uuid(told.product).to_string(),
        "price_version": told.price_version,
    })
}

fn serials_imported([import, product]: [Uuid; 2], variant: Option<Uuid>, serials: u32) -> Value {
    json!({
        "batch_id": ImportId::from_uuid(import).to_string(),
        "product_id": ProductId::from_uuid(product).to_string(),
        "variant_id": variant.map(|id| VariantId::from_uuid(id).to_string()),
        "quantity": serials,
    })
}

fn top_up_created(
    (invoice, relationship): (Uuid, &Uuid),
    origin: &str,
    (asked, currency): (i64, Currency),
    coin: &str,
) -> Value {
    json!({
        "top_up_id": InvoiceId::from_uuid(invoice).to_string(),
        "relationship_id": of(relationship),
        "origin": origin,
        "amount": amount(asked, currency),
        "currency": CurrencyCode(currency),
        "coin": coin,
    })
}

fn balance_low(told: &BalanceLow, currency: Currency) -> Value {
    json!({
        "relationship_id": of(&told.relationship),
        "balance": amount(told.balance, currency),
        "low_balance_threshold": told.threshold.map(|threshold| amount(threshold, currency)),
        "hours_left": told.hours_left,
        "currency": CurrencyCode(currency),
    })
}

fn key_told(key: Uuid, relationship: Option<&Uuid>) -> Value {
    json!({
        "api_key_id": KeyId::from_uuid(key).to_string(),
        "relationship_id": relationship.map(of),
    })
}

fn webhook_disabled(webhook: Uuid, relationship: Option<&Uuid>) -> Value {
    json!({
        "webhook_id": WebhookId::from_uuid(webhook).to_string(),
        "relationship_id": relationship.map(of),
    })
}

fn relationship_updated(relationship: &Uuid, status: &str, mode: &str) -> Value {
    json!({
        "relationship_id": of(relationship),
        "status": status,
        "mode": mode,
    })
}

fn relationship_told(relationship: &Uuid) -> Value {
    json!({"relationship_id": of(relationship)})
}

fn of(relationship: &Uuid) -> String {
    RelationshipId::from_uuid(*relationship).to_string()
}

fn fact(fact: &Fact, currency: Currency) -> Value {
    match fact {
        Fact::SerialsImported {
            import,
            product,
            variant,
            serials,
        } => serials_imported([*import, *product], *variant, *serials),
        Fact::ItemReplaced {
            fulfillment,
            item,
            successor,
        } => item_replaced(*fulfillment, *item, *successor),
        Fact::ReplacementUpdated {
            replacement,
            fulfillment,
            item,
            status,
        } => replacement_updated([*replacement, *fulfillment, *item], status),
        Fact::ItemReplacementUpdated(told) => item_replacement(told),
        Fact::InvoiceReplacementIssued(told) => invoice_replacement(told),
        Fact::RelationshipUpdated {
            relationship,
            status,
            mode,
        } => relationship_updated(relationship, status, mode),
        Fact::ResellerInvited { relationship }
        | Fact::ResellerAccepted { relationship }
        | Fact::ResellerDeclined { relationship }
        | Fact::ProductAccessUpdated { relationship } => relationship_told(relationship),
        Fact::ProductStock(told) => product_stock(told),
        Fact::ProductPriceChanged(told) => price_changed(told),
        Fact::KeyCreated { key, relationship }
        | Fact::KeyExpiring { key, relationship }
        | Fact::KeyExposed { key, relationship }
        | Fact::KeyRevoked { key, relationship } => key_told(*key, relationship.as_ref()),
        Fact::WebhookDisabled {
            webhook,
            relationship,
        } => webhook_disabled(*webhook, relationship.as_ref()),
        Fact::TopUpCreated {
            invoice,
            relationship,
            origin,
            amount: asked,
            coin,
        } => top_up_created((*invoice, relationship), origin, (*asked, currency), coin),
        Fact::BalanceLow(told) => balance_low(told, currency),
        Fact::StockRequestUpdated(step) => stock_step(step),
        Fact::InventoryAllocated(given) => stock_given(given),
        Fact::InventoryRevoked(taken) => stock_taken(taken),
        Fact::TopUpUpdated {
            invoice,
            relationship,
            status,
        } => top_up_updated(*invoice, relationship, status),
        Fact::SaleCreated(told) => sale_created(told, currency),
        Fact::SaleRefunded(told) => sale_refunded(told, currency),
        Fact::SaleDisputed(told) => sale_disputed(told),
        Fact::CommissionApproved(told) => commission_approved(told, currency),
        Fact::CommissionReversed(told) => commission_reversed(told, currency),
        Fact::PayoutUpdated(told) => payout_updated(told, currency),
        Fact::VerificationUpdated(told) => verification_updated(told),
        Fact::ListingBlocked(told) => listing_blocked(told),
        Fact::InvoiceUpdated(told) => invoice_updated(told, currency),
        Fact::InvoiceAwaitingStock(told) => invoice_awaiting_stock(told),
        Fact::ConnectionRefused(told) => connection_refused(told),
    }
}

fn sale_created(told: &SaleCreated, currency: Currency) -> Value {
    json!({
        "sale_id": SaleId::from_uuid(told.sale).to_string(),
        "relationship_id": of(&told.relationship),
        "product_id": ProductId::from_uuid(told.product).to_string(),
        "variant_id": told.variant.map(|id| VariantId::from_uuid(id).to_string()),
        "quantity": told.quantity,
        "net": amount(told.net, currency),
        "commission": amount(told.commission, currency),
        "currency": CurrencyCode(currency),
    })
}

fn sale_refunded(told: &SaleRefunded, currency: Currency) -> Value {
    json!({
        "sale_id": SaleId::from_uuid(told.sale).to_string(),
        "relationship_id": of(&told.relationship),
        "amount": amount(told.amount, currency),
        "refunded": amount(told.refunded, currency),
        "currency": CurrencyCode(currency),
    })
}

fn sale_disputed(told: &SaleDisputed) -> Value {
    json!({
        "sale_id": SaleId::from_uuid(told.sale).to_string(),
        "relationship_id": of(&told.relationship),
        "outcome": told.outcome,
    })
}

fn top_up_updated(invoice: Uuid, relationship: &Uuid, status: &str) -> Value {
    json!({
        "top_up_id": InvoiceId::from_uuid(invoice).to_string(),
        "relationship_id": of(relationship),
        "status": status,
    })
}

fn commission_approved(told: &CommissionApproved, currency: Currency) -> Value {
    let sale = SaleId::from_uuid(told.sale);
    json!({
        "commission_id": sale.commission().to_string(),
        "sale_id": sale.to_string(),
        "relationship_id": of(&told.relationship),
        "amount": amount(told.amount, currency),
        "currency": CurrencyCode(currency),
    })
}

fn invoice_updated(told: &InvoiceUpdated, currency: Currency) -> Value {
    json!({
        "invoice_id": InvoiceId::from_uuid(told.invoice).to_string(),
        "purpose": told.purpose,
        "status": told.status,
        "amount": amount(told.amount, currency),
        "currency": CurrencyCode(currency),
        "metadata": told.metadata,
    })
}

fn invoice_awaiting_stock(told: &InvoiceAwaitingStock) -> Value {
    json!({
        "invoice_id": InvoiceId::from_uuid(told.invoice).to_string(),
        "product_id": ProductId::from_uuid(told.product).to_string(),
        "variant_id": told.variant.map(|id| VariantId::from_uuid(id).to_string()),
        "quantity": told.quantity,
    })
}

fn verification_updated(told: &VerificationUpdated) -> Value {
    json!({"relationship_id": of(&told.relationship), "status": told.status})
}

fn listing_blocked(told: &ListingBlocked) -> Value {
    json!({
        "listing_id": ListingId::from_uuid(told.listing).to_string(),
        "relationship_id": of(&told.relationship),
        "product_id": ProductId::from_uuid(told.product).to_string(),
        "variant_id": told.variant.map(|id| VariantId::from_uuid(id).to_string()),
        "reason": told.reason,
    })
}

fn connection_refused(told: &ConnectionRefused) -> Value {
    json!({
        "connection_id": ConnectionId::from_uuid(told.connection).to_string(),
        "relationship_id": of(&told.relationship),
        "external_order_id": told.order_id,
        "code": told.code,
    })
}

fn payout_updated(told: &PayoutUpdated, currency: Currency) -> Value {
    json!({
        "payout_id": PayoutId::from_uuid(told.payout).to_string(),
        "relationship_id": of(&told.relationship),
        "status": told.status,
        "amount": amount(told.amount, currency),
        "currency": CurrencyCode(currency),
    })
}

fn commission_reversed(told: &CommissionReversed, currency: Currency) -> Value {
    let sale = SaleId::from_uuid(told.sale);
    json!({
        "commission_id": sale.commission().to_string(),
        "sale_id": sale.to_string(),
        "relationship_id": of(&told.relationship),
        "amount": amount(told.amount, currency),
        "reversed": amount(told.reversed, currency),
        "currency": CurrencyCode(currency),
    })
}

fn amount(minor: i64, currency: Currency) -> Option<MoneyText> {
    Money::from_minor(minor).map(|amount| MoneyText(currency, amount))
}

/// The kinds that a text names, by comma; an error if one is unknown.
pub(super) fn kinds(names: &str) -> Option<Vec<Kind>> {
    names
        .split(',')
        .map(|name| Kind::parse(name.trim()))
        .collect()
}
