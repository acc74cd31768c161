//! Facts outside the ledger, as they are stored with their cause.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Kind;

/// What happened. Ids are bare here: a fact is a stored form, the edge gives them their prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// An upload went on sale. Written by the lane's own statement.
    SerialsImported {
        import: Uuid,
        product: Uuid,
        variant: Option<Uuid>,
        serials: u32,
    },
    ItemReplaced {
        fulfillment: Uuid,
        item: Uuid,
        successor: Uuid,
    },
    ReplacementUpdated {
        replacement: Uuid,
        fulfillment: Uuid,
        item: Uuid,
        status: String,
    },
    /// The same of an item of an inventory.
    ItemReplacementUpdated(ItemReplacement),
    /// Serials that a customer bought were replaced.
    InvoiceReplacementIssued(InvoiceReplacementIssued),
    RelationshipUpdated {
        relationship: Uuid,
        status: String,
        mode: String,
    },
    ResellerInvited {
        relationship: Uuid,
    },
    ResellerAccepted {
        relationship: Uuid,
    },
    ResellerDeclined {
        relationship: Uuid,
    },
    /// A shelf ran low, ran out or is filled again.
    ProductStock(ShelfChanged),
    ProductPriceChanged(PriceChanged),
    ProductAccessUpdated {
        relationship: Uuid,
    },
    KeyCreated {
        key: Uuid,
        relationship: Option<Uuid>,
    },
    /// It ends within a week.
    KeyExpiring {
        key: Uuid,
        relationship: Option<Uuid>,
    },
    /// It was sent in an address.
    KeyExposed {
        key: Uuid,
        relationship: Option<Uuid>,
    },
    KeyRevoked {
        key: Uuid,
        relationship: Option<Uuid>,
    },
    WebhookDisabled {
        webhook: Uuid,
        relationship: Option<Uuid>,
    },
    TopUpCreated {
        invoice: Uuid,
        relationship: Uuid,
        origin: String,
        /// In minor units.
        amount: i64,
        coin: String,
    },
    TopUpUpdated {
        invoice: Uuid,
        relationship: Uuid,
        status: String,
    },
    StockRequestUpdated(StockStep),
    InventoryAllocated(StockGiven),
    InventoryRevoked(StockTaken),
    BalanceLow(BalanceLow),
    SaleCreated(SaleCreated),
    SaleRefunded(SaleRefunded),
    SaleDisputed(SaleDisputed),
    CommissionApproved(CommissionApproved),
    CommissionReversed(CommissionReversed),
    PayoutUpdated(PayoutUpdated),
    VerificationUpdated(VerificationUpdated),
    ListingBlocked(ListingBlocked),
    InvoiceUpdated(InvoiceUpdated),
    InvoiceAwaitingStock(InvoiceAwaitingStock),
    ConnectionRefused(ConnectionRefused),
}

/// A balance is low, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceLow {
    pub relationship: Uuid,
    pub balance: i64,
    pub threshold: Option<i64>,
    pub hours_left: Option<i64>,
}

/// A shop asked for what it sold and did not get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionRefused {
    pub connection: Uuid,
    pub relationship: Uuid,
    /// As the shop's order is known here; none of a call that could not be read.
    pub order_id: Option<String>,
    pub code: String,
}

/// Where the replacement of an item stands, and what took its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemReplacement {
    pub replacement: Uuid,
    pub request: Uuid,
    pub item: Uuid,
    pub successor: Option<Uuid>,
    pub status: String,
}

/// So many serials of an invoice have successors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceReplacementIssued {
    pub replacement: Uuid,
    pub invoice: Uuid,
    pub product: Uuid,
    pub variant: Option<Uuid>,
    pub quantity: u32,
}

/// A listing is not offered any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingBlocked {
    pub listing: Uuid,
    pub relationship: Uuid,
    pub product: Uuid,
    pub variant: Option<Uuid>,
    pub reason: String,
}

/// A sale was attributed. Amounts are in minor units, here and below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleCreated {
    pub sale: Uuid,
    pub relationship: Uuid,
    pub product: Uuid,
    pub variant: Option<Uuid>,
    pub quantity: u32,
    pub net: i64,
    pub commission: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleRefunded {
    pub sale: Uuid,
    pub relationship: Uuid,
    pub amount: i64,
    pub refunded: i64,
}

/// Whoever paid wants the money back, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleDisputed {
    pub sale: Uuid,
    pub relationship: Uuid,
    /// OPENED, WON or LOST.
    pub outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionApproved {
    pub sale: Uuid,
    pub relationship: Uuid,
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionReversed {
    pub sale: Uuid,
    pub relationship: Uuid,
    pub amount: i64,
    pub reversed: i64,
}

/// A shelf that stands otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfChanged {
    pub product: Uuid,
    pub variant: Option<Uuid>,
    /// LOW, OUT or BACK.
    pub change: String,
    pub stock: u64,
    /// Whether resellers with access hear of it too.
    pub sellers: bool,
}

/// A price that is to be read anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChanged {
    pub product: Uuid,
    pub price_version: i64,
}

/// The amount is in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutUpdated {
    pub payout: Uuid,
    pub relationship: Uuid,
    pub status: String,
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationUpdated {
    pub relationship: Uuid,
    pub status: String,
}

/// Where a customer's invoice stands. The amount is what it asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceUpdated {
    pub invoice: Uuid,
    pub purpose: String,
    pub status: String,
    pub amount: i64,
    /// What the merchant's shop sent with the visit. A fact without it is of before there was any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// A customer paid for more than there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceAwaitingStock {
    pub invoice: Uuid,
    pub product: Uuid,
    pub variant: Option<Uuid>,
    pub quantity: u32,
}

/// Where a wholesale purchase stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockStep {
    pub request: Uuid,
    pub relationship: Uuid,
    pub status: String,
}

/// Serials that came into an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockGiven {
    pub request: Uuid,
    pub relationship: Uuid,
    pub product: Uuid,
    pub variant: Option<Uuid>,
    pub items: u32,
}

/// Serials that were taken out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockTaken {
    pub request: Uuid,
    pub relationship: Uuid,
    pub items: u32,
}

impl Fact {
    /// The product, and the variant if it is of one, whose resellers hear of this, besides whom its row
    /// names. Who they are is known when it is told.
    pub const fn sellers(&self) -> Option<(Uuid, Option<Uuid>)> {
        match self {
            Self::ProductStock(ShelfChanged {
                product,
                variant,
                sellers: true,
                ..
            }) => Some((*product, *variant)),
            Self::ProductPriceChanged(PriceChanged { product, .. }) => Some((*product, None)),
            _ => None,
        }
    }

    /// The product about which an earlier fact of this kind says nothing any more once this is told: that a
    /// price is to be read anew is true of both.
    pub const fn supersedes(&self) -> Option<Uuid> {
        match self {
            Self::ProductPriceChanged(PriceChanged { product, .. }) => Some(*product),
            _ => None,
        }
    }

    pub const fn kind(&self) -> Kind {
        match self {
            Self::SerialsImported { .. } => Kind::SerialsImported,
            Self::ItemReplaced { .. } => Kind::ItemReplaced,
            Self::ReplacementUpdated { .. }
            | Self::ItemReplacementUpdated(_)
            | Self::InvoiceReplacementIssued(_) => Kind::ReplacementUpdated,
            Self::RelationshipUpdated { .. } => Kind::RelationshipUpdated,
            Self::ResellerInvited { .. } => Kind::ResellerInvited,
            Self::ResellerAccepted { .. } => Kind::ResellerAccepted,
            Self::ResellerDeclined { .. } => Kind::ResellerDeclined,
            Self::ProductStock(_) => Kind::ProductStock,
            Self::ProductPriceChanged(_) => Kind::ProductPriceChanged,
            Self::ProductAccessUpdated { .. } => Kind::ProductAccessUpdated,
            Self::KeyCreated { .. } => Kind::KeyCreated,
            Self::KeyExpiring { .. } => Kind::KeyExpiring,
            Self::KeyExposed { .. } => Kind::KeyExposed,
            Self::KeyRevoked { .. } => Kind::KeyRevoked,
            Self::WebhookDisabled { .. } => Kind::WebhookDisabled,
            Self::TopUpCreated { .. } => Kind::TopUpCreated,
            Self::TopUpUpdated { .. } => Kind::TopUpUpdated,
            Self::StockRequestUpdated(_) => Kind::StockRequestUpdated,
            Self::InventoryAllocated(_) => Kind::InventoryAllocated,
            Self::InventoryRevoked(_) => Kind::InventoryRevoked,
            Self::BalanceLow(_) => Kind::BalanceLow,
            Self::SaleCreated(_) => Kind::SaleCreated,
            Self::SaleRefunded(_) => Kind::SaleRefunded,
            Self::SaleDisputed(_) => Kind::SaleDisputed,
            Self::CommissionApproved(_) => Kind::CommissionApproved,
            Self::CommissionReversed(_) => Kind::CommissionReversed,
            Self::PayoutUpdated(_) => Kind::PayoutUpdated,
            Self::VerificationUpdated(_) => Kind::VerificationUpdated,
            Self::ListingBlocked(_) => Kind::ListingBlocked,
            Self::InvoiceUpdated(_) => Kind::InvoiceUpdated,
            Self::InvoiceAwaitingStock(_) => Kind::InvoiceAwaitingStock,
            Self::ConnectionRefused(_) => Kind::ConnectionRefused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One stored text per form that was ever written: they are never changed.
    #[test]
    fn facts_that_were_stored_stay_readable() {
        let id = "018f0000-0000-7000-8000-000000000001";
        for (stored, kind) in [
            (
                format!(
                    r#"{{"fact":"serials_imported","import":"{id}","product":"{id}","variant":null,"serials":3}}"#
                ),
                Kind::SerialsImported,
            ),
            (
                format!(
                    r#"{{"fact":"relationship_updated","relationship":"{id}","status":"ACTIVE","mode":"BOTH"}}"#
                ),
                Kind::RelationshipUpdated,
            ),
            (
                format!(
                    r#"{{"fact":"item_replaced","fulfillment":"{id}","item":"{id}","successor":"{id}"}}"#
                ),
                Kind::ItemReplaced,
            ),
            (
                format!(
                    r#"{{"fact":"replacement_updated","replacement":"{id}","fulfillment":"{id}","item":"{id}","status":"ISSUED"}}"#
                ),
                Kind::ReplacementUpdated,
            ),
            (
                format!(r#"{{"fact":"reseller_invited","relationship":"{id}"}}"#),
                Kind::ResellerInvited,
            ),
            (
                format!(r#"{{"fact":"reseller_accepted","relationship":"{id}"}}"#),
                Kind::ResellerAccepted,
            ),
            (
                format!(r#"{{"fact":"reseller_declined","relationship":"{id}"}}"#),
                Kind::ResellerDeclined,
            ),
            (
                format!(r#"{{"fact":"key_revoked","key":"{id}","relationship":"{id}"}}"#),
                Kind::KeyRevoked,
            ),
            (
                format!(r#"{{"fact":"webhook_disabled","webhook":"{id}","relationship":null}}"#),
                Kind::WebhookDisabled,
            ),
            (
                format!(
                    r#"{{"fact":"top_up_created","invoice":"{id}","relationship":"{id}","origin":"AUTO","amount":5000,"coin":"BANK"}}"#
                ),
                Kind::TopUpCreated,
            ),
            (
                format!(
                    r#"{{"fact":"top_up_updated","invoice":"{id}","relationship":"{id}","status":"PAID"}}"#
                ),
                Kind::TopUpUpdated,
            ),
            (
                format!(
                    r#"{{"fact":"balance_low","relationship":"{id}","balance":99,"threshold":100,"hours_left":null}}"#
                ),
                Kind::BalanceLow,
            ),
        ] {
            check(&stored, kind);
        }
    }

    #[test]
    fn facts_of_keys_that_were_stored_stay_readable() {
        let id = "018f0000-0000-7000-8000-000000000001";
        for (stored, kind) in [
            (
                format!(r#"{{"fact":"key_created","key":"{id}","relationship":"{id}"}}"#),
                Kind::KeyCreated,
            ),
            (
                format!(r#"{{"fact":"key_expiring","key":"{id}","relationship":null}}"#),
                Kind::KeyExpiring,
            ),
            (
                format!(r#"{{"fact":"key_exposed","key":"{id}","relationship":"{id}"}}"#),
                Kind::KeyExposed,
            ),
        ] {
            check(&stored, kind);
        }
    }

    #[test]
    fn facts_of_sales_that_were_stored_stay_readable() {
        let id = "018f0000-0000-7000-8000-000000000001";
        for (stored, kind) in [
            (
                format!(
                    r#"{{"fact":"sale_created","sale":"{id}","relationship":"{id}","product":"{id}","variant":null,"quantity":2,"net":1998,"commission":250}}"#
                ),
                Kind::SaleCreated,
            ),
            (
                format!(
                    r#"{{"fact":"sale_refunded","sale":"{id}","relationship":"{id}","amount":999,"refunded":1998}}"#
                ),
                Kind::SaleRefunded,
            ),
            (
                format!(
                    r#"{{"fact":"sale_disputed","sale":"{id}","relationship":"{id}","outcome":"OPENED"}}"#
                ),
                Kind::SaleDisputed,
            ),
            (
                format!(
                    r#"{{"fact":"commission_approved","sale":"{id}","relationship":"{id}","amount":250}}"#
                ),
                Kind::CommissionApproved,
            ),
            (
                format!(
                    r#"{{"fact":"commission_reversed","sale":"{id}","relationship":"{id}","amount":125,"reversed":250}}"#
                ),
                Kind::CommissionReversed,
            ),
            (
                format!(
                    r#"{{"fact":"payout_updated","payout":"{id}","relationship":"{id}","status":"PENDING","amount":2500}}"#
                ),
                Kind::PayoutUpdated,
            ),
            (
                format!(
                    r#"{{"fact":"verification_updated","relationship":"{id}","status":"VERIFIED"}}"#
                ),
                Kind::VerificationUpdated,
            ),
            (
                format!(
                    r#"{{"fact":"listing_blocked","listing":"{id}","relationship":"{id}","product":"{id}","variant":null,"reason":"BELOW_FLOOR"}}"#
                ),
                Kind::ListingBlocked,
            ),
        ] {
            check(&stored, kind);
        }
    }

    #[test]
    fn facts_of_invoices_that_were_stored_stay_readable() {
        let id = "018f0000-0000-7000-8000-000000000001";
        for (stored, kind) in [
            (
                format!(
                    r#"{{"fact":"invoice_updated","invoice":"{id}","purpose":"CHECKOUT","status":"PAID","amount":1998}}"#
                ),
                Kind::InvoiceUpdated,
            ),
            (
                format!(
                    r#"{{"fact":"invoice_replacement_issued","replacement":"{id}","invoice":"{id}","product":"{id}","variant":null,"quantity":2}}"#
                ),
                Kind::ReplacementUpdated,
            ),
            (
                format!(
                    r#"{{"fact":"invoice_awaiting_stock","invoice":"{id}","product":"{id}","variant":null,"quantity":2}}"#
                ),
                Kind::InvoiceAwaitingStock,
            ),
        ] {
            check(&stored, kind);
        }
    }

    #[test]
    fn facts_of_products_that_were_stored_stay_readable() {
        let id = "018f0000-0000-7000-8000-000000000001";
        for (stored, kind) in [
            (
                format!(
                    r#"{{"fact":"connection_refused","connection":"{id}","relationship":"{id}","order_id":"sellix:1:2","code":"OUT_OF_STOCK"}}"#
                ),
                Kind::ConnectionRefused,
            ),
            (
                format!(
                    r#"{{"fact":"product_stock","product":"{id}","variant":null,"change":"LOW","stock":3,"sellers":false}}"#
                ),
                Kind::ProductStock,
            ),
            (
                format!(r#"{{"fact":"product_price_changed","product":"{id}","price_version":7}}"#),
                Kind::ProductPriceChanged,
            ),
            (
                format!(r#"{{"fact":"product_access_updated","relationship":"{id}"}}"#),
                Kind::ProductAccessUpdated,
            ),
        ] {
            check(&stored, kind);
        }
    }

    #[test]
    fn facts_of_wholesale_that_were_stored_stay_readable() {
        let id = "018f0000-0000-7000-8000-000000000001";
        for (stored, kind) in [
            (
                format!(
                    r#"{{"fact":"item_replacement_updated","replacement":"{id}","request":"{id}","item":"{id}","successor":null,"status":"REQUESTED"}}"#
                ),
                Kind::ReplacementUpdated,
            ),
            (
                format!(
                    r#"{{"fact":"stock_request_updated","request":"{id}","relationship":"{id}","status":"PAID"}}"#
                ),
                Kind::StockRequestUpdated,
            ),
            (
                format!(
                    r#"{{"fact":"inventory_allocated","request":"{id}","relationship":"{id}","product":"{id}","variant":null,"items":3}}"#
                ),
                Kind::InventoryAllocated,
            ),
            (
                format!(
                    r#"{{"fact":"inventory_revoked","request":"{id}","relationship":"{id}","items":3}}"#
                ),
                Kind::InventoryRevoked,
            ),
        ] {
            check(&stored, kind);
        }
    }

    fn check(stored: &str, kind: Kind) {
        let fact: Fact = serde_json::from_str(stored).unwrap();
        assert_eq!(fact.kind(), kind);
        assert_eq!(serde_json::to_string(&fact).unwrap(), stored);
    }
}
