//! Where the data is, and whether it may be used.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use engine::{
    actors::Arbiters,
    clock::SystemClock,
    engine::{Engine, Ports, StartError},
    journal::{Journal, Tripped, Tripwire},
    random::SystemRandom,
    vault::Vault,
};
use persistence::{
    Database,
    balances::PgBalances,
    catalog::PgCatalog,
    installation::{Canary, check_canary},
    inventory::PgInventory,
    journal::{PgJournal, find_halt},
    merchants::PgMerchants,
    relationships::PgRelationships,
    settings::{self, Durability},
    verifier::PgVerifier,
};
use tokio::runtime::Runtime;

use crate::config::Config;

/// The shard is marked, or was marked by this process: whoever restarts it must not, before an operator
/// has looked.
#[derive(Debug, thiserror::Error)]
#[error("HALT: {0}")]
pub struct Halted(pub(super) String);

/// Where the data is, and what seals it.
#[derive(Clone)]
pub struct Installation {
    pub database: Database,
    pub vault: Vault,
    pub journal: Arc<dyn Journal>,
    pub tripwire: Option<Arc<dyn Tripwire>>,
}

impl Installation {
    /// The installation that the settings name, checked.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let database = config.database.connect().await?;
        let vault = Vault::new(&config.vault.root_key()?, Arc::new(SystemRandom));
        let mut installation = Self::checked(database, vault, config.database.durability()).await?;
        // What the lane waits for is what the connection waits for.
        let deadline = Duration::from_millis(config.engine.lane_deadline_ms);
        let (options, durability) = (
            installation.database.connect_options(),
            config.database.durability(),
        );
        installation.journal = Arc::new(
            PgJournal::new(options, durability)
                .with_deadline(deadline)
                .with_tails(installation.database.tails()),
        );
        if let Some(file) = config.database.tripwire(&installation.database).await? {
            installation.tripwire = Some(Arc::new(file));
        } else {
            tracing::warn!(
                "database.tripwire_directory is not set: a start on a database that was restored to an \
                 older state is not noticed"
            );
        }
        Ok(installation)
    }

    /// An installation on Postgres, once its settings, its schema and its root key were found right.
    pub async fn checked(
        database: Database,
        vault: Vault,
        durability: Durability,
    ) -> anyhow::Result<Self> {
        let checks = settings::check(&database, durability)
            .await
            .context("looking at the server")?;
        let broken: Vec<_> = checks
            .iter()
            .filter(|check| !check.holds)
            .map(|check| format!("{} is `{}`: {}", check.name, check.found, check.wanted))
            .collect();
        if !broken.is_empty() {
            bail!("the database must not be used:\n  {}", broken.join("\n  "));
        }
        if check_canary(&database, &vault)
            .await
            .context("trying the root key")?
            == Canary::Foreign
        {
            bail!("the root key is not the one that sealed this database");
        }
        if let Some(halt) = find_halt(&database)
            .await
            .context("looking whether the shard is halted")?
        {
            return Err(Halted(halt.to_string()).into());
        }
        let journal =
            PgJournal::new(database.connect_options(), durability).with_tails(database.tails());
        Ok(Self {
            database,
            vault,
            journal: Arc::new(journal),
            tripwire: None,
        })
    }

    /// Starts the engine; waits while another process owns the lanes.
    pub async fn start_engine(
        &self,
        config: &Config,
        runtime: &Arc<Runtime>,
    ) -> anyhow::Result<Engine> {
        let database = || self.database.clone();
        let ports = Ports {
            journal: Arc::clone(&self.journal),
            tripwire: self.tripwire.clone(),
            merchants: Arc::new(PgMerchants::new(database(), self.vault.clone())),
            relationships: Arc::new(PgRelationships::new(database())),
            catalog: Arc::new(PgCatalog::new(database())),
            balances: Arc::new(PgBalances::new(database())),
            inventory: Arc::new(PgInventory::new(database())),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        };
        let arbiters = Arbiters::start(runtime, config.engine.arbiters)
            .context("starting the actors' threads")?;
        let started = Engine::start(config.engine.clone(), self.vault.clone(), ports, arbiters);
        match started.await {
            Err(StartError::Tripped(Tripped::Rewound(rewound))) => Err(Halted(format!(
                "{rewound}. Find out which database this is and what it lost, then `consign unhalt`"
            ))
            .into()),
            started => started.context("starting the engine"),
        }
    }

    /// Lets the engine prove what is stored and what it has in memory against each other.
    pub fn verify(&self, engine: &Engine) {
        engine.verify(Arc::new(PgVerifier::new(self.database.clone())));
    }
}
