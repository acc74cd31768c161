//! The names of events, a closed set, and who hears of which.

use crate::balances::EntryKind;

/// Who hears of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Both,
    Merchant,
    Reseller,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    FulfillmentCreated,
    FulfillmentRefunded,
    ItemReplaced,
    ReplacementUpdated,
    BalanceCredited,
    BalanceDebited,
    BalanceLow,
    TopUpCreated,
    TopUpUpdated,
    StockRequestUpdated,
    InventoryAllocated,
    InventoryRevoked,
    SerialsImported,
    ProductStock,
    ProductPriceChanged,
    ProductAccessUpdated,
    RelationshipUpdated,
    ResellerInvited,
    ResellerAccepted,
    ResellerDeclined,
    KeyCreated,
    KeyExpiring,
    KeyExposed,
    KeyRevoked,
    WebhookDisabled,
    SaleCreated,
    SaleRefunded,
    SaleDisputed,
    CommissionApproved,
    CommissionReversed,
    PayoutUpdated,
    VerificationUpdated,
    ListingBlocked,
    InvoiceUpdated,
    InvoiceAwaitingStock,
    ConnectionRefused,
}

impl Kind {
    pub const ALL: [Self; 36] = [
        Self::FulfillmentCreated,
        Self::FulfillmentRefunded,
        Self::ItemReplaced,
        Self::ReplacementUpdated,
        Self::BalanceCredited,
        Self::BalanceDebited,
        Self::BalanceLow,
        Self::TopUpCreated,
        Self::TopUpUpdated,
        Self::StockRequestUpdated,
        Self::InventoryAllocated,
        Self::InventoryRevoked,
        Self::SerialsImported,
        Self::ProductStock,
        Self::ProductPriceChanged,
        Self::ProductAccessUpdated,
        Self::RelationshipUpdated,
        Self::ResellerInvited,
        Self::ResellerAccepted,
        Self::ResellerDeclined,
        Self::KeyCreated,
        Self::KeyExpiring,
        Self::KeyExposed,
        Self::KeyRevoked,
        Self::WebhookDisabled,
        Self::SaleCreated,
        Self::SaleRefunded,
        Self::SaleDisputed,
        Self::CommissionApproved,
        Self::CommissionReversed,
        Self::PayoutUpdated,
        Self::VerificationUpdated,
        Self::ListingBlocked,
        Self::InvoiceUpdated,
        Self::InvoiceAwaitingStock,
        Self::ConnectionRefused,
    ];

    /// Every entry of a ledger is one event.
    pub const fn of_entry(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Fulfillment => Self::FulfillmentCreated,
            EntryKind::Refund => Self::FulfillmentRefunded,
            EntryKind::TopUp | EntryKind::Credit | EntryKind::StockRefund => Self::BalanceCredited,
            EntryKind::Debit
            | EntryKind::TopUpReversal
            | EntryKind::DebtSettlement
            | EntryKind::StockPurchase => Self::BalanceDebited,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::FulfillmentCreated => "fulfillment:created",
            Self::FulfillmentRefunded => "fulfillment:refunded",
            Self::ItemReplaced => "fulfillment:item_replaced",
            Self::ReplacementUpdated => "replacement:updated",
            Self::BalanceCredited => "balance:credited",
            Self::BalanceDebited => "balance:debited",
            Self::BalanceLow => "balance:low",
            Self::TopUpCreated => "top_up:created",
            Self::TopUpUpdated => "top_up:updated",
            Self::StockRequestUpdated => "stock_request:updated",
            Self::InventoryAllocated => "inventory:allocated",
            Self::InventoryRevoked => "inventory:revoked",
            Self::SerialsImported => "serials:imported",
            Self::ProductStock => "product:stock",
            Self::ProductPriceChanged => "product:price_changed",
            Self::ProductAccessUpdated => "product_access:updated",
            Self::RelationshipUpdated => "relationship:updated",
            Self::ResellerInvited => "reseller:invited",
            Self::ResellerAccepted => "reseller:accepted",
            Self::ResellerDeclined => "reseller:declined",
            Self::KeyCreated => "key:created",
            Self::KeyExpiring => "key:expiring",
            Self::KeyExposed => "key:exposed",
            Self::KeyRevoked => "key:revoked",
            Self::WebhookDisabled => "webhook:disabled",
            Self::SaleCreated => "sale:created",
            Self::SaleRefunded => "sale:refunded",
            Self::SaleDisputed => "sale:disputed",
            Self::CommissionApproved => "commission:approved",
            Self::CommissionReversed => "commission:reversed",
            Self::PayoutUpdated => "payout:updated",
            Self::VerificationUpdated => "verification:updated",
            Self::ListingBlocked => "listing:blocked",
            Self::InvoiceUpdated => "invoice:updated",
            Self::InvoiceAwaitingStock => "invoice:awaiting_stock",
            Self::ConnectionRefused => "connection:refused",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it says to whoever reads the list of events.
    pub const fn says(self) -> &'static str {
        match self {
            Self::FulfillmentCreated => "An order was delivered and debited.",
            Self::FulfillmentRefunded => "An order was paid back, in whole or in part.",
            Self::ItemReplaced => "Another serial took the place of a delivered one.",
            Self::ReplacementUpdated => "A replacement was requested, decided or carried out.",
            Self::BalanceCredited => "Money was added to a balance.",
            Self::BalanceDebited => "Money was taken from a balance, not for an order.",
            Self::BalanceLow => "A balance is lower than its reseller wants it.",
            Self::TopUpCreated => "An invoice was opened that tops a balance up.",
            Self::TopUpUpdated => "The status of a top-up changed.",
            Self::StockRequestUpdated => "The status of a wholesale purchase changed.",
            Self::InventoryAllocated => "Serials came into a reseller's inventory.",
            Self::InventoryRevoked => "Serials were taken out of a reseller's inventory.",
            Self::SerialsImported => "An upload of serials went on sale.",
            Self::ProductStock => "A shelf ran low, ran out or is filled again.",
            Self::ProductPriceChanged => "A product or a variant of it has another price.",
            Self::ProductAccessUpdated => "Another set of products may be sold.",
            Self::RelationshipUpdated => "Status, mode, terms or product access changed.",
            Self::ResellerInvited => "Somebody was invited into the program.",
            Self::ResellerAccepted => "An invited reseller joined the program.",
            Self::ResellerDeclined => "An invitation ended without a yes.",
            Self::KeyCreated => "A key was made, or another's successor.",
            Self::KeyExpiring => "A key ends within a week.",
            Self::KeyExposed => "A key was sent in an address, where others read it.",
            Self::KeyRevoked => "A key buys and reads nothing any more.",
            Self::WebhookDisabled => "A webhook failed for days and gets nothing any more.",
            Self::SaleCreated => "A sale was attributed to a reseller.",
            Self::SaleRefunded => "A sale was paid back, in whole or in part.",
            Self::SaleDisputed => "A dispute about a sale was opened or decided.",
            Self::CommissionApproved => "The hold of a commission is over.",
            Self::CommissionReversed => "A commission was taken back, in whole or in part.",
            Self::PayoutUpdated => "A payout was asked for, decided or paid.",
            Self::VerificationUpdated => "Who a reseller is was handed in or decided.",
            Self::ListingBlocked => "A listing may not be offered any more.",
            Self::InvoiceUpdated => "An invoice of a customer was opened, paid or ended.",
            Self::InvoiceAwaitingStock => "A customer paid for more than there is in stock.",
            Self::ConnectionRefused => "A shop asked for what it sold and did not get it.",
        }
    }

    pub const fn audience(self) -> Audience {
        match self {
            Self::FulfillmentCreated
            | Self::ProductStock
            | Self::FulfillmentRefunded
            | Self::ItemReplaced
            | Self::ReplacementUpdated
            | Self::BalanceCredited
            | Self::BalanceDebited
            | Self::BalanceLow
            | Self::TopUpCreated
            | Self::TopUpUpdated
            | Self::StockRequestUpdated
            | Self::InventoryAllocated
            | Self::InventoryRevoked
            | Self::RelationshipUpdated
            | Self::KeyCreated
            | Self::KeyExpiring
            | Self::KeyExposed
            | Self::KeyRevoked
            | Self::WebhookDisabled
            | Self::SaleCreated
            | Self::SaleRefunded
            | Self::SaleDisputed
            | Self::CommissionApproved
            | Self::CommissionReversed
            | Self::PayoutUpdated
            | Self::VerificationUpdated
            | Self::ListingBlocked
            | Self::ConnectionRefused => Audience::Both,
            Self::SerialsImported
            | Self::InvoiceUpdated
            | Self::InvoiceAwaitingStock
            | Self::ResellerInvited
            | Self::ResellerAccepted
            | Self::ResellerDeclined => Audience::Merchant,
            Self::ProductPriceChanged | Self::ProductAccessUpdated => Audience::Reseller,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
        }
        assert_eq!(Kind::parse("fulfillment"), None);
    }
}
