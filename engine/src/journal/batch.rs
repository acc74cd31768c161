//! What one commit writes: rows of one kind, under one fence and number.

use std::sync::Arc;

use super::Owner;
use crate::{
    balances::CreditEntry,
    fulfillments::Fulfillment,
    inventory::{Restock, Withdrawal},
};

/// A batch as it is sent, and sent again if it must be.
#[derive(Debug, Clone)]
pub struct Batch {
    pub lane: u16,
    pub owner: Owner,
    pub fence: i64,
    /// The number this batch takes; it commits only if the lane's last one is one less.
    pub seq: i64,
    pub rows: Rows,
}

/// The entries of a batch; of one kind, so that each kind's statement stays small.
#[derive(Debug, Clone)]
pub enum Rows {
    Fulfillments(Vec<Fulfillment>),
    Credits(Vec<CreditEntry>),
    /// Gives each import the next number, from which on its serials are sold.
    Restocks(Vec<Restock>),
    /// Claims serials for no order.
    Withdrawals(Vec<Arc<Withdrawal>>),
}

impl Rows {
    pub fn len(&self) -> usize {
        match self {
            Self::Fulfillments(rows) => rows.len(),
            Self::Credits(rows) => rows.len(),
            Self::Restocks(rows) => rows.len(),
            Self::Withdrawals(rows) => rows.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
