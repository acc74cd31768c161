//! What goes back to the balance for a purchase.
//!
//! Keeps: never more than was paid, and for a serial whose text left Consign only where the merchant says that it
//! was no good.

use super::{ItemStatus, Status, StockRequest};
use crate::{
    ids::{SerialId, StockRefundId, StockRequestId},
    money::Money,
    relationships::RelationshipScope,
};

/// Money that goes back, once under its own id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRefund {
    pub id: StockRefundId,
    pub request: StockRequestId,
    pub scope: RelationshipScope,
    pub amount: Money,
}

/// Whether what is taken back is paid back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveBack {
    Balance,
    Nothing,
}

/// An item that may be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub serial: SerialId,
    pub status: ItemStatus,
    /// Its text left Consign.
    pub handed_over: bool,
}

/// Items that are taken back together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub serials: Vec<SerialId>,
    pub refund: Money,
}

/// Why an item is not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// It went to a customer, and nobody says why it is taken back.
    NoReason,
    Status(ItemStatus),
}

impl StockRequest {
    /// What may still go back.
    pub(super) fn left(&self) -> Money {
        let left = self.paid.unwrap_or(self.total).checked_sub(self.refunded);
        left.unwrap_or_default().max(Money::ZERO)
    }

    /// What was paid for a request that is over and has no serials.
    pub fn owed(&self) -> Money {
        match self.status {
            Status::Cancelled | Status::Expired if self.paid_at.is_some() => self.left(),
            Status::Requested
            | Status::Invoiced
            | Status::Paying
            | Status::Paid
            | Status::Allocating
            | Status::Allocated
            | Status::Delivered
            | Status::Cancelled
            | Status::Expired
            | Status::Revoked => Money::ZERO,
        }
    }

    /// Whether all that was paid went back.
    pub fn is_given_back(&self) -> bool {
        self.refunded > Money::ZERO && self.left() == Money::ZERO
    }

    /// Notes that so much goes back.
    pub fn give_back(&mut self, amount: Money) {
        let refunded = self.refunded.checked_add(amount.min(self.left()));
        self.refunded = refunded.unwrap_or(self.refunded);
        self.keep_bill();
    }

    /// Notes that the price of one item goes back, or what is left; and says how much that is.
    pub fn credit_item(&mut self) -> Money {
        let amount = self.agreed.unit_price.min(self.left());
        self.give_back(amount);
        amount
    }

    /// Which of these items are taken back with the whole request: those that no customer has.
    pub fn take_all(&self, items: &[Held], how: GiveBack) -> Taken {
        let available = items
            .iter()
            .filter(|one| one.status == ItemStatus::Available);
        self.take(&available.copied().collect::<Vec<_>>(), how)
    }

    /// Takes one back, from a customer only for a reason.
    pub fn take_one(
        &self,
        item: Held,
        how: GiveBack,
        reason: Option<&str>,
    ) -> Result<Taken, NotTaken> {
        match item.status {
            ItemStatus::Delivered if reason.is_none() => Err(NotTaken::NoReason),
            ItemStatus::Available | ItemStatus::Delivered => Ok(self.take(&[item], how)),
            ItemStatus::Revoked | ItemStatus::Replaced => Err(NotTaken::Status(item.status)),
        }
    }

    fn take(&self, items: &[Held], how: GiveBack) -> Taken {
        let kept = |one: &&Held| one.status == ItemStatus::Available && !one.handed_over;
        let unseen = match how {
            GiveBack::Balance => items.iter().filter(kept).count(),
            GiveBack::Nothing => 0,
        };
        let unseen = u32::try_from(unseen).unwrap_or(self.quantity);
        let price = self.agreed.unit_price.checked_mul(unseen);
        Taken {
            serials: items.iter().map(|one| one.serial).collect(),
            refund: price.unwrap_or(self.total).min(self.left()),
        }
    }
}
