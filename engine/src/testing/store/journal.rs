//! The store as a journal: sessions, fences, commits, and what goes wrong with them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::{
    task::yield_now,
    time::{Duration, sleep},
};

use super::{CommitFault, EntryRow, FindEntry, MemoryStore};
use crate::{
    balances::EntryKind,
    fault::Fault,
    ids::BalanceId,
    journal::{
        Batch, Failure, FenceFailure, Journal, LanePosition, Lease, OpenFailure, Owner, Rows,
        Session, Writer,
    },
};

/// Longer than any deadline: a connection that never answers.
const FOREVER: Duration = Duration::from_hours(24);

impl Journal for MemoryStore {
    fn take_over(
        &self,
        owner: Owner,
        lanes: u16,
    ) -> BoxFuture<'_, Result<Box<dyn Lease>, OpenFailure>> {
        Box::pin(async move {
            let mut lease = self.0.lease.subscribe();
            loop {
                // The sender lives as long as the store.
                drop(lease.wait_for(Option::is_none).await);
                let free = |holder: &mut Option<Owner>| {
                    holder.is_none().then(|| *holder = Some(owner)).is_some()
                };
                if self.0.lease.send_if_modified(free) {
                    break;
                }
            }
            if let Some(because) = self.tables().halted.clone() {
                self.0.lease.send_replace(None);
                return Err(OpenFailure {
                    passing: false,
                    message: format!("the shard is halted: {because}"),
                });
            }
            let positions = self.tables().take_over(owner, lanes);
            let lease: Box<dyn Lease> = Box::new(MemoryLease {
                store: self.clone(),
                owner,
                positions,
            });
            Ok(lease)
        })
    }

    fn halt<'a>(&'a self, because: &'a str) -> BoxFuture<'a, Result<(), OpenFailure>> {
        Box::pin(async move {
            self.tables().halted = Some(because.to_owned());
            Ok(())
        })
    }

    fn knows(&self, owner: Owner) -> BoxFuture<'_, Result<bool, OpenFailure>> {
        Box::pin(async move { Ok(self.tables().owners.contains(&owner)) })
    }

    fn fence(&self, owner: Owner, lane: u16) -> BoxFuture<'_, Result<Session, FenceFailure>> {
        Box::pin(async move {
            yield_now().await;
            if let Some(failure) = self.faults().fences.pop_front() {
                return Err(failure);
            }
            self.land(lane, true);
            let position = self.tables().fence(owner, lane);
            let position = position.ok_or(FenceFailure::Disowned)?;
            self.land(lane, false);
            let (writer, reader) = (MemoryWriter(self.clone()), MemoryReader(self.clone()));
            Ok(Session {
                position,
                writer: Box::new(writer),
                reader: Arc::new(reader),
            })
        })
    }
}

impl MemoryStore {
    /// The statements that were cut and land now reach the lane's row.
    fn land(&self, lane: u16, before: bool) {
        let mut faults = self.faults();
        let lands = |cut: &mut (Batch, bool)| cut.0.lane == lane && cut.1 == before;
        let landing: Vec<_> = faults.cut.extract_if(.., lands).collect();
        for (batch, _) in landing {
            let landed = self.tables().commit(&batch);
            faults.landed.push(landed);
        }
    }

    /// What was scripted for this batch: a failure of one of its references, or of the commit.
    fn scripted(&self, batch: &Batch) -> Option<CommitFault> {
        let mut faults = self.faults();
        let scripted = faults.commits.pop_front().flatten();
        let failure = references(&batch.rows).into_iter().find_map(|reference| {
            faults
                .references
                .get(reference)
                .copied()
                .map(CommitFault::Fails)
        });
        scripted.or(failure)
    }

    async fn commit_batch(&self, batch: &Batch) -> Result<(), Failure> {
        yield_now().await;
        self.0.commits.pass().await;
        match self.scripted(batch) {
            None => self.tables().commit(batch),
            Some(CommitFault::Fails(failure)) => Err(failure),
            Some(CommitFault::AnswerLost) => {
                let _lost = self.tables().commit(batch);
                Err(Failure::Unknown)
            }
            Some(CommitFault::Silent { written }) => {
                if written {
                    let _lost = self.tables().commit(batch);
                }
                sleep(FOREVER).await;
                Err(Failure::Unknown)
            }
            Some(CommitFault::LandsBeforeFence) => {
                self.faults().cut.push((batch.clone(), true));
                Err(Failure::Unknown)
            }
            Some(CommitFault::LandsAfterFence) => {
                self.faults().cut.push((batch.clone(), false));
                Err(Failure::Unknown)
            }
            Some(CommitFault::Takes(time)) => {
                sleep(time).await;
                self.tables().commit(batch)
            }
        }
    }
}

fn references(rows: &Rows) -> Vec<&str> {
    match rows {
        Rows::Fulfillments(rows) => rows
            .iter()
            .map(|row| row.contents.order_id.as_str())
            .collect(),
        Rows::Credits(rows) => rows
            .iter()
            .map(|row| row.credit.reference.as_str())
            .collect(),
        Rows::Restocks(_) | Rows::Withdrawals(_) => Vec::new(),
    }
}

struct MemoryLease {
    store: MemoryStore,
    owner: Owner,
    positions: Vec<LanePosition>,
}

impl Lease for MemoryLease {
    fn positions(&self) -> &[LanePosition] {
        &self.positions
    }

    fn heartbeat(&mut self) -> BoxFuture<'_, Result<(), OpenFailure>> {
        Box::pin(async move {
            if *self.store.0.lease.borrow() == Some(self.owner) {
                return Ok(());
            }
            let message = "another owner has the shard".to_owned();
            Err(OpenFailure {
                passing: false,
                message,
            })
        })
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { drop(self) })
    }
}

impl Drop for MemoryLease {
    fn drop(&mut self) {
        self.store.0.lease.send_if_modified(|holder| {
            let ours = *holder == Some(self.owner);
            if ours {
                *holder = None;
            }
            ours
        });
    }
}

struct MemoryWriter(MemoryStore);

impl Writer for MemoryWriter {
    fn commit<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.0.commit_batch(batch))
    }

    fn existing<'a>(&'a mut self, rows: &'a Rows) -> BoxFuture<'a, Result<Vec<bool>, Failure>> {
        Box::pin(async move {
            yield_now().await;
            match self.0.faults().existing.pop_front() {
                Some(failure) => Err(failure),
                None => Ok(self.0.tables().existing(rows)),
            }
        })
    }
}

struct MemoryReader(MemoryStore);

impl FindEntry for MemoryReader {
    async fn find(
        &self,
        balance: BalanceId,
        kind: EntryKind,
        reference: &str,
    ) -> Result<Option<EntryRow>, Fault> {
        yield_now().await;
        match self.0.faults().look_ups.pop_front() {
            Some(fault) => Err(fault),
            None => Ok(self.0.tables().find(balance, kind, reference).cloned()),
        }
    }
}
