//! The invoice of a purchase that is paid elsewhere.
//!
//! Keeps: what arrived for it says where it stands as long as it waits for money; once it is paid or over, it is what
//! its purchase is, and has no life of its own that could say something else.

use chrono::TimeDelta;

use super::{INVOICE_HOURS, RequestedBy, Status, StockRequest};
use crate::{
    clock::Timestamp,
    ids::InvoiceId,
    money::Money,
    payments::{self, Coin, Invoice, Origin, Pay, ProviderKind, Purpose},
};

/// How a request is to be paid from elsewhere, as it was when that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    pub id: InvoiceId,
    pub coin: Coin,
    pub provider: ProviderKind,
    pub pay: Pay,
    /// What arrived for it, where a provider sees that. None: the merchant says that it is paid, once.
    pub invoice: Option<Box<Invoice>>,
}

impl Bill {
    /// The invoice of a purchase that waits for money from now on, where a provider tells of it.
    pub fn opened(&self, request: &StockRequest, now: Timestamp) -> Option<Invoice> {
        match self.provider {
            ProviderKind::Manual => return None,
            ProviderKind::EvmErc20 | ProviderKind::Btcpay => {}
        }
        Some(Invoice {
            id: self.id,
            merchant: request.scope.merchant,
            purpose: Purpose::StockRequest,
            relationship: Some(request.scope.relationship),
            origin: match request.requested_by {
                RequestedBy::Reseller => Origin::Manual,
                RequestedBy::Merchant => Origin::Merchant,
            },
            status: payments::Status::Open,
            amount: request.total,
            coin: self.coin.clone(),
            provider: self.provider,
            pay: self.pay.clone(),
            expires_at: now + TimeDelta::hours(INVOICE_HOURS),
            paid_at: None,
            completed_at: None,
            created_at: now,
            updated_at: now,
            refunded: Money::ZERO,
            payments: Vec::new(),
        })
    }
}

impl StockRequest {
    /// What is known of what arrived for it, where a provider sees that.
    pub fn invoice(&self) -> Option<&Invoice> {
        self.bill.as_ref().and_then(|bill| bill.invoice.as_deref())
    }

    /// Where its invoice stands, if it has one.
    pub fn bill_status(&self, now: Timestamp) -> payments::Status {
        use payments::Status as Stands;
        let status = self.status_at(now);
        if self.refunded > Money::ZERO || status.is_over() && self.paid_at.is_some() {
            return if self.left() == Money::ZERO {
                Stands::Refunded
            } else {
                Stands::PartiallyRefunded
            };
        }
        let known = self.invoice().map(|invoice| invoice.status);
        match status {
            Status::Requested | Status::Invoiced | Status::Paying => known.unwrap_or(Stands::Open),
            Status::Paid | Status::Allocating => Stands::Paid,
            // A payment of it did not come after all.
            Status::Allocated | Status::Delivered | Status::Revoked => known
                .filter(|known| matches!(known, Stands::PartiallyRefunded | Stands::Refunded))
                .unwrap_or(Stands::Completed),
            Status::Cancelled => Stands::Cancelled,
            Status::Expired => Stands::Expired,
        }
    }

    /// Its invoice stands where it stands itself.
    pub(super) fn keep_bill(&mut self) {
        let (at, paid_at, completed_at) = (self.updated_at, self.paid_at, self.allocated_at);
        // As long as it waits for money, what arrived says it.
        let derived = (self.status != Status::Invoiced).then(|| self.bill_status(at));
        let invoice = self.bill.as_mut().and_then(|bill| bill.invoice.as_mut());
        if let Some(invoice) = invoice {
            invoice.status = derived.unwrap_or(invoice.status);
            invoice.paid_at = paid_at;
            invoice.completed_at = completed_at;
            invoice.updated_at = at;
        }
    }
}
