//! Port: where a balance comes from when its actor starts.

use futures_util::future::BoxFuture;

use super::Spending;
use crate::{
    clock::Timestamp,
    fault::Fault,
    ids::{BalanceId, RelationshipId},
    money::Money,
};

/// A balance as its ledger ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    pub relationship: RelationshipId,
    /// Of the last entry; 0 if there is none.
    pub version: i64,
    /// `balance_after` of the last entry.
    pub posted: Money,
    pub spending: Spending,
}

/// Loads balances from durable storage.
pub trait Source: Send + Sync + 'static {
    /// The balance as of its last committed entry, or none. `now` says which day and month count.
    fn load(&self, id: BalanceId, now: Timestamp) -> BoxFuture<'_, Result<Option<Loaded>, Fault>>;
}
