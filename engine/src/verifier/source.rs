//! Port: what the proof reads of durable storage.

use futures_util::future::BoxFuture;

use crate::{
    fault::Fault,
    ids::{BalanceId, SerialId},
    money::Money,
};

/// A row of a ledger, as far as it is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub version: i64,
    pub amount: Money,
    pub balance_after: Money,
    /// Of a delivery only.
    pub delivered: Option<Delivered>,
}

/// What an entry says it delivered, and what is claimed for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    pub serials: u64,
    /// Claims of those serials that name this entry.
    pub claims: u64,
    /// Their prices.
    pub cost: Money,
}

/// Reads durable storage. Nothing is read in one go that grows with the age of a ledger.
pub trait Source: Send + Sync + 'static {
    /// The balance after this one by its number, or the first, and its last version; 0 without entries.
    fn next(
        &self,
        after: Option<BalanceId>,
    ) -> BoxFuture<'_, Result<Option<(BalanceId, i64)>, Fault>>;

    /// The entries of these versions that there are, in their order.
    fn lines(
        &self,
        balance: BalanceId,
        from: i64,
        through: i64,
    ) -> BoxFuture<'_, Result<Vec<Line>, Fault>>;

    /// Those of the serials that are claimed, or not stored.
    fn claimed(&self, serials: Vec<SerialId>) -> BoxFuture<'_, Result<Vec<SerialId>, Fault>>;
}
