//! Start and stop, in order.
//!
//! Keeps: nothing is served before the database, its settings, its schema and the root key were
//! found right; what was accepted is finished, or left for a retry to find, before the process ends.

mod listener;

use std::{io::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use engine::{
    actors::Arbiters,
    clock::SystemClock,
    engine::{Engine, Ports},
    journal::Journal,
    random::SystemRandom,
    vault::Vault,
};
use persistence::{
    Database,
    balances::PgBalances,
    catalog::PgCatalog,
    installation::{Canary, check_canary},
    inventory::PgInventory,
    journal::PgJournal,
    merchants::PgMerchants,
    relationships::PgRelationships,
    settings::{self, Durability},
};
use tokio::{net::TcpListener, runtime::Runtime, signal::unix, sync::watch};
use tokio_util::task::TaskTracker;

use crate::{
    config::Config,
    jobs,
    layers::edge::{Edge, Settings},
    metrics::Metrics,
    routes::{self, ops::Ops},
    state::App,
};

/// Where the data is, and what seals it.
#[derive(Clone)]
pub struct Installation {
    pub database: Database,
    pub vault: Vault,
    pub journal: Arc<dyn Journal>,
}

impl Installation {
    /// The installation that the settings name, checked.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let database = config.database.connect().await?;
        let vault = Vault::new(&config.vault.root_key()?, Arc::new(SystemRandom));
        Self::checked(database, vault, config.database.durability()).await
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
        let journal = PgJournal::new(database.connect_options(), durability);
        Ok(Self {
            database,
            vault,
            journal: Arc::new(journal),
        })
    }

    /// Starts the engine; waits while another process owns the lanes.
    async fn start_engine(
        &self,
        config: &Config,
        runtime: &Arc<Runtime>,
    ) -> anyhow::Result<Engine> {
        let database = || self.database.clone();
        let ports = Ports {
            journal: Arc::clone(&self.journal),
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
        started.await.context("starting the engine")
    }
}

/// A server that answers.
pub struct Server {
    app: App,
    http: SocketAddr,
    ops: SocketAddr,
    close_wait: Duration,
    /// Connections and background loops.
    tasks: TaskTracker,
    closing: watch::Sender<bool>,
}

impl Server {
    /// Starts everything; once it returns, requests are answered.
    pub async fn start(
        config: &Config,
        installation: Installation,
        runtime: &Arc<Runtime>,
    ) -> anyhow::Result<Self> {
        let metrics = Metrics::install().context("installing the metrics")?;
        let (tasks, (closing, closed)) = (TaskTracker::new(), watch::channel(false));
        let ops = Ops::new(metrics.clone());
        let ops_listener = bind(config.ops.listen).await?;
        let ops_address = ops_listener.local_addr()?;
        tasks.spawn(listener::serve_ops(
            ops_listener,
            ops.clone(),
            closed.clone(),
        ));
        let engine = installation.start_engine(config, runtime).await?;
        let origin = config.http.origin.clone();
        let (app, uses) = App::new(engine.clone(), installation.database, origin);
        let edge = Edge::new(
            routes::public(app.clone()),
            edge_settings(config),
            &SystemRandom,
        );
        let http = bind(config.http.listen).await?;
        let http_address = http.local_addr()?;
        let limits = listener::Limits::of(&config.http);
        tasks.spawn(listener::serve(
            http,
            Arc::new(edge),
            limits,
            closed.clone(),
        ));
        tasks.spawn(until(closed.clone(), jobs::metrics_upkeep(metrics)));
        tasks.spawn(until(closed.clone(), jobs::key_sweep(app.clone())));
        tasks.spawn(until(closed, jobs::record_key_uses(app.clone(), uses)));
        ops.started(engine);
        tracing::info!(http = %http_address, ops = %ops_address, "serving");
        let close_wait = Duration::from_millis(config.http.close_wait_ms);
        Ok(Self {
            app,
            http: http_address,
            ops: ops_address,
            close_wait,
            tasks,
            closing,
        })
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Where shops and merchants are answered.
    pub fn address(&self) -> SocketAddr {
        self.http
    }

    /// Where operators are answered.
    pub fn ops_address(&self) -> SocketAddr {
        self.ops
    }

    /// Serves until `stop`, or until another process has taken the lanes; then drains.
    pub async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let engine = self.app.engine.clone();
        let lost = tokio::select! {
            () = stop => false,
            () = engine.lost() => true,
        };
        self.drain().await;
        if lost {
            bail!("another process has taken over, or the database went back in time");
        }
        Ok(())
    }

    /// Admission closes, what runs ends, the lanes are given up, then the listeners close.
    pub async fn drain(self) {
        tracing::info!("draining");
        self.app.engine.drain().await;
        self.closing.send_replace(true);
        self.tasks.close();
        if tokio::time::timeout(self.close_wait, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("closed connections with requests under way");
        }
        self.app.database.close().await;
        tracing::info!("ended");
    }
}

fn edge_settings(config: &Config) -> Settings {
    Settings {
        origin: config.http.origin.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        in_flight_max: config.http.in_flight_max,
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address}"))
}

/// Runs a loop until the server closes.
async fn until(mut closed: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        _ = closed.wait_for(|closed| *closed) => {}
        () = work => {}
    }
}

/// `consign serve`.
pub async fn serve(config: &Config, runtime: &Arc<Runtime>) -> anyhow::Result<()> {
    let mut stop = Box::pin(stop_signal()?);
    let starting = async {
        let installation = Installation::open(config).await?;
        Server::start(config, installation, runtime).await
    };
    let server = tokio::select! {
        () = &mut stop => return Ok(()),
        started = Box::pin(starting) => started?,
    };
    server.run(stop).await
}

/// Ends when the process is asked to stop.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// `consign migrate`.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    let database = config.database.connect().await?;
    database.migrate().await.context("migrating the schema")?;
    say("the schema is up to date")
}

/// `consign doctor`: every condition as it was found; an error if one is broken.
pub async fn doctor(config: &Config) -> anyhow::Result<()> {
    let database = config.database.connect().await?;
    let checks = settings::check(&database, config.database.durability()).await?;
    let width = checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or_default();
    let mut broken = 0;
    for check in &checks {
        let (name, found) = (&check.name, &check.found);
        if check.holds {
            say(format_args!("ok      {name:width$}  {found}"))?;
        } else {
            broken += 1;
            say(format_args!(
                "BROKEN  {name:width$}  {found}: {}",
                check.wanted
            ))?;
        }
    }
    if broken > 0 {
        bail!("{broken} conditions are broken; nothing is served on this database");
    }
    let vault = Vault::new(&config.vault.root_key()?, Arc::new(SystemRandom));
    match check_canary(&database, &vault).await? {
        Canary::Foreign => bail!("the root key is not the one that sealed this database"),
        Canary::Sealed | Canary::Opened => say("ok      the root key opens this database"),
    }
}

/// `consign check-config`: the settings that are in force, without secrets.
pub fn check_config(config: &Config) -> anyhow::Result<()> {
    say(format_args!("{config:#?}"))
}

fn say(line: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}
