//! The only bound on work: permits, taken before any hold and returned when all is settled.
//!
//! In all, and per relationship, so that one reseller's burst cannot take the engine. Nothing is shed
//! between a hold and its settlement.

use std::{sync::Arc, time::Duration};

use super::sync::{DashMap, OwnedSemaphorePermit, Semaphore, timeout};
use crate::{fault::Fault, ids::RelationshipId};

/// What a relationship may still have while more than three quarters of all permits are out.
const CROWDED_MAX: usize = 64;

/// Permits for the work of one engine.
pub(crate) struct Permits {
    all: Arc<Semaphore>,
    all_max: usize,
    relationships: DashMap<RelationshipId, Arc<Semaphore>>,
    relationship_max: usize,
    wait: Duration,
}

/// The right to have one request under way; given back by dropping it.
pub(crate) struct Permit {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Permits {
    pub(crate) fn new(all_max: usize, relationship_max: usize, wait: Duration) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all_max)),
            all_max,
            relationships: DashMap::new(),
            relationship_max,
            wait,
        }
    }

    /// Takes a permit, waiting a little if need be.
    pub(crate) async fn take(&self, relationship: RelationshipId) -> Result<Permit, Fault> {
        let own = self.semaphore(relationship);
        if self.is_crowded() && self.relationship_max - own.available_permits() >= CROWDED_MAX {
            return Err(Fault::overloaded());
        }
        let own = acquire(own, self.wait).await?;
        let all = acquire(Arc::clone(&self.all), self.wait).await?;
        Ok(Permit {
            _own: own,
            _all: all,
        })
    }

    /// Forgets the relationships that have no permit out.
    pub(crate) fn sweep(&self) {
        self.relationships.retain(|_, semaphore| {
            // Counted under the map's lock: nobody can get hold of the semaphore meanwhile.
            Arc::strong_count(semaphore) > 1
                || semaphore.available_permits() < self.relationship_max
        });
    }

    /// How many permits are out.
    pub(crate) fn in_use(&self) -> usize {
        self.all_max - self.all.available_permits()
    }

    /// No permit can be had any more; who waits for one is refused.
    pub(crate) fn close(&self) {
        self.all.close();
    }

    fn is_crowded(&self) -> bool {
        self.all.available_permits() * 4 < self.all_max
    }

    fn semaphore(&self, relationship: RelationshipId) -> Arc<Semaphore> {
        if let Some(semaphore) = self.relationships.get(&relationship) {
            return Arc::clone(&semaphore);
        }
        let fresh = || Arc::new(Semaphore::new(self.relationship_max));
        Arc::clone(&self.relationships.entry(relationship).or_insert_with(fresh))
    }
}

async fn acquire(semaphore: Arc<Semaphore>, wait: Duration) -> Result<OwnedSemaphorePermit, Fault> {
    if let Ok(permit) = Arc::clone(&semaphore).try_acquire_owned() {
        return Ok(permit);
    }
    match Box::pin(timeout(wait, semaphore.acquire_owned())).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(Fault::overloaded()),
    }
}
