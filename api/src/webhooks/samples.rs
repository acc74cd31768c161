//! `GET …/webhooks/events`: the events that a side hears of, each with a sample.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use chrono::DateTime;
use engine::{
    balances::EntryKind,
    catalog::Sku,
    clock::Timestamp,
    events::{
        BalanceLow, CommissionApproved, CommissionReversed, ConnectionRefused, Fact,
        InvoiceAwaitingStock, InvoiceUpdated, Kind, ListingBlocked, PayoutUpdated, PriceChanged,
        SaleCreated, SaleDisputed, SaleRefunded, ShelfChanged, StockGiven, StockStep, StockTaken,
        VerificationUpdated,
    },
    fulfillments::Channel,
    ids::{EntryId, EventId, ProductId, RelationshipId},
    money::{Currency, Money},
    webhooks::is_told,
};
use persistence::events::list::{Entry, Event, Line, Subject};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Owner;
use crate::{
    auth::{MerchantKey, Session, scope::WebhooksRead},
    error::ApiError,
    events::EventAnswer,
    extract::PathIds,
    state::App,
    wire::answer::Answer,
};

/// One event that can be sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookEvent {
    event: &'static str,
    description: &'static str,
    sample: EventAnswer,
}

pub(crate) async fn dev(caller: MerchantKey<WebhooksRead>) -> Response {
    all(&Owner::merchant(&caller))
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
) -> Result<Response, ApiError> {
    Ok(all(&Owner::reseller(&app, &caller, relationship).await?))
}

fn all(owner: &Owner) -> Response {
    let told = Kind::ALL.into_iter();
    let told = told.filter(|kind| is_told(*kind, owner.is_reseller()));
    let all: Vec<_> = told
        .map(|kind| WebhookEvent::of(kind, owner.currency))
        .collect();
    Answer::ok(all).into_response()
}

impl WebhookEvent {
    fn of(kind: Kind, currency: Currency) -> Self {
        Self {
            event: kind.name(),
            description: kind.says(),
            sample: EventAnswer::of(&event(kind), currency),
        }
    }
}

/// An id that nothing has; samples of one thing have the same one.
const fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x019b_1658_0400_7000_8000_0000_0000_0000 | number)
}

const RELATIONSHIP: Uuid = id(1);
const PRODUCT: Uuid = id(2);
const FULFILLMENT: Uuid = id(3);
const ITEM: Uuid = id(4);
const INVOICE: Uuid = id(5);
const SALE: Uuid = id(12);
const SAMPLE_SECONDS: i64 = 1_765_000_000;

fn at() -> Timestamp {
    DateTime::from_timestamp(SAMPLE_SECONDS, 0).unwrap_or_default()
}

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap_or_default()
}

fn event(kind: Kind) -> Event {
    Event {
        id: EventId::from_uuid(id(9)),
        seq: 42,
        at: at(),
        subject: subject(kind),
    }
}

fn top_up_created() -> Fact {
    Fact::TopUpCreated {
        invoice: INVOICE,
        relationship: RELATIONSHIP,
        origin: "AUTO".to_owned(),
        amount: 5000,
        coin: "BANK".to_owned(),
    }
}

fn product_stock() -> Fact {
    Fact::ProductStock(ShelfChanged {
        product: PRODUCT,
        variant: None,
        change: "OUT".to_owned(),
        stock: 0,
        sellers: true,
    })
}

fn subject(kind: Kind) -> Subject {
    let (relationship, fulfillment) = (RELATIONSHIP, FULFILLMENT);
    Subject::Fact(match kind {
        Kind::FulfillmentCreated => return entry(EntryKind::Fulfillment, -849),
        Kind::FulfillmentRefunded => return entry(EntryKind::Refund, 849),
        Kind::BalanceCredited => return entry(EntryKind::Credit, 5000),
        Kind::BalanceDebited => return entry(EntryKind::Debit, -1000),
        Kind::ItemReplaced => Fact::ItemReplaced {
            fulfillment,
            item: ITEM,
            successor: id(6),
        },
        Kind::ReplacementUpdated => Fact::ReplacementUpdated {
            replacement: id(7),
            fulfillment,
            item: ITEM,
            status: "ISSUED".to_owned(),
        },
        Kind::BalanceLow => Fact::BalanceLow(BalanceLow {
            relationship,
            balance: 900,
            threshold: Some(1000),
            hours_left: Some(12),
        }),
        Kind::TopUpCreated => top_up_created(),
        Kind::TopUpUpdated => Fact::TopUpUpdated {
            invoice: INVOICE,
            relationship,
            status: "COMPLETED".to_owned(),
        },
        Kind::SerialsImported => Fact::SerialsImported {
            import: id(8 << 32),
            product: PRODUCT,
            variant: None,
            serials: 100,
        },
        Kind::ProductStock => product_stock(),
        Kind::ProductPriceChanged => Fact::ProductPriceChanged(PriceChanged {
            product: PRODUCT,
            price_version: 7,
        }),
        Kind::ProductAccessUpdated => Fact::ProductAccessUpdated { relationship },
        Kind::RelationshipUpdated => relationship_updated(),
        Kind::ResellerInvited => Fact::ResellerInvited { relationship },
        Kind::ResellerAccepted => Fact::ResellerAccepted { relationship },
        Kind::ResellerDeclined => Fact::ResellerDeclined { relationship },
        Kind::KeyCreated => key_created(),
        Kind::KeyExpiring => key_expiring(),
        Kind::KeyExposed => key_exposed(),
        Kind::KeyRevoked => key_revoked(),
        Kind::StockRequestUpdated => stock_step(),
        Kind::InventoryAllocated => stock_given(),
        Kind::InventoryRevoked => stock_taken(),
        Kind::WebhookDisabled => Fact::WebhookDisabled {
            webhook: id(11),
            relationship: Some(relationship),
        },
        Kind::SaleCreated => sale_created(),
        Kind::SaleRefunded => sale_refunded(),
        Kind::SaleDisputed => sale_disputed(),
        Kind::CommissionApproved => commission_approved(),
        Kind::CommissionReversed => commission_reversed(),
        Kind::PayoutUpdated => payout_updated(),
        Kind::VerificationUpdated => verification_updated(),
        Kind::ListingBlocked => listing_blocked(),
        Kind::InvoiceUpdated => invoice_updated(),
        Kind::InvoiceAwaitingStock => awaiting_stock(),
        Kind::ConnectionRefused => connection_refused(),
    })
}

fn awaiting_stock() -> Fact {
    Fact::InvoiceAwaitingStock(InvoiceAwaitingStock {
        invoice: INVOICE,
        product: PRODUCT,
        variant: None,
        quantity: 2,
    })
}

fn sale_created() -> Fact {
    Fact::SaleCreated(SaleCreated {
        sale: SALE,
        relationship: RELATIONSHIP,
        product: PRODUCT,
        variant: None,
        quantity: 2,
        net: 1998,
        commission: 250,
    })
}

fn sale_refunded() -> Fact {
    Fact::SaleRefunded(SaleRefunded {
        sale: SALE,
        relationship: RELATIONSHIP,
        amount: 999,
        refunded: 999,
    })
}

fn sale_disputed() -> Fact {
    Fact::SaleDisputed(SaleDisputed {
        sale: SALE,
        relationship: RELATIONSHIP,
        outcome: "OPENED".to_owned(),
    })
}

fn payout_updated() -> Fact {
    Fact::PayoutUpdated(PayoutUpdated {
        payout: id(13),
        relationship: RELATIONSHIP,
        status: "COMPLETED".to_owned(),
        amount: 2500,
    })
}

fn listing_blocked() -> Fact {
    Fact::ListingBlocked(ListingBlocked {
        listing: id(14),
        relationship: RELATIONSHIP,
        product: PRODUCT,
        variant: None,
        reason: "BELOW_FLOOR".to_owned(),
    })
}

fn relationship_updated() -> Fact {
    Fact::RelationshipUpdated {
        relationship: RELATIONSHIP,
        status: "ACTIVE".to_owned(),
        mode: "BOTH".to_owned(),
    }
}

fn connection_refused() -> Fact {
    Fact::ConnectionRefused(ConnectionRefused {
        connection: id(15),
        relationship: RELATIONSHIP,
        order_id: Some("sellauth:8e32b8f24c4a0-0000000010042:7".to_owned()),
        code: "OUT_OF_STOCK".to_owned(),
    })
}

fn invoice_updated() -> Fact {
    Fact::InvoiceUpdated(InvoiceUpdated {
        invoice: INVOICE,
        purpose: "CHECKOUT".to_owned(),
        status: "OPEN".to_owned(),
        amount: 1998,
        metadata: BTreeMap::from([("basket".to_owned(), "1042".to_owned())]),
    })
}

fn verification_updated() -> Fact {
    Fact::VerificationUpdated(VerificationUpdated {
        relationship: RELATIONSHIP,
        status: "VERIFIED".to_owned(),
    })
}

fn commission_approved() -> Fact {
    Fact::CommissionApproved(CommissionApproved {
        sale: SALE,
        relationship: RELATIONSHIP,
        amount: 250,
    })
}

fn commission_reversed() -> Fact {
    Fact::CommissionReversed(CommissionReversed {
        sale: SALE,
        relationship: RELATIONSHIP,
        amount: 125,
        reversed: 125,
    })
}

/// A key, and whose it is.
const fn key() -> (Uuid, Option<Uuid>) {
    (id(10), Some(RELATIONSHIP))
}

const fn key_created() -> Fact {
    let (key, relationship) = key();
    Fact::KeyCreated { key, relationship }
}

const fn key_expiring() -> Fact {
    let (key, relationship) = key();
    Fact::KeyExpiring { key, relationship }
}

const fn key_exposed() -> Fact {
    let (key, relationship) = key();
    Fact::KeyExposed { key, relationship }
}

const fn key_revoked() -> Fact {
    let (key, relationship) = key();
    Fact::KeyRevoked { key, relationship }
}

fn stock_step() -> Fact {
    Fact::StockRequestUpdated(StockStep {
        request: id(12),
        relationship: RELATIONSHIP,
        status: "ALLOCATED".to_owned(),
    })
}

fn stock_given() -> Fact {
    Fact::InventoryAllocated(StockGiven {
        request: id(12),
        relationship: RELATIONSHIP,
        product: PRODUCT,
        variant: None,
        items: 25,
    })
}

fn stock_taken() -> Fact {
    Fact::InventoryRevoked(StockTaken {
        request: id(12),
        relationship: RELATIONSHIP,
        items: 3,
    })
}

fn entry(kind: EntryKind, minor: i64) -> Subject {
    let sells = kind == EntryKind::Fulfillment;
    let line = Line {
        sku: Sku {
            product: ProductId::from_uuid(PRODUCT),
            variant: None,
        },
        quantity: 1,
        unit_price: money(-minor),
    };
    let id = EntryId::from_uuid(FULFILLMENT);
    Subject::Entry(Entry {
        id,
        relationship: RelationshipId::from_uuid(RELATIONSHIP),
        kind,
        reference: "WOO-10231".to_owned(),
        amount: money(minor),
        balance_after: money(9151),
        channel: sells.then_some(Channel::Api),
        description: (!sells).then(|| "As agreed".to_owned()),
        refunded: (kind == EntryKind::Refund).then(|| id.fulfillment()),
        lines: if sells { vec![line] } else { Vec::new() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_sample_of_its_own_kind() {
        for kind in Kind::ALL {
            assert_eq!(event(kind).kind(), kind);
        }
    }
}
