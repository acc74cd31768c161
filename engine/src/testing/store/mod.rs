//! Durable storage in memory: the journal and every source behind one mutex.
//!
//! Keeps the constraints of the migrations, so that what the engine believes of Postgres is put to the
//! test; the contract suite holds both to the same behaviour. It survives the engine, as a database
//! does: a second engine on the same store is a restart.

mod audit;
mod faults;
mod journal;
mod reader;
mod sources;
mod tables;
mod verifier;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use faults::{CommitFault, Faults};
pub use reader::FindEntry;
pub use tables::{BatchRow, Claimant, EntryRow, ImportRow, LaneRow, Tables};
use tokio::sync::watch;

use crate::{clock::Clock, engine::Ports, journal::Owner, random::Random};

/// See the module. Cloning shares it.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Inner>);

#[derive(Default)]
struct Inner {
    tables: Mutex<Tables>,
    faults: Mutex<Faults>,
    /// Who holds the shard; a takeover waits until nobody does.
    lease: watch::Sender<Option<Owner>>,
    commits: Gate,
    fetches: Gate,
    loads: Gate,
}

/// Where calls wait while it is shut.
struct Gate {
    shut: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            shut: watch::Sender::new(false),
            waiting: watch::Sender::new(0),
        }
    }
}

impl Gate {
    async fn pass(&self) {
        let mut shut = self.shut.subscribe();
        self.waiting.send_modify(|waiting| *waiting += 1);
        // The sender lives as long as `self`.
        drop(shut.wait_for(|shut| !shut).await);
        self.waiting.send_modify(|waiting| *waiting -= 1);
    }

    async fn reached(&self) {
        drop(
            self.waiting
                .subscribe()
                .wait_for(|waiting| *waiting > 0)
                .await,
        );
    }
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// What is stored; for setting scenes and for looking at what is left.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong next.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits that arrive from now on wait until they are let through.
    pub fn hold_commits(&self) {
        self.0.commits.shut.send_replace(true);
    }

    pub fn let_commits(&self) {
        self.0.commits.shut.send_replace(false);
    }

    /// Returns once a commit waits.
    pub async fn commit_waits(&self) {
        self.0.commits.reached().await;
    }

    /// Readings of shelves have read, but do not return, until they are let through.
    pub fn hold_fetches(&self) {
        self.0.fetches.shut.send_replace(true);
    }

    pub fn let_fetches(&self) {
        self.0.fetches.shut.send_replace(false);
    }

    /// Returns once a reading waits.
    pub async fn fetch_waits(&self) {
        self.0.fetches.reached().await;
    }

    /// Loads of balances wait until they are let through.
    pub fn hold_loads(&self) {
        self.0.loads.shut.send_replace(true);
    }

    pub fn let_loads(&self) {
        self.0.loads.shut.send_replace(false);
    }

    /// Returns once a load waits.
    pub async fn load_waits(&self) {
        self.0.loads.reached().await;
    }

    /// The shard's lock is free, though its owner lives: a frozen process, or a lost connection.
    pub fn free_lease(&self) {
        self.0.lease.send_replace(None);
    }

    /// Every port of an engine on this store.
    pub fn ports(&self, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Ports {
        let store = Arc::new(self.clone());
        Ports {
            journal: store.clone(),
            tripwire: None,
            merchants: store.clone(),
            relationships: store.clone(),
            catalog: store.clone(),
            balances: store.clone(),
            inventory: store,
            clock,
            random,
        }
    }
}
