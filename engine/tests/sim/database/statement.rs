//! A commit on the server: arrives, locks the lane's row, is written, flushed, replicated, visible.

use std::{sync::Arc, time::Duration};

use engine::journal::{Batch, Failure, Rows};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;

use super::{Backend, Database, End, LOCK_TIMEOUT, lock};
use crate::tally::{Kind, Sometimes};

/// How long a statement takes where.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Course {
    /// Until it reaches the lane's row.
    pub(super) arrives: Duration,
    /// While it has the row.
    pub(super) executes: Duration,
    /// Its client is gone.
    pub(super) cut: bool,
    /// Its wait for the standby is cancelled: visible, but not known to be replicated.
    pub(super) cancelled: bool,
}

impl Database {
    /// Runs a commit to its end, whatever becomes of its client.
    pub(super) fn run(
        self: &Arc<Self>,
        batch: &Batch,
        course: Course,
    ) -> oneshot::Receiver<Result<(), Failure>> {
        let (reply, answer) = oneshot::channel();
        let (db, batch) = (Arc::clone(self), batch.clone());
        let backend = self.backend();
        self.register(batch.lane, &backend);
        TaskTracker::new().spawn(async move {
            let done = db.execute(&batch, course, &backend).await;
            db.note(&batch, course, done);
            // A client that is gone does not want to know.
            let _gone = reply.send(done).is_err();
        });
        answer
    }

    async fn execute(
        &self,
        batch: &Batch,
        course: Course,
        backend: &Backend,
    ) -> Result<(), Failure> {
        let written = async {
            sleep(course.arrives).await;
            let row = timeout(LOCK_TIMEOUT, self.row(batch.lane).lock_owned()).await;
            let row = row.map_err(|_| Failure::Retry)?;
            self.writable(batch)?;
            self.tables().judge(batch)?;
            sleep(course.executes).await;
            Ok(row)
        };
        let row = tokio::select! {
            biased;
            _ = self.ended(backend) => return Err(Failure::Unknown),
            row = written => row?,
        };
        // Flushed: from here on only the loss of the primary's disk can undo it.
        let end = tokio::select! {
            biased;
            end = self.ended(backend) => Some(end),
            () = self.flushed(course) => None,
        };
        let lost = end == Some(End::ServerCrashed) && self.weather.dice.percent(30);
        if lost {
            return Err(Failure::Unknown);
        }
        if course.cut && self.is_being_fenced(batch.lane) {
            self.weather.reached(Sometimes::CommitBeforeFence);
        }
        let committed = self.tables().commit(batch);
        if let (Ok(()), Rows::Withdrawals(rows)) = (committed, &batch.rows) {
            for row in rows {
                self.served(row);
            }
        }
        drop(row);
        match end {
            None if course.cancelled => Err(Failure::Unknown),
            None => committed,
            Some(End::ServerCrashed | End::Terminated) => Err(Failure::Unknown),
        }
    }

    async fn flushed(&self, course: Course) {
        if !course.cancelled {
            self.replicated().await;
        }
    }

    /// Whether storage takes these rows at all.
    fn writable(&self, batch: &Batch) -> Result<(), Failure> {
        if self.disk_full.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Failure::Full);
        }
        let cursed = lock(&self.cursed);
        let failure = references(&batch.rows).find_map(|reference| cursed.get(reference));
        failure.map_or(Ok(()), |failure| Err(*failure))
    }

    fn is_being_fenced(&self, lane: u16) -> bool {
        self.fencing[usize::from(lane)].load(std::sync::atomic::Ordering::Relaxed) > 0
    }

    fn note(&self, batch: &Batch, course: Course, done: Result<(), Failure>) {
        let place = u64::from(batch.lane) << 32 | batch.seq.unsigned_abs();
        let rows = batch.rows.len();
        self.weather.count("commit", place, || {
            let (lane, seq, fence) = (batch.lane, batch.seq, batch.fence);
            format!("lane {lane} seq {seq} fence {fence}: {rows} rows {done:?}")
        });
        match done {
            Err(Failure::Fenced) if course.cut => {
                self.weather.reached(Sometimes::CommitRefusedByFence);
            }
            Err(Failure::Breach { .. }) if rows > 1 => {
                self.weather.reached(Sometimes::BreachIsolated);
            }
            _ => {}
        }
    }

    /// A fault of the server itself strikes instead of the commit.
    pub(super) fn refuses(&self) -> Option<Failure> {
        let refused = self.weather.strikes(Kind::Conflict, 60);
        refused.then_some(Failure::Retry)
    }
}

/// What binds the rows of a batch.
pub(super) fn references(rows: &Rows) -> impl Iterator<Item = &str> {
    let (orders, credits) = match rows {
        Rows::Fulfillments(rows) => (rows.as_slice(), [].as_slice()),
        Rows::Credits(rows) => ([].as_slice(), rows.as_slice()),
        Rows::Restocks(_) | Rows::Withdrawals(_) => ([].as_slice(), [].as_slice()),
    };
    let orders = orders.iter().map(|row| row.contents.order_id.as_str());
    orders.chain(credits.iter().map(|row| row.credit.reference.as_str()))
}
