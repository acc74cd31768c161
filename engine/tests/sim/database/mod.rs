//! The database server as processes meet it: connections that break, rows that are locked, a standby
//! that lags, a disk that fills, a server that crashes.
//!
//! Keeps: what a statement writes, and which constraint stops it, is decided by the tables of the
//! engine's memory store, which the contract suite holds to what Postgres does. A statement belongs to
//! the server: once it arrived, the death of its client does not end it.

mod journal;
mod lease;
mod reservations;
mod sources;
mod statement;
mod waiting;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use engine::{
    ids::WithdrawalId,
    journal::{Failure, Owner},
    testing::{MemoryStore, Tables},
};
use tokio::{
    sync::{Mutex as Row, watch},
    time::{Instant, timeout},
};

use self::{lease::Held, waiting::Wait};
use crate::{power::Power, weather::Weather};

/// Rows of lanes that exist, or may.
const LANES_MAX: usize = 8;
/// `lock_timeout` of every connection.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a process waits for the answer to any statement but a commit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct Database {
    pub(crate) store: MemoryStore,
    pub(crate) weather: Arc<Weather>,
    rows: Vec<Arc<Row<()>>>,
    /// Backends that have a lane's row, or wait for it.
    backends: Mutex<BTreeMap<u16, Vec<Backend>>>,
    /// Rises with every crash of the server.
    epoch: watch::Sender<u64>,
    up: watch::Sender<bool>,
    standby: watch::Sender<bool>,
    disk_full: AtomicBool,
    lease: Mutex<Option<Held>>,
    /// Who took the shard over, and when.
    owners: Mutex<Vec<(Owner, Instant)>>,
    /// References whose rows no statement can write.
    cursed: Mutex<BTreeMap<String, Failure>>,
    /// The last number of a lane whose commit was not answered.
    unheard: Mutex<BTreeMap<u16, i64>>,
    /// Fences that wait for a lane's row, by lane.
    fencing: Vec<AtomicU64>,
    /// What an engine asked for that the protocol forbids.
    breach: Mutex<Option<&'static str>>,
    waits: Mutex<BTreeMap<WithdrawalId, Wait>>,
}

/// A server process behind one connection.
#[derive(Clone)]
struct Backend {
    epoch: u64,
    ended: watch::Sender<bool>,
}

/// What ended a backend.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    ServerCrashed,
    Terminated,
}

impl Database {
    pub(crate) fn new(store: MemoryStore, weather: &Arc<Weather>) -> Arc<Self> {
        Arc::new(Self {
            store,
            weather: Arc::clone(weather),
            rows: (0..LANES_MAX).map(|_| Arc::default()).collect(),
            backends: Mutex::default(),
            epoch: watch::Sender::new(0),
            up: watch::Sender::new(true),
            standby: watch::Sender::new(true),
            disk_full: AtomicBool::new(false),
            lease: Mutex::default(),
            owners: Mutex::default(),
            cursed: Mutex::default(),
            unheard: Mutex::default(),
            fencing: (0..LANES_MAX).map(|_| AtomicU64::new(0)).collect(),
            breach: Mutex::default(),
            waits: Mutex::default(),
        })
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.store.tables()
    }

    /// The server dies with every connection; what was flushed is there when it is back.
    pub(crate) fn crash(&self) {
        self.weather.event("server down", String::new);
        self.up.send_replace(false);
        self.epoch.send_modify(|epoch| *epoch += 1);
        *self.locked_lease() = None;
    }

    pub(crate) fn restart(&self) {
        self.weather.event("server up", String::new);
        self.up.send_replace(true);
    }

    /// The server goes down and comes up with another history: what lanes wrote, and who owned them. What
    /// was changed beside the lanes stays. Returns what was there.
    pub(crate) fn replace(&self, other: Tables) -> Tables {
        self.crash();
        let before = {
            let mut tables = self.tables();
            let before = tables.clone();
            tables.lanes = other.lanes;
            tables.batches = other.batches;
            tables.entries = other.entries;
            tables.references = other.references;
            tables.claims = other.claims;
            tables.withdrawals = other.withdrawals;
            tables.owners = other.owners;
            tables.halted = other.halted;
            before
        };
        self.restart();
        before
    }

    pub(crate) fn set_standby(&self, acknowledges: bool) {
        self.standby.send_replace(acknowledges);
    }

    pub(crate) fn set_disk_full(&self, full: bool) {
        self.disk_full.store(full, Ordering::Relaxed);
    }

    pub(crate) fn curse(&self, reference: &str, failure: Failure) {
        lock(&self.cursed).insert(reference.to_owned(), failure);
    }

    /// Everything that was broken is whole again; statements under way go on.
    pub(crate) fn heal(&self) {
        self.set_disk_full(false);
        self.set_standby(true);
        lock(&self.cursed).clear();
        if !self.is_up() {
            self.restart();
        }
    }

    fn breached(&self, what: &'static str) {
        lock(&self.breach).get_or_insert(what);
    }

    /// What an engine asked for first that the protocol forbids.
    pub(crate) fn breach(&self) -> Option<&'static str> {
        *lock(&self.breach)
    }

    fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    /// Whether a statement has a lane's row.
    pub(crate) fn is_busy(&self) -> bool {
        self.rows.iter().any(|row| row.try_lock().is_err())
    }

    fn backend(&self) -> Backend {
        Backend {
            epoch: *self.epoch.borrow(),
            ended: watch::Sender::new(false),
        }
    }

    fn register(&self, lane: u16, backend: &Backend) {
        let mut backends = lock(&self.backends);
        let of_lane = backends.entry(lane).or_default();
        of_lane.retain(|known| !*known.ended.borrow());
        of_lane.push(backend.clone());
    }

    /// Ends every backend that has the lane's row or waits for it.
    fn terminate(&self, lane: u16) {
        self.weather
            .event("ended", || format!("backends of lane {lane}"));
        for backend in lock(&self.backends).remove(&lane).into_iter().flatten() {
            backend.ended.send_replace(true);
        }
    }

    /// Returns when the backend is no more.
    async fn ended(&self, backend: &Backend) -> End {
        let (mut epoch, mut ended) = (self.epoch.subscribe(), backend.ended.subscribe());
        tokio::select! {
            biased;
            _ = epoch.wait_for(|epoch| *epoch != backend.epoch) => End::ServerCrashed,
            _ = ended.wait_for(|ended| *ended) => End::Terminated,
        }
    }

    /// Waits until the standby has what was flushed.
    async fn replicated(&self) {
        drop(self.standby.subscribe().wait_for(|there| *there).await);
    }

    fn row(&self, lane: u16) -> Arc<Row<()>> {
        Arc::clone(&self.rows[usize::from(lane)])
    }

    fn locked_lease(&self) -> MutexGuard<'_, Option<Held>> {
        lock(&self.lease)
    }
}

/// The connections of one process to the database: every port of its engine.
#[derive(Clone)]
pub(crate) struct Link {
    db: Arc<Database>,
    power: Arc<Power>,
}

impl Link {
    pub(crate) fn new(db: &Arc<Database>, power: &Arc<Power>) -> Arc<Self> {
        Arc::new(Self {
            db: Arc::clone(db),
            power: Arc::clone(power),
        })
    }

    fn weather(&self) -> &Weather {
        &self.power.weather
    }

    async fn latency(&self) {
        tokio::time::sleep(self.weather().dice.latency()).await;
    }
}

/// A wait of a process that does not go beyond the time it waits for any answer.
async fn timely<T>(wait: impl Future<Output = T>) -> Option<T> {
    timeout(ANSWER_TIMEOUT, wait).await.ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
