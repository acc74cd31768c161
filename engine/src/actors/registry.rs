//! Key -> handle of the one actor that serves the key.
//!
//! Keeps: at most one incarnation per key. A key is absent, busy (being loaded, put away or rebuilt) or
//! active; who meets a busy key waits and looks again. A dead actor is rebuilt once none of its holds
//! is alive; one that keeps dying stays quarantined, and all others live on.

use std::{
    collections::HashMap,
    fmt::Display,
    hash::Hash,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{
    Latch,
    ask::Gone,
    sync::{
        AtomicU64, DashMap, MapEntry, Mutex, Ordering, PoisonError, Semaphore, TaskTracker,
        timeout, watch,
    },
};
use crate::{clock, fault::Fault, metrics};

/// Panics of one key within [`PANIC_SPAN`] after which it stays quarantined.
const PANICS_MAX: usize = 3;
const PANIC_SPAN: Duration = Duration::from_mins(1);

/// What the registry needs of a handle.
pub(crate) trait Entry: Clone + Send + Sync + 'static {
    /// Which incarnation of the actor this is.
    fn generation(&self) -> u64;

    /// Counts the holds of this incarnation.
    fn latch(&self) -> &Arc<Latch>;

    /// Set whenever the key is used; cleared by a sweep.
    fn touched(&self) -> &AtomicBool;

    /// Stops the actor if it is idle, and says whether it did.
    fn retire(&self) -> BoxFuture<'_, Result<bool, Gone>>;

    /// Ends the actor whatever it is doing.
    fn poison(&self);
}

/// The actors of one kind.
pub(crate) struct Registry<K, H>(Arc<Inner<K, H>>);

impl<K, H> Clone for Registry<K, H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<K, H> {
    kind: &'static str,
    slots: DashMap<K, Slot<H>>,
    generations: AtomicU64,
    hydrations: Semaphore,
    deadline: Duration,
    panics: Mutex<HashMap<K, Vec<Instant>>>,
    tasks: TaskTracker,
}

enum Slot<H> {
    Active(H),
    /// Closed when the key is no longer busy.
    Busy(watch::Receiver<()>),
    Quarantined,
}

enum Step<K: Eq + Hash + Copy, H> {
    Use(H),
    Wait(watch::Receiver<()>),
    Load(Busy<K, H>),
    Refuse,
}

enum Closing<K: Eq + Hash + Copy, H> {
    /// It was not in memory.
    Closed,
    Wait(watch::Receiver<()>),
    /// To be quarantined once its holds are settled.
    Ending(Busy<K, H>, H),
    /// It was quarantined before.
    Before,
}

/// The right to decide what becomes of a busy key. Dropping it leaves the key absent.
struct Busy<K: Eq + Hash + Copy, H> {
    inner: Arc<Inner<K, H>>,
    key: K,
    next: Option<Slot<H>>,
    _waiters: watch::Sender<()>,
}

impl<K: Eq + Hash + Copy, H> Drop for Busy<K, H> {
    fn drop(&mut self) {
        match self.next.take() {
            Some(slot) => drop(self.inner.slots.insert(self.key, slot)),
            None => drop(self.inner.slots.remove(&self.key)),
        }
    }
}

impl<K, H> Registry<K, H>
where
    K: Ord + Hash + Copy + Display + Send + Sync + 'static,
    H: Entry,
{
    pub(crate) fn new(
        kind: &'static str,
        hydrations_max: usize,
        deadline: Duration,
        tasks: TaskTracker,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            slots: DashMap::new(),
            generations: AtomicU64::new(0),
            hydrations: Semaphore::new(hydrations_max),
            deadline,
            panics: Mutex::default(),
            tasks,
        }))
    }

    /// The handle of the key's actor, loaded if need be; `load` gets the number of the generation.
    pub(crate) async fn resolve<F>(&self, key: K, load: impl Fn(u64) -> F) -> Result<H, Fault>
    where
        F: Future<Output = Result<H, Fault>>,
    {
        // The usual case must pay neither for a timer nor for the room to load in.
        if let Some(handle) = self.used(key) {
            return Ok(handle);
        }
        match Box::pin(timeout(self.0.deadline, self.resolve_slowly(key, load))).await {
            Ok(resolved) => resolved,
            Err(_) => Err(Fault::overloaded()),
        }
    }

    /// How many actors are active.
    pub(crate) fn len(&self) -> usize {
        self.0.slots.len()
    }

    /// Reports that the actor of this handle is gone, and sees to its successor.
    pub(crate) fn bury(&self, key: K, dead: &H) {
        let same = |handle: &H| {
            handle.generation() == dead.generation()
                && !crate::sabotage::breaks("panic_keeps_actor")
        };
        let Some((busy, handle)) = self.seize(key, same) else {
            return;
        };
        metrics::actor_rebuilt(self.0.kind);
        tracing::error!(actor = self.0.kind, %key, "an actor died and is rebuilt");
        let registry = self.clone();
        self.0.tasks.spawn(async move {
            if !crate::sabotage::breaks("hydrate_before_latch") {
                handle.latch().zero().await;
            }
            registry.after_panic(key, busy);
        });
    }

    /// Whether the key serves no more until the process ends.
    pub(crate) fn is_quarantined(&self, key: &K) -> bool {
        let slot = self.0.slots.get(key);
        slot.is_some_and(|slot| matches!(*slot, Slot::Quarantined))
    }

    /// The key's actor, if there is one; this is no use of it.
    pub(crate) fn peek(&self, key: &K) -> Option<H> {
        match &*self.0.slots.get(key)? {
            Slot::Active(handle) => Some(handle.clone()),
            Slot::Busy(_) | Slot::Quarantined => None,
        }
    }

    /// The active keys in their order; this is no use of them.
    pub(crate) fn active(&self) -> Vec<(K, H)> {
        let slots = self.0.slots.iter();
        let active = slots.filter(|slot| matches!(slot.value(), Slot::Active(_)));
        let mut keys: Vec<_> = active.map(|slot| *slot.key()).collect();
        keys.sort_unstable();
        let peeked = keys.into_iter().map(|key| (key, self.peek(&key)));
        peeked
            .filter_map(|(key, handle)| Some((key, handle?)))
            .collect()
    }

    /// The next active key in their order, or the first one; this is no use of it.
    pub(crate) fn active_after(&self, last: Option<K>) -> Option<(K, H)>
    where
        K: Ord,
    {
        let behind = |key: &K| last.is_none_or(|last| *key > last);
        let slots = self.0.slots.iter();
        let active = slots.filter(|slot| matches!(slot.value(), Slot::Active(_)));
        let key = active.map(|slot| *slot.key()).filter(behind).min()?;
        self.peek(&key).map(|handle| (key, handle))
    }

    /// Takes a key out of service until the process ends: what is stored for it, or what its actor
    /// believes, is wrong. What is in a lane already settles as the lane decides.
    pub(crate) async fn quarantine(&self, key: K) {
        loop {
            match self.close(key) {
                Closing::Closed => break,
                Closing::Wait(mut busy) => {
                    let _ended = busy.changed().await;
                }
                Closing::Ending(mut busy, handle) => {
                    handle.poison();
                    busy.next = Some(Slot::Quarantined);
                    self.0.tasks.spawn(async move {
                        handle.latch().zero().await;
                        drop(busy);
                    });
                    break;
                }
                Closing::Before => return,
            }
        }
        tracing::error!(actor = self.0.kind, %key, "quarantined: it serves no more");
        metrics::actor_quarantined(self.0.kind);
    }

    fn close(&self, key: K) -> Closing<K, H> {
        match self.0.slots.entry(key) {
            MapEntry::Vacant(slot) => {
                slot.insert(Slot::Quarantined);
                Closing::Closed
            }
            MapEntry::Occupied(mut slot) => match slot.get() {
                Slot::Quarantined => Closing::Before,
                Slot::Busy(waiting) => Closing::Wait(waiting.clone()),
                Slot::Active(handle) => {
                    let handle = handle.clone();
                    let (busy, waiting) = self.busy(key);
                    slot.insert(Slot::Busy(waiting));
                    Closing::Ending(busy, handle)
                }
            },
        }
    }

    /// Puts away every actor that was not used since the last sweep and is idle.
    pub(crate) async fn sweep(&self) {
        for key in self.untouched() {
            let Some((mut busy, handle)) = self.seize(key, |_| true) else {
                continue;
            };
            match handle.retire().await {
                Ok(true) => {}
                Ok(false) => busy.next = Some(Slot::Active(handle)),
                Err(Gone) => {
                    busy.next = Some(Slot::Active(handle.clone()));
                    drop(busy);
                    self.bury(key, &handle);
                }
            }
        }
    }

    fn used(&self, key: K) -> Option<H> {
        let slot = self.0.slots.get(&key)?;
        let Slot::Active(handle) = &*slot else {
            return None;
        };
        handle.touched().store(true, Ordering::Relaxed);
        Some(handle.clone())
    }

    async fn resolve_slowly<F>(&self, key: K, load: impl Fn(u64) -> F) -> Result<H, Fault>
    where
        F: Future<Output = Result<H, Fault>>,
    {
        loop {
            match self.step(key) {
                Step::Use(handle) => return Ok(handle),
                Step::Wait(mut busy) => {
                    // An error means that the sender is gone: no longer busy.
                    let _ended = busy.changed().await;
                }
                Step::Load(mut busy) => {
                    let permit = self.0.hydrations.acquire().await;
                    let _permit = permit.expect("the semaphore is never closed");
                    let generation = self.0.generations.fetch_add(1, Ordering::Relaxed) + 1;
                    let handle = load(generation).await?;
                    busy.next = Some(Slot::Active(handle.clone()));
                    return Ok(handle);
                }
                Step::Refuse => {
                    return Err(Fault::Aborted {
                        reason: "quarantined after repeated failures",
                    });
                }
            }
        }
    }

    fn step(&self, key: K) -> Step<K, H> {
        match self.0.slots.entry(key) {
            MapEntry::Occupied(slot)
                if crate::sabotage::breaks("two_incarnations")
                    && matches!(slot.get(), Slot::Busy(_)) =>
            {
                Step::Load(self.busy(key).0)
            }
            MapEntry::Occupied(slot) => match slot.get() {
                Slot::Active(handle) => {
                    handle.touched().store(true, Ordering::Relaxed);
                    Step::Use(handle.clone())
                }
                Slot::Busy(waiting) => Step::Wait(waiting.clone()),
                Slot::Quarantined => Step::Refuse,
            },
            MapEntry::Vacant(slot) => {
                let (busy, waiting) = self.busy(key);
                slot.insert(Slot::Busy(waiting));
                Step::Load(busy)
            }
        }
    }

    /// Makes an active key busy, if its handle is one that the caller means.
    fn seize(&self, key: K, means: impl Fn(&H) -> bool) -> Option<(Busy<K, H>, H)> {
        let mut slot = self.0.slots.get_mut(&key)?;
        let Slot::Active(handle) = &*slot else {
            return None;
        };
        if !means(handle) {
            return None;
        }
        let handle = handle.clone();
        let (busy, waiting) = self.busy(key);
        *slot = Slot::Busy(waiting);
        Some((busy, handle))
    }

    fn busy(&self, key: K) -> (Busy<K, H>, watch::Receiver<()>) {
        let (waiters, waiting) = watch::channel(());
        (
            Busy {
                inner: Arc::clone(&self.0),
                key,
                next: None,
                _waiters: waiters,
            },
            waiting,
        )
    }

    fn after_panic(&self, key: K, mut busy: Busy<K, H>) {
        let now = clock::instant();
        let mut panics = self.0.panics.lock().unwrap_or_else(PoisonError::into_inner);
        panics.retain(|_, times| times.iter().any(|time| now - *time < PANIC_SPAN));
        let times = panics.entry(key).or_default();
        times.retain(|time| now - *time < PANIC_SPAN);
        times.push(now);
        if times.len() >= PANICS_MAX {
            tracing::error!(actor = self.0.kind, %key, "an actor keeps dying and is quarantined");
            metrics::actor_quarantined(self.0.kind);
            busy.next = Some(Slot::Quarantined);
        }
    }

    fn untouched(&self) -> Vec<K> {
        let idle = |handle: &H| !handle.touched().swap(false, Ordering::Relaxed);
        let slots = self.0.slots.iter();
        let untouched =
            slots.filter(|slot| matches!(slot.value(), Slot::Active(handle) if idle(handle)));
        let mut keys: Vec<_> = untouched.map(|slot| *slot.key()).collect();
        // The map's own order differs from run to run, and a simulation must not.
        keys.sort_unstable();
        keys
    }
}
