//! One attributed line of a paid invoice.

use super::{Commission, Reported, Source};
use crate::{
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, ProductId, RelationshipId, SaleId, VariantId},
    money::Money,
};

/// Units of one reported sale.
pub const QUANTITY_MAX: u32 = 100_000;
/// Longest note of a refund or a reversal, in characters.
pub const NOTE_CHARS_MAX: usize = 500;

/// What became of the customer's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Paid,
    PartiallyRefunded,
    Refunded,
    /// Whoever paid wants it back, and nothing is decided.
    Disputed,
}

impl Status {
    pub const ALL: [Self; 4] = [
        Self::Paid,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Disputed,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paid => "PAID",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
            Self::Refunded => "REFUNDED",
            Self::Disputed => "DISPUTED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A sale with its commission. Amounts are those of the whole line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    pub id: SaleId,
    pub merchant: MerchantId,
    pub relationship: RelationshipId,
    /// What brought the customer, and what that is called.
    pub source: Source,
    pub source_name: String,
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub product_title: String,
    /// The merchant's own id of the invoice, or the text of ours.
    pub invoice: String,
    /// The invoice of ours that the customer paid; none if the merchant reported the sale.
    pub billed: Option<InvoiceId>,
    pub quantity: u32,
    pub amount: Money,
    pub discount: Money,
    pub tax: Money,
    pub status: Status,
    /// Of what was paid.
    pub refunded: Money,
    /// Masked; the address itself is not kept.
    pub customer: Option<String>,
    pub sold_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub commission: Commission,
}

impl Sale {
    /// Whether a report of the same invoice says what was reported before.
    pub fn is_said_by(&self, reported: &Reported) -> bool {
        self.product == reported.product
            && self.variant == reported.variant
            && self.quantity == reported.quantity
            && (self.amount, self.discount, self.tax)
                == (reported.amount, reported.discount, reported.tax)
    }

    /// What the customer paid: the amount less the discount.
    pub fn paid(&self) -> Money {
        let paid = self.amount.checked_sub(self.discount);
        paid.expect("no discount is above its amount")
    }

    /// What the commission is a part of: what was paid less the tax in it.
    pub fn net(&self) -> Money {
        let net = self.paid().checked_sub(self.tax);
        net.expect("no tax is above what was paid")
    }
}

/// An e-mail address as it is shown and kept: its first letter and its domain.
pub fn masked(email: &str) -> String {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let first = local.chars().next().map(String::from).unwrap_or_default();
    format!("{first}***@{domain}")
}
