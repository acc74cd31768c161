//! Whether a process lives, and whether it is frozen.
//!
//! A process is its engine. It dies at a call of a port: from then on nothing it does has an effect, no
//! statement is sent, no answer is heard. Between two calls an engine changes only its own memory,
//! which dies with it, so a crash at a call is a crash at any instant before it and after the last.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use engine::journal::Owner;
use tokio::sync::watch;

use crate::{
    tally::{Call, Kind},
    weather::Weather,
};

/// The process is dead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dead;

pub(crate) struct Power {
    pub(crate) weather: Arc<Weather>,
    alive: watch::Sender<bool>,
    frozen: watch::Sender<bool>,
    calls: AtomicU64,
    /// At which call the process dies.
    fuse: AtomicU64,
    /// As whom it took the shard over.
    owner: Mutex<Option<Owner>>,
}

impl Power {
    pub(crate) fn on(weather: &Arc<Weather>) -> Arc<Self> {
        Arc::new(Self {
            weather: Arc::clone(weather),
            alive: watch::Sender::new(true),
            frozen: watch::Sender::new(false),
            calls: AtomicU64::new(0),
            fuse: AtomicU64::new(u64::MAX),
            owner: Mutex::default(),
        })
    }

    pub(crate) fn owns(&self, owner: Owner) {
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner) = Some(owner);
    }

    pub(crate) fn owner(&self) -> Option<Owner> {
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passed before and after every call of a port.
    pub(crate) async fn gate(&self, call: Call) -> Result<(), Dead> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        if number == self.fuse.load(Ordering::Relaxed) && self.is_on() {
            self.weather.struck(Kind::Crash);
            self.weather.tally.died_at(call);
            self.cut();
        }
        self.thawed().await;
        if self.is_on() { Ok(()) } else { Err(Dead) }
    }

    /// What a call waits for, unless the process dies.
    pub(crate) async fn alive<T>(
        &self,
        call: Call,
        wait: impl Future<Output = T>,
    ) -> Result<T, Dead> {
        let already = !self.is_on();
        tokio::select! {
            biased;
            () = self.died() => {
                if !already {
                    self.weather.tally.died_at(call);
                }
                Err(Dead)
            }
            waited = wait => self.gate(call).await.map(|()| waited),
        }
    }

    /// The process dies so many calls from now.
    pub(crate) fn burn(&self, calls: u64) {
        let now = self.calls.load(Ordering::Relaxed);
        self.fuse.store(now + calls, Ordering::Relaxed);
    }

    pub(crate) fn mend(&self) {
        self.fuse.store(u64::MAX, Ordering::Relaxed);
        self.frozen.send_replace(false);
    }

    /// Dies now.
    pub(crate) fn cut(&self) {
        self.weather.event("dead", String::new);
        self.alive.send_replace(false);
        self.frozen.send_replace(false);
    }

    pub(crate) fn is_on(&self) -> bool {
        *self.alive.borrow()
    }

    pub(crate) async fn died(&self) {
        drop(self.alive.subscribe().wait_for(|alive| !alive).await);
    }

    pub(crate) fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    pub(crate) fn thaw(&self) {
        self.frozen.send_replace(false);
    }

    pub(crate) async fn thawed(&self) {
        drop(self.frozen.subscribe().wait_for(|frozen| !frozen).await);
    }
}
