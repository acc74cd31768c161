//! A journal that stores nothing: what the engine costs without one.
//!
//! Every commit succeeds at once and is forgotten, so nothing of what it acknowledged survives the
//! actors' memory. It keeps one thing, the lanes' fences and numbers, because lanes check them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;

use crate::{
    balances::{CreditEntry, EntryKind},
    fault::Fault,
    fulfillments::{Fulfillment, OrderId},
    ids::BalanceId,
    journal::{
        Batch, Failure, FenceFailure, Journal, LanePosition, Lease, OpenFailure, Owner, Reader,
        Rows, Session, Writer,
    },
};

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct NullJournal {
    lanes: Arc<Mutex<BTreeMap<u16, LanePosition>>>,
}

impl NullJournal {
    pub fn new() -> Self {
        Self::default()
    }

    fn with_lane<T>(&self, lane: u16, with: impl FnOnce(&mut LanePosition) -> T) -> T {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let (fence, seq) = (0, 0);
        with(
            lanes
                .entry(lane)
                .or_insert(LanePosition { lane, fence, seq }),
        )
    }
}

impl Journal for NullJournal {
    fn take_over(
        &self,
        _: Owner,
        lanes: u16,
    ) -> BoxFuture<'_, Result<Box<dyn Lease>, OpenFailure>> {
        Box::pin(async move {
            let positions = (0..lanes).map(|lane| self.with_lane(lane, |lane| *lane));
            let lease: Box<dyn Lease> = Box::new(NullLease(positions.collect()));
            Ok(lease)
        })
    }

    /// Nothing is kept, so there is nothing that the next owner could find wrong.
    fn halt<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), OpenFailure>> {
        Box::pin(async { Ok(()) })
    }

    fn knows(&self, _: Owner) -> BoxFuture<'_, Result<bool, OpenFailure>> {
        Box::pin(async { Ok(true) })
    }

    fn fence(&self, _: Owner, lane: u16) -> BoxFuture<'_, Result<Session, FenceFailure>> {
        Box::pin(async move {
            let position = self.with_lane(lane, |lane| {
                lane.fence += 1;
                *lane
            });
            Ok(Session {
                position,
                writer: Box::new(NullWriter(self.clone())),
                reader: Arc::new(NullReader),
            })
        })
    }
}

struct NullLease(Vec<LanePosition>);

impl Lease for NullLease {
    fn positions(&self) -> &[LanePosition] {
        &self.0
    }

    fn heartbeat(&mut self) -> BoxFuture<'_, Result<(), OpenFailure>> {
        Box::pin(async { Ok(()) })
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

struct NullWriter(NullJournal);

impl Writer for NullWriter {
    fn commit<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.0.with_lane(batch.lane, |lane| lane.seq = batch.seq);
            Ok(())
        })
    }

    fn existing<'a>(&'a mut self, rows: &'a Rows) -> BoxFuture<'a, Result<Vec<bool>, Failure>> {
        Box::pin(async move { Ok(vec![false; rows.len()]) })
    }
}

struct NullReader;

impl Reader for NullReader {
    fn fulfillment<'a>(
        &'a self,
        _: BalanceId,
        _: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Fulfillment>, Fault>> {
        Box::pin(async { Ok(None) })
    }

    fn credit<'a>(
        &'a self,
        _: BalanceId,
        _: EntryKind,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<CreditEntry>, Fault>> {
        Box::pin(async { Ok(None) })
    }
}
