//! The spine: entries become durable here, many in one commit.
//!
//! A *lane* is one queue, one task and one writer connection. Its row in the journal says who owns it,
//! under which fence, and the number of its last batch: a batch commits only as the next number under
//! the current owner and fence. So whoever asks for the number afterwards knows what became of a batch
//! whose answer was lost.

mod batch;
mod failure;
mod intent;
mod lane;
mod lanes;
#[cfg(any(test, feature = "null_journal"))]
mod null;
mod numbering;
mod ownership;
mod queue;
mod recovery;
#[cfg(test)]
mod tests;
pub(crate) mod tripwire;
mod withdrawal;

use std::sync::Arc;

pub use batch::{Batch, Rows};
pub use failure::{Failure, FenceFailure, OpenFailure};
use futures_util::future::BoxFuture;
pub(crate) use intent::{CreditIntent, Intent, RestockIntent, Verdict};
pub(crate) use lanes::Lanes;
#[cfg(any(test, feature = "null_journal"))]
pub use null::NullJournal;
pub(crate) use ownership::Ownership;
pub use tripwire::{Mark, Rewound, Tripped, Tripwire, TripwireFailure};
use uuid::Uuid;
pub(crate) use withdrawal::WithdrawalIntent;

use crate::{
    balances::{CreditEntry, EntryKind},
    fault::Fault,
    fulfillments::{Fulfillment, OrderId},
    ids::BalanceId,
};

/// Who writes: one value per start of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner(pub Uuid);

/// Where a lane's row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LanePosition {
    pub lane: u16,
    pub fence: i64,
    /// The number of the last batch that committed.
    pub seq: i64,
}

/// Port: durable storage of the lanes. Postgres, or memory in tests.
pub trait Journal: Send + Sync + 'static {
    /// Becomes the owner of every lane, and makes sure that lanes `0..lanes` exist. Waits while another
    /// live process owns them. Once it returns, no earlier owner can commit anything, and everything
    /// they did commit is visible. Refuses a shard that is marked as halted. The lease is held for as long as the value lives.
    fn take_over(
        &self,
        owner: Owner,
        lanes: u16,
    ) -> BoxFuture<'_, Result<Box<dyn Lease>, OpenFailure>>;

    /// Marks the shard, so that [`Journal::take_over`] refuses it until an operator has cleared the mark.
    fn halt<'a>(&'a self, because: &'a str) -> BoxFuture<'a, Result<(), OpenFailure>>;

    /// Whether a takeover by this owner is on record. If that of an owner is not, what is stored went
    /// back to before it.
    fn knows(&self, owner: Owner) -> BoxFuture<'_, Result<bool, OpenFailure>>;

    /// Opens the connections of a lane and raises its fence. Nothing that an earlier session of the
    /// lane sent can commit after this returned, and what it did commit is in the position.
    fn fence(&self, owner: Owner, lane: u16) -> BoxFuture<'_, Result<Session, FenceFailure>>;
}

/// The ownership of a shard's lanes, kept alive by a heartbeat.
pub trait Lease: Send {
    /// The lanes as they stood at the takeover.
    fn positions(&self) -> &[LanePosition];

    /// Says that this owner lives. An error means that the lease must be looked at as lost.
    fn heartbeat(&mut self) -> BoxFuture<'_, Result<(), OpenFailure>>;

    /// Gives the lanes up, so that the next owner need not wait.
    fn release(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// A lane's two connections under one fence.
pub struct Session {
    pub position: LanePosition,
    pub writer: Box<dyn Writer>,
    /// Opened before the fence was raised, so what it reads is never ahead of it.
    pub reader: Arc<dyn Reader>,
}

/// The connection that commits a lane's batches.
pub trait Writer: Send {
    /// Commits a batch, whole or not at all. `Ok` means durable.
    fn commit<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<(), Failure>>;

    /// Which of the batch's references have an entry already, in the batch's order.
    fn existing<'a>(&'a mut self, rows: &'a Rows) -> BoxFuture<'a, Result<Vec<bool>, Failure>>;
}

/// The connection that looks references up, for refusals and repeated calls. [`Fault::Unavailable`]
/// says that the connection is lost and with it the session; any other fault is of the rows alone.
pub trait Reader: Send + Sync {
    /// The fulfillment that bound this order id, or none. Exact for whoever holds the order id's
    /// entry in the balance's actor: nobody else can bind it meanwhile.
    fn fulfillment<'a>(
        &'a self,
        balance: BalanceId,
        order_id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Fulfillment>, Fault>>;

    /// The credit of this kind and reference, or none.
    fn credit<'a>(
        &'a self,
        balance: BalanceId,
        kind: EntryKind,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<CreditEntry>, Fault>>;
}
