//! Port: where a balance comes from when its actor starts.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use crate::{
    clock::Timestamp,
    fault::Fault,
    ids::{BalanceId, KeyId, RelationshipId},
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

/// What was bought on one UTC day and in its month, for the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    pub day: NaiveDate,
    pub today: Money,
    pub month: Money,
    /// Today, by key.
    pub keys_today: BTreeMap<KeyId, Money>,
}

/// Loads balances from durable storage.
pub trait Source: Send + Sync + 'static {
    /// The balance as of its last committed entry, or none. `now` says which day and month count.
    fn load(&self, id: BalanceId, now: Timestamp) -> BoxFuture<'_, Result<Option<Loaded>, Fault>>;
}
