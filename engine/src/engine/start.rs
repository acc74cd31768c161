//! The engine comes to life: it takes its shard over, and nothing that was stored before is left off sale.

use std::sync::{Arc, atomic::AtomicBool};

use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{Engine, Inner};
use crate::{
    actors::{Arbiters, Permits, Registry},
    balances::{self, Balances},
    catalog,
    clock::Clock,
    config::{Config, ms},
    fault::Fault,
    fulfillments::fulfiller::Fulfiller,
    inventory::{self, Inventory},
    journal::{Journal, Lanes, Owner, Ownership, Tripwire, tripwire},
    merchants,
    random::Random,
    relationships,
    snapshots::Snapshots,
    supervise,
    vault::Vault,
};

/// Everything outside of the engine.
#[derive(Clone)]
pub struct Ports {
    pub journal: Arc<dyn Journal>,
    /// None: a database that went back in time is noticed only by a process that saw it before.
    pub tripwire: Option<Arc<dyn Tripwire>>,
    pub merchants: Arc<dyn merchants::Source>,
    pub relationships: Arc<dyn relationships::Source>,
    pub catalog: Arc<dyn catalog::Source>,
    pub balances: Arc<dyn balances::Source>,
    pub inventory: Arc<dyn inventory::Source>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    #[error(transparent)]
    Journal(#[from] crate::journal::OpenFailure),
    /// What was taken over must not be served.
    #[error(transparent)]
    Tripped(#[from] crate::journal::Tripped),
    #[error("imports that wait for sale could not be listed: {0}")]
    Restock(Fault),
}

impl Engine {
    /// Takes the shard over, numbers imports that a crash left unnumbered, and serves. Waits while
    /// another process owns the shard.
    pub async fn start(
        config: Config,
        vault: Vault,
        ports: Ports,
        arbiters: Arbiters,
    ) -> Result<Self, StartError> {
        config.check()?;
        let mut owner = [0; 16];
        ports.random.fill(&mut owner);
        let ownership = Ownership::new(
            Owner(Uuid::from_bytes(owner)),
            ms(config.heartbeat_age_max_ms),
        );
        let lease = ports
            .journal
            .take_over(ownership.owner, config.lanes)
            .await?;
        let positions = lease.positions();
        tripwire::check(ports.tripwire.as_ref(), &ports.journal, positions).await?;
        let tasks = TaskTracker::new();
        let lanes = Lanes::start(
            lease.positions(),
            &ports.journal,
            &ownership,
            (&ports.clock, &ports.random),
            &config,
        );
        let (ended, ending) = watch::channel(false);
        let keeper = TaskTracker::new();
        let owner = ownership.owner;
        keeper.spawn(ownership.kept(lease, ending.clone()));
        let arbiters = Arc::new(arbiters);
        let engine = Self(Arc::new(Inner {
            owner,
            fulfiller: Arc::new(fulfiller(&config, &ports, &arbiters, lanes, &tasks)),
            arbiters,
            permits: Permits::new(
                config.in_flight_max,
                config.relationship_in_flight_max,
                ms(config.admission_wait_ms),
            ),
            vault,
            clock: ports.clock,
            random: ports.random,
            config,
            tasks,
            keeper,
            draining: AtomicBool::new(false),
            ended,
        }));
        let (guarded, journal) = (Arc::clone(&engine.0.fulfiller), ports.journal);
        let guard = tripwire::guard(guarded, journal, ports.tripwire, ending.clone());
        engine.0.keeper.spawn(guard);
        let sweeping = engine.clone();
        engine.0.keeper.spawn(async move {
            supervise::restarted("sweep", || sweeping.sweep(ending.clone())).await;
        });
        engine
            .restock_waiting()
            .await
            .map_err(StartError::Restock)?;
        Ok(engine)
    }
}

fn fulfiller(
    config: &Config,
    ports: &Ports,
    arbiters: &Arc<Arbiters>,
    lanes: Lanes,
    tasks: &TaskTracker,
) -> Fulfiller {
    let deadline = ms(config.hydration_deadline_ms);
    let balances = Registry::new("balance", config.hydrations_max, deadline, tasks.clone());
    let inventory = Registry::new("inventory", config.hydrations_max, deadline, tasks.clone());
    let snapshots = Arc::new(Snapshots::new(
        Arc::clone(&ports.merchants),
        Arc::clone(&ports.relationships),
        Arc::clone(&ports.catalog),
    ));
    Fulfiller {
        balances: Balances::new(
            (balances, Arc::clone(&snapshots)),
            Arc::clone(arbiters),
            Arc::clone(&ports.balances),
            Arc::clone(&ports.clock),
            config,
        ),
        inventory: Inventory::new(
            inventory,
            Arc::clone(&ports.inventory),
            Arc::clone(arbiters),
            tasks.clone(),
            config,
        ),
        snapshots,
        lanes,
        clock: Arc::clone(&ports.clock),
        random: Arc::clone(&ports.random),
        claim_deadline: ms(config.claim_deadline_ms),
    }
}
