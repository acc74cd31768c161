//! All lanes of this process, and which one a balance or a sku belongs to.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};
use tokio_util::task::TaskTracker;

use super::{
    CreditIntent, Intent, Journal, LanePosition, Mark, Ownership, Reader, RestockIntent, Verdict,
    WithdrawalIntent,
    lane::{Lane, LaneDoor},
    queue::Pending,
};
use crate::{
    catalog::Sku,
    clock::Clock,
    config::{Config, ms},
    fault::Fault,
    fulfillments::Stamp,
    ids::BalanceId,
    random::Random,
};

/// The doors to every lane.
pub(crate) struct Lanes {
    doors: Vec<Arc<LaneDoor>>,
    /// Lanes of the shard that this process does not use, as they were found.
    unused: Vec<Mark>,
    pub(crate) ownership: Arc<Ownership>,
    ready_wait: Duration,
    tasks: TaskTracker,
}

impl Lanes {
    /// Starts a task for each lane, where the takeover found it.
    pub(crate) fn start(
        positions: &[LanePosition],
        journal: &Arc<dyn Journal>,
        ownership: &Arc<Ownership>,
        (clock, random): (&Arc<dyn Clock>, &Arc<dyn Random>),
        config: &Config,
    ) -> Self {
        let tasks = TaskTracker::new();
        let open = |number: u16| {
            let position = positions.iter().find(|position| position.lane == number);
            let seq = position.expect("the takeover returns every lane").seq;
            let door = LaneDoor::new(config, seq);
            let ports = (Arc::clone(clock), Arc::clone(random), config);
            let (journal, ownership) = (Arc::clone(journal), Arc::clone(ownership));
            let lane = Lane::new((number, seq), Arc::clone(&door), journal, ownership, ports);
            tasks.spawn(lane.run());
            door
        };
        let doors = (0..config.lanes).map(open).collect();
        let unused = positions.iter().filter(|found| found.lane >= config.lanes);
        let unused = unused.map(|&LanePosition { lane, seq, .. }| Mark { lane, seq });
        let unused = unused.collect();
        let (ownership, ready_wait) = (Arc::clone(ownership), ms(config.lane_ready_wait_ms));
        Self {
            doors,
            unused,
            ownership,
            ready_wait,
            tasks,
        }
    }

    /// Commits a fulfillment. There is no deadline: the lane decides.
    pub(crate) async fn fulfill(
        &self,
        intent: Intent,
        balance: BalanceId,
    ) -> Verdict<Intent, Stamp> {
        let (reply, verdict) = oneshot::channel();
        self.door(balance)
            .submit(Pending::Fulfillment(intent, reply));
        verdict.await.unwrap_or(Verdict::Disowned)
    }

    pub(crate) async fn credit(
        &self,
        intent: CreditIntent,
        balance: BalanceId,
    ) -> Verdict<CreditIntent, Stamp> {
        let (reply, verdict) = oneshot::channel();
        self.door(balance).submit(Pending::Credit(intent, reply));
        verdict.await.unwrap_or(Verdict::Disowned)
    }

    pub(crate) async fn restock(
        &self,
        intent: RestockIntent,
        sku: Sku,
    ) -> Verdict<RestockIntent, ()> {
        let (reply, verdict) = oneshot::channel();
        self.door(sku).submit(Pending::Restock(intent, reply));
        verdict.await.unwrap_or(Verdict::Disowned)
    }

    pub(crate) async fn withdraw(
        &self,
        intent: WithdrawalIntent,
        sku: Sku,
    ) -> Verdict<WithdrawalIntent, ()> {
        let (reply, verdict) = oneshot::channel();
        self.door(sku).submit(Pending::Withdrawal(intent, reply));
        verdict.await.unwrap_or(Verdict::Disowned)
    }

    /// The connection for look-ups of a balance, under the lane's current fence.
    pub(crate) async fn reader(&self, balance: BalanceId) -> Result<Arc<dyn Reader>, Fault> {
        let mut readers = self.door(balance).reader.subscribe();
        let ready = timeout(self.ready_wait, readers.wait_for(Option::is_some)).await;
        let reader = ready
            .ok()
            .and_then(Result::ok)
            .and_then(|reader| reader.clone());
        reader.ok_or(Fault::Unavailable)
    }

    /// A look-up on this reader failed: if its connection did, the lane opens its connections anew.
    pub(crate) fn look_up_failed(
        &self,
        balance: BalanceId,
        reader: &Arc<dyn Reader>,
        fault: &Fault,
    ) {
        if *fault == Fault::Unavailable {
            self.door(balance).reader_lost(reader);
        }
    }

    /// Waits a little for the lane to be ready, and refuses while it has too much to do.
    pub(crate) async fn admit(&self, balance: BalanceId) -> Result<(), Fault> {
        let door = self.door(balance);
        if self.ownership.is_lost() || door.is_shedding() {
            return Err(Fault::overloaded());
        }
        if door.reader.borrow().is_some() {
            return Ok(());
        }
        let ready = Box::pin(self.reader(balance)).await;
        ready.map(drop).map_err(|_| Fault::overloaded())
    }

    /// Whether a balance's lane has too much to do: what the sabotage of a rule asks after a hold.
    pub(crate) fn is_shedding(&self, balance: BalanceId) -> bool {
        self.door(balance).is_shedding()
    }

    /// How far each lane of the shard is known to be durable.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let mark = |(lane, door): (u16, &Arc<LaneDoor>)| Mark {
            lane,
            seq: door.acknowledged.load(Ordering::Acquire),
        };
        let used = (0..).zip(&self.doors).map(mark);
        used.chain(self.unused.iter().copied()).collect()
    }

    pub(crate) fn are_ready(&self) -> bool {
        !self.ownership.is_lost() && self.doors.iter().all(|door| door.reader.borrow().is_some())
    }

    /// Lets every lane commit what waits, and ends them.
    pub(crate) async fn close(&self) {
        self.doors.iter().for_each(|door| door.close());
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn door(&self, key: impl Hash) -> &LaneDoor {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        #[expect(clippy::cast_possible_truncation, reason = "any part of a hash is one")]
        let number = hash as usize % self.doors.len();
        &self.doors[number]
    }
}
