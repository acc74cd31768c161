//! What an invoice is for, as it was when it opened.

use std::collections::BTreeMap;

use crate::{
    catalog::{ProductKind, Sku},
    clock::Timestamp,
    ids::{InvoiceLineId, SaleId},
    money::Money,
    payments::Invoice,
    sales::{Movement, Reported, Sale, Share, sold},
};

/// What was agreed does not change any more; what was let go of it, and what went back, is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub id: InvoiceLineId,
    pub sku: Sku,
    pub title: String,
    pub kind: ProductKind,
    pub quantity: u32,
    pub unit_price: Money,
    pub total: Money,
    /// What was missing of it when the invoice was paid.
    pub missing: Money,
    /// Of what was paid for it.
    pub refunded: Money,
    /// It is not delivered: all of that went back before it left its shelf, or the purchase ended before it did.
    pub left_out: bool,
    pub custom_fields: BTreeMap<String, String>,
    /// None: nobody brought the customer.
    pub share: Option<Share>,
}

impl Line {
    /// What the customer paid for it.
    pub fn paid(&self) -> Money {
        self.total.checked_sub(self.missing).unwrap_or_default()
    }

    /// What of that did not go back.
    pub fn rest(&self) -> Money {
        self.paid().checked_sub(self.refunded).unwrap_or_default()
    }

    /// The sale that a paid invoice makes, and what it earns; none if nobody brought the customer, whose
    /// address is masked already, if it was not erased.
    ///
    /// What is missing of its price was let go: it is a discount, so that what is owed comes out of what arrived.
    pub fn sale(
        &self,
        id: SaleId,
        (invoice, customer): (&Invoice, Option<String>),
        now: Timestamp,
    ) -> Option<(Sale, Option<Movement>)> {
        let share = self.share.clone()?;
        let reported = Reported {
            id,
            merchant: invoice.merchant,
            invoice: invoice.id.to_string(),
            billed: Some(invoice.id),
            product: self.sku.product,
            variant: self.sku.variant,
            quantity: self.quantity,
            amount: self.total,
            discount: self.missing,
            tax: Money::ZERO,
            customer,
            sold_at: now,
            clicked: None,
        };
        Some(sold(share, reported, self.title.clone(), now))
    }
}
