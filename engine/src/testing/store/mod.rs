//! Durable storage in memory: the journal and every source behind one mutex.
//!
//! Keeps the constraints of the migrations, so that what the engine believes of Postgres is put to the
//! test; the contract suite holds both to the same behaviour. It survives the engine, as a database
//! does: a second engine on the same store is a restart.

mod audit;
mod faults;
mod gate;
mod journal;
mod reader;
mod reservations;
mod sources;
mod tables;
mod verifier;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use faults::{CommitFault, Faults};
use gate::Gate;
pub use reader::FindEntry;
pub use reservations::{ReservationRow, Storing};
pub use tables::{BatchRow, Claimant, EntryRow, ImportRow, LaneRow, Tables};
use tokio::sync::watch;

use crate::{catalog::Sku, clock::Clock, engine::Ports, journal::Owner, random::Random};

/// See the module. Cloning shares it.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Inner>);

#[derive(Default)]
struct Inner {
    tables: Mutex<Tables>,
    faults: Mutex<Faults>,
    /// Who holds the shard; a takeover waits until nobody does.
    lease: watch::Sender<Option<Owner>>,
    /// How many transactions store a reservation of a shelf.
    storing: watch::Sender<BTreeMap<Sku, usize>>,
    commits: Gate,
    fetches: Gate,
    loads: Gate,
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
