//! One lane: takes what waits as one batch, commits it, decides it.
//!
//! `Fencing -> Ready(fence, seq) -> in flight(batch, seq + 1) -> Ready(fence, seq + 1)`, and back to
//! fencing on an answer that cannot be trusted. No timer: the previous commit is the timer. No
//! pipelining: the next batch needs the fate of this one. Nothing is done here but committing.

use std::{
    collections::VecDeque,
    ptr::addr_eq,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    Batch, Failure, Journal, Ownership, Reader, Session,
    numbering::{Numbered, number, take_excess},
    queue::{Pending, Queue},
    recovery::{self, InFlight},
};
use crate::{
    actors::ask::answer,
    clock::{self, Clock},
    config::{Config, ms},
    fault::Fault,
    metrics::{self, LaneMetrics},
    random::Random,
};

/// Passing conflicts after which a batch is given up.
const RETRIES_MAX: u32 = 5;
/// Batches that look their references up first, after one of them was a repeat.
const SUSPICIOUS_BATCHES: u32 = 64;
/// How long nothing is tried after storage was full.
const FULL_PAUSE: Duration = Duration::from_secs(1);
/// The oldest entry of a batch may have waited so long before new work is shed, and must have waited
/// less than the second before it is taken again.
const SHED_ABOVE: Duration = Duration::from_millis(200);
const SHED_BELOW: Duration = Duration::from_millis(100);

/// What a lane's task and those who hand work to it share.
pub(crate) struct LaneDoor {
    pub(crate) queue: Queue,
    /// The reader under the current fence; none while the lane is not ready.
    pub(crate) reader: watch::Sender<Option<Arc<dyn Reader>>>,
    /// The number of the last batch that committed.
    pub(crate) acknowledged: AtomicI64,
    shedding: AtomicBool,
    reader_lost: AtomicBool,
    closing: AtomicBool,
    ended: AtomicBool,
}

impl LaneDoor {
    /// Of a lane that was found at this number.
    pub(crate) fn new(config: &Config, seq: i64) -> Arc<Self> {
        Arc::new(Self {
            acknowledged: AtomicI64::new(seq),
            queue: Queue::new(config.lane_queue_entries_max),
            reader: watch::Sender::new(None),
            shedding: AtomicBool::new(false),
            reader_lost: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })
    }

    /// Hands something to the lane; a lane that has ended aborts it.
    pub(crate) fn submit(&self, pending: Pending) {
        self.queue.push(pending);
        if self.ended.load(Ordering::SeqCst) {
            self.abort_queued(&Fault::overloaded());
        }
    }

    fn abort_queued(&self, fault: &Fault) {
        while let Some((_, pending)) = self.queue.pop(clock::instant()) {
            pending.abort(fault.clone());
        }
    }

    /// Nobody takes from the queue any more: whoever comes later clears it.
    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.abort_queued(&Fault::overloaded());
    }

    pub(crate) fn is_shedding(&self) -> bool {
        self.shedding.load(Ordering::Relaxed)
    }

    /// This reader failed: the lane opens both connections anew, unless it has done so already.
    pub(crate) fn reader_lost(&self, failed: &Arc<dyn Reader>) {
        // Decided under the lock that `open` replaces the reader under.
        let current = self.reader.borrow();
        let same = |reader: &Arc<dyn Reader>| addr_eq(Arc::as_ptr(reader), Arc::as_ptr(failed));
        if current.as_ref().is_some_and(same) {
            self.reader_lost.store(true, Ordering::Relaxed);
            self.queue.wake();
        }
    }

    /// The lane ends once nothing waits.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.queue.wake();
    }
}

/// The task of one lane.
pub(crate) struct Lane {
    pub(super) number: u16,
    pub(super) door: Arc<LaneDoor>,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) ownership: Arc<Ownership>,
    pub(super) metrics: LaneMetrics,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    config: Config,
    /// The number of the last batch that committed.
    pub(super) seq: i64,
    /// Groups that go first.
    backlog: VecDeque<Group>,
    /// What did not fit into the batch before, and how long it had waited.
    carried: Option<(Duration, Pending)>,
    suspicious: u32,
}

/// What is to be one batch.
#[derive(Default)]
pub(super) struct Group {
    pub(super) pending: Vec<Pending>,
    /// When it was first sent, if it was.
    pub(super) since: Option<Instant>,
}

/// Why a lane stops serving under a session.
enum Stop {
    /// Start again under a new fence; the batch is undecided.
    Unknown(InFlight),
    /// Start again under a new fence; nothing is undecided.
    Refence,
    /// Another owner has the shard.
    Fenced,
    /// Closed and empty.
    Closed,
}

/// A panic of a lane ends the process: a restart is a takeover, and resolves what was under way.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a lane panicked");
            std::process::abort();
        }
    }
}

impl Lane {
    pub(crate) fn new(
        (number, seq): (u16, i64),
        door: Arc<LaneDoor>,
        journal: Arc<dyn Journal>,
        ownership: Arc<Ownership>,
        (clock, random, config): (Arc<dyn Clock>, Arc<dyn Random>, &Config),
    ) -> Self {
        Self {
            number,
            door,
            journal,
            ownership,
            metrics: LaneMetrics::new(number),
            clock,
            random,
            config: config.clone(),
            seq,
            backlog: VecDeque::new(),
            carried: None,
            suspicious: 0,
        }
    }

    /// Runs until the lane is closed or its shard is lost.
    pub(crate) async fn run(mut self) {
        let _abort = AbortOnPanic;
        let mut in_flight = None;
        loop {
            let Some(mut session) = recovery::fence(&mut self, in_flight.take()).await else {
                return self.demote();
            };
            self.open(&session);
            let stop = self.serve(&mut session).await;
            self.shut();
            match stop {
                Stop::Unknown(undecided) => {
                    self.metrics.unknown();
                    in_flight = Some(undecided);
                }
                Stop::Refence => {}
                Stop::Fenced => return self.demote(),
                Stop::Closed => return self.door.end(),
            }
        }
    }

    fn open(&self, session: &Session) {
        self.door.reader.send_modify(|reader| {
            *reader = Some(Arc::clone(&session.reader));
            self.door.reader_lost.store(false, Ordering::Relaxed);
        });
        self.metrics.ready(true);
    }

    fn shut(&self) {
        if !crate::sabotage::breaks("lookup_beside_reader") {
            self.door.reader.send_replace(None);
        }
        self.metrics.ready(false);
    }

    /// Gives the shard up: what waits is not executed.
    fn demote(&mut self) {
        self.shut();
        self.ownership.lose();
        tracing::error!(lane = self.number, "the lane lost its shard");
        self.abort_waiting(&Fault::overloaded());
        self.door.end();
    }

    async fn serve(&mut self, session: &mut Session) -> Stop {
        loop {
            if self.door.reader_lost.load(Ordering::Relaxed) {
                return Stop::Refence;
            }
            let group = self.take();
            if group.pending.is_empty() {
                if self.door.closing.load(Ordering::Relaxed) {
                    return Stop::Closed;
                }
                tokio::select! {
                    biased;
                    () = self.door.queue.arrived() => {}
                    () = self.ownership.lost() => return Stop::Fenced,
                }
                continue;
            }
            if let Err(stop) = self.commit(session, group).await {
                return stop;
            }
        }
    }

    /// What waits, of one kind, up to the bounds of a batch.
    fn take(&mut self) -> Group {
        if let Some(group) = self.backlog.pop_front() {
            return group;
        }
        let now = clock::instant();
        let (mut batch, mut bytes, mut oldest) = (Vec::new(), 0, Duration::ZERO);
        while let Some((waited, pending)) = self.next(now) {
            if waited > self.batch_age_max() {
                // Whoever asked was told long ago that the outcome is unknown, and may ask again.
                pending.abort(Fault::overloaded());
                continue;
            }
            oldest = oldest.max(waited);
            bytes += pending.bytes();
            let other_kind = batch
                .first()
                .is_some_and(|first: &Pending| first.kind() != pending.kind());
            if other_kind || (bytes > self.config.batch_bytes_max && !batch.is_empty()) {
                self.carried = Some((waited, pending));
                break;
            }
            batch.push(pending);
            if batch.len() == self.config.batch_entries_max {
                break;
            }
        }
        self.observe(oldest);
        Group {
            pending: batch,
            since: None,
        }
    }

    /// What did not fit into the batch before, else what came first; and how long it waited.
    fn next(&mut self, now: Instant) -> Option<(Duration, Pending)> {
        self.carried.take().or_else(|| self.door.queue.pop(now))
    }

    fn observe(&self, oldest: Duration) {
        self.metrics.queue(self.door.queue.len(), oldest);
        if oldest > SHED_ABOVE {
            self.door.shedding.store(true, Ordering::Relaxed);
        } else if oldest < SHED_BELOW {
            self.door.shedding.store(false, Ordering::Relaxed);
        }
    }

    async fn commit(&mut self, session: &mut Session, mut group: Group) -> Result<(), Stop> {
        abort_excess(&mut group.pending);
        if self.suspicious > 0 {
            self.suspicious -= 1;
            group.pending = self.without_duplicates(session, group.pending).await?;
            // A credit may have fitted only beside a debit that is not made again.
            abort_excess(&mut group.pending);
        }
        let Group { pending, since } = group;
        if pending.is_empty() {
            return Ok(());
        }
        let Numbered { rows, stamps } = number(&pending, self.clock.now(), &*self.random);
        let sent = Batch {
            lane: self.number,
            owner: self.ownership.owner,
            fence: session.position.fence,
            seq: self.seq + 1,
            rows,
        };
        let in_flight = InFlight {
            batch: sent,
            stamps,
            pending,
            since: since.unwrap_or_else(clock::instant),
        };
        self.send(session, in_flight).await
    }

    /// Sends a batch until it is decided, or until it cannot be known.
    async fn send(&mut self, session: &mut Session, in_flight: InFlight) -> Result<(), Stop> {
        if crate::sabotage::breaks("ack_before_commit") {
            return self.answer_first(session, in_flight).await;
        }
        let mut retries = 0;
        let failure = loop {
            let started = clock::instant();
            match self.try_commit(session, &in_flight).await {
                Ok(()) => {
                    metrics::committed(in_flight.pending.len(), clock::instant() - started);
                    self.committed(in_flight);
                    return Ok(());
                }
                Err(failure)
                    if retries < RETRIES_MAX
                        && (failure == Failure::Retry
                            || crate::sabotage::breaks("resend_without_fence")
                                && failure == Failure::Unknown) =>
                {
                    retries += 1;
                    sleep(Duration::from_millis(1 << retries)).await;
                }
                Err(failure) => break failure,
            }
        };
        self.failed(session, in_flight, failure).await
    }

    /// Tells everybody before anything is durable: what the sabotage is for.
    async fn answer_first(
        &mut self,
        session: &mut Session,
        in_flight: InFlight,
    ) -> Result<(), Stop> {
        let batch = in_flight.batch.clone();
        self.committed(in_flight);
        let sent = session.writer.commit(&batch).await;
        sent.map_err(|_| Stop::Refence)
    }

    async fn try_commit(&self, session: &mut Session, in_flight: &InFlight) -> Result<(), Failure> {
        let commit = session.writer.commit(&in_flight.batch);
        let deadline = ms(self.config.lane_deadline_ms);
        timeout(deadline, commit)
            .await
            .unwrap_or(Err(Failure::Unknown))
    }

    async fn failed(
        &mut self,
        session: &mut Session,
        in_flight: InFlight,
        failure: Failure,
    ) -> Result<(), Stop> {
        let mut pending = in_flight.pending;
        match failure {
            Failure::Unknown if crate::sabotage::breaks("release_on_unknown") => {
                abort_all(pending, &Fault::overloaded());
                return Err(Stop::Refence);
            }
            Failure::Unknown => {
                return Err(Stop::Unknown(InFlight {
                    pending,
                    ..in_flight
                }));
            }
            Failure::Fenced => {
                abort_all(pending, &Fault::overloaded());
                return Err(Stop::Fenced);
            }
            Failure::Retry => abort_all(pending, &Fault::overloaded()),
            Failure::Full => {
                tracing::error!(lane = self.number, "storage is full");
                abort_all(pending, &Fault::overloaded());
                self.pause().await;
            }
            Failure::Duplicate => {
                self.suspicious = SUSPICIOUS_BATCHES;
                let before = pending.len();
                let rest = self.without_duplicates(session, pending).await?;
                if rest.len() < before {
                    self.put_back(rest);
                } else if before > 1 {
                    // Two of the same batch have one reference: the first of them will be there.
                    self.split(rest);
                } else {
                    // The key says that it is there, the look-up that it is not.
                    metrics::violation("reference_not_found");
                    tracing::error!(lane = self.number, "a repeated reference is not found");
                    self.single_out(rest);
                }
            }
            Failure::Breach { constraint } => {
                metrics::violation(constraint);
                tracing::error!(lane = self.number, constraint, "a constraint was breached");
                self.single_out(pending);
            }
            Failure::Item if pending.len() > 1 => self.split(pending),
            Failure::Item => {
                let guilty = pending.pop().expect("a batch is not empty");
                guilty.abort(Fault::Aborted {
                    reason: "it cannot be stored",
                });
            }
        }
        Ok(())
    }

    /// Decides those whose reference has an entry already, and returns the others.
    async fn without_duplicates(
        &mut self,
        session: &mut Session,
        batch: Vec<Pending>,
    ) -> Result<Vec<Pending>, Stop> {
        let numbered = number(&batch, self.clock.now(), &*self.random);
        let asked = session.writer.existing(&numbered.rows);
        let answer = timeout(ms(self.config.lane_deadline_ms), asked).await;
        let Ok(Ok(existing)) = answer else {
            // Nothing was sent to be written: the batch can simply wait for the next session.
            self.put_back(batch);
            return Err(Stop::Refence);
        };
        let mut rest = Vec::with_capacity(batch.len());
        for (place, (pending, exists)) in batch.into_iter().zip(existing).enumerate() {
            if exists {
                if let (true, Pending::Fulfillment(intent, _)) =
                    (crate::sabotage::breaks("duplicate_keeps_numbers"), &pending)
                {
                    let stamp = numbered.stamps[place];
                    intent.account().end.set(stamp.version, stamp.balance_after);
                }
                pending.duplicate();
            } else {
                rest.push(pending);
            }
        }
        Ok(rest)
    }

    pub(super) fn committed(&mut self, in_flight: InFlight) {
        self.seq = in_flight.batch.seq;
        self.door.acknowledged.store(self.seq, Ordering::Release);
        let mut stamps = in_flight.stamps.into_iter();
        let mut next = || stamps.next().expect("every entry has a stamp");
        for pending in in_flight.pending {
            match pending {
                Pending::Fulfillment(intent, reply) => {
                    answer(reply, recovery::committed(intent, next()));
                }
                Pending::Credit(intent, reply) => {
                    answer(reply, recovery::credited(intent, next()));
                }
                Pending::Restock(intent, reply) => {
                    answer(reply, super::intent::Verdict::Committed(intent, ()));
                }
                Pending::Withdrawal(intent, reply) => {
                    answer(reply, recovery::withdrawn(intent));
                }
            }
        }
    }

    /// Puts what was never sent, or is sure not to have been executed, before everything that waits.
    pub(super) fn put_back(&mut self, pending: Vec<Pending>) {
        self.put_back_since(pending, None);
    }

    pub(super) fn put_back_since(&mut self, pending: Vec<Pending>, since: Option<Instant>) {
        if !pending.is_empty() {
            self.backlog.push_front(Group { pending, since });
        }
    }

    fn split(&mut self, mut batch: Vec<Pending>) {
        let mut half = batch.split_off(batch.len() / 2);
        if crate::sabotage::breaks("split_loses_item") {
            half.pop();
        }
        self.put_back(half);
        self.put_back(batch);
    }

    /// One by one, so that the guilty one is found and the others commit.
    fn single_out(&mut self, mut batch: Vec<Pending>) {
        if batch.len() == 1 {
            let guilty = batch.pop().expect("there is one");
            guilty.condemn();
            return;
        }
        for pending in batch.into_iter().rev() {
            self.put_back(vec![pending]);
        }
    }

    /// Sheds for a while. Look-ups go on; the next batch shows whether there is room again.
    async fn pause(&mut self) {
        self.door.shedding.store(true, Ordering::Relaxed);
        self.abort_waiting(&Fault::overloaded());
        sleep(FULL_PAUSE).await;
    }

    pub(super) fn abort_waiting(&mut self, fault: &Fault) {
        for group in std::mem::take(&mut self.backlog) {
            abort_all(group.pending, fault);
        }
        if let Some((_, pending)) = self.carried.take() {
            pending.abort(fault.clone());
        }
        self.door.abort_queued(fault);
    }

    pub(super) fn batch_age_max(&self) -> Duration {
        ms(self.config.batch_age_max_ms)
    }
}

/// Aborts the credits that would lift their balance beyond the largest amount.
fn abort_excess(batch: &mut Vec<Pending>) {
    for excess in take_excess(batch) {
        excess.abort(Fault::Excess);
    }
}

pub(super) fn abort_all(batch: Vec<Pending>, fault: &Fault) {
    for pending in batch {
        pending.abort(fault.clone());
    }
}
