//! The one value that the edge holds.
//!
//! [`Engine`] admits requests, owns the tasks that execute them, and answers from what is durable.
//! Whoever stops waiting may only say that the outcome is unknown: the work goes on.

mod balances;
mod end;
mod keep;
mod orders;
mod shelves;
mod start;
mod terms;

use std::sync::{Arc, atomic::AtomicBool};

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

pub use self::{
    balances::{Balance, Credited, Debited},
    end::Readiness,
    shelves::Stock,
    start::{Ports, StartError},
};
use crate::{
    actors::{Arbiters, Permits},
    clock::Clock,
    config::Config,
    fault::Fault,
    fulfillments::fulfiller::Fulfiller,
    journal::Owner,
    random::Random,
    vault::Vault,
};

/// The engine of one process. Cloning shares it.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    owner: Owner,
    arbiters: Arc<Arbiters>,
    fulfiller: Arc<Fulfiller>,
    permits: Permits,
    vault: Vault,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    config: Config,
    tasks: TaskTracker,
    keeper: TaskTracker,
    draining: AtomicBool,
    ended: watch::Sender<bool>,
}

impl Engine {
    /// The name under which this process owns its shard.
    pub fn owner(&self) -> Owner {
        self.0.owner
    }

    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    pub fn random(&self) -> &Arc<dyn Random> {
        &self.0.random
    }

    /// What is behind the door, for tests that look at one actor.
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) fn fulfiller(&self) -> &Arc<Fulfiller> {
        &self.0.fulfiller
    }

    /// An owner that was replaced in the meantime has told nobody who counts.
    async fn still_owner(&self) -> Result<(), Fault> {
        if self.0.fulfiller.lanes.ownership.confirm().await {
            Ok(())
        } else {
            Err(Fault::OutcomeUnknown)
        }
    }
}
