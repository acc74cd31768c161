//! One change of a balance: version, kind, amount, balance after.

use std::sync::Arc;

use crate::{audit::Actor, fulfillments::Stamp, ids::BalanceId, money::Money};

/// What an entry is. The number is what is stored, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    Fulfillment = 1,
    TopUp = 2,
    Credit = 3,
    /// Of a fulfillment, in whole or in part.
    Refund = 4,
    Debit = 5,
    /// A top-up whose payment was taken back.
    TopUpReversal = 6,
    /// Of a wholesale purchase: serials that the merchant took back, or that never came.
    StockRefund = 7,
    /// A fulfillment into the reseller's own inventory. It is stored as the fulfillment that it is, through
    /// a channel of its own, and told under this name.
    StockPurchase = 8,
    /// Of what is owed since a top-up was taken back, out of a later one.
    DebtSettlement = 9,
}

impl EntryKind {
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// Whether it takes money without delivering anything.
    pub const fn takes(self) -> bool {
        match self {
            Self::Debit | Self::TopUpReversal | Self::DebtSettlement => true,
            Self::Fulfillment
            | Self::TopUp
            | Self::Credit
            | Self::Refund
            | Self::StockRefund
            | Self::StockPurchase => false,
        }
    }

    /// The kind stored under this number.
    pub const fn from_number(number: i16) -> Option<Self> {
        match number {
            1 => Some(Self::Fulfillment),
            2 => Some(Self::TopUp),
            3 => Some(Self::Credit),
            4 => Some(Self::Refund),
            5 => Some(Self::Debit),
            6 => Some(Self::TopUpReversal),
            7 => Some(Self::StockRefund),
            8 => Some(Self::StockPurchase),
            9 => Some(Self::DebtSettlement),
            _ => None,
        }
    }
}

/// Money that is to be added to a balance, or taken from it where the amount is negative, once per
/// reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    pub balance: BalanceId,
    pub kind: EntryKind,
    /// The payment's id, or the caller's own reference.
    pub reference: String,
    /// Below zero for the kinds that take.
    pub amount: Money,
    /// What the statement says of it.
    pub description: String,
    /// `PROMO`, `CORRECTION` and the like, as the merchant named it.
    pub label: String,
    /// Who did it, where the entry is the first record of that: told to the audit log with the commit, and
    /// in no entry that is read.
    pub by: Option<Actor>,
}

/// A committed credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditEntry {
    pub stamp: Stamp,
    pub credit: Arc<Credit>,
}
