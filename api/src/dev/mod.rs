//! `consign dev`: everything on one machine, with a Postgres of its own and a cast to play with.
//!
//! Keeps: a second start meets the cluster, the keys and the data of the first one, whatever ended
//! it; the root key lies beside the cluster, never in it; casts are stored before the engine that
//! sells them starts; nothing is announced before it answers; the cluster stops last.

mod announce;
mod casts;
mod describe;
mod file;
mod people;
mod postgres;
mod root_key;
mod settings;
mod state_dir;

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context as _;

use engine::{engine::Engine, journal::NullJournal, random::SystemRandom, vault::Vault};
use persistence::settings::Durability;
pub use settings::{JournalKind, Settings};
use tokio::runtime::Runtime;

use self::{announce::announce, casts::Casts, postgres::Postgres, root_key::Secret};
use crate::{
    config::Config,
    serve::{Installation, Server, Starting, stop_signal},
};

/// Where mails go: a directory of the state directory.
const OUTBOX: &str = "outbox";

/// Start a development server: a Postgres of its own, demo data, a curl line to try.
#[derive(Debug, clap::Args)]
pub struct Dev {
    /// Directory of the Postgres programs; by default they are searched for, then fetched.
    #[arg(long, env = "CONSIGN_POSTGRES_BIN")]
    postgres_bin: Option<PathBuf>,
}

impl Dev {
    /// Serves until the process is asked to stop, then drains and stops the cluster.
    pub async fn run(self, config: &Config, runtime: &Arc<Runtime>) -> anyhow::Result<()> {
        let mut stop = Box::pin(stop_signal()?);
        let _held_alone = state_dir::open(&config.dev.state_dir)?;
        be_free(config.http.listen, "CONSIGN_HTTP__LISTEN")?;
        be_free(config.ops.listen, "CONSIGN_OPS__LISTEN")?;
        let config = &with_own_places(config)?;
        let url = Some(config.database.url.expose()).filter(|url| !url.is_empty());
        let postgres = tokio::select! {
            () = &mut stop => return Ok(()),
            started = Box::pin(Postgres::start(&config.dev, url, self.postgres_bin)) => started?,
        };
        let served = tokio::select! {
            () = &mut stop => Ok(None),
            started = Box::pin(start(config, &postgres, runtime)) => started.map(Some),
        };
        let ended = match served {
            Ok(Some(server)) => server.run(stop).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        postgres.stop().await?;
        ended
    }
}

/// Says early that an address is taken: before a cluster is started for nothing.
fn be_free(address: SocketAddr, variable: &str) -> anyhow::Result<()> {
    TcpListener::bind(address).map(drop).with_context(|| {
        format!("cannot listen on {address}; {variable}=127.0.0.1:PORT names another address")
    })
}

/// Errors link to where this server listens and mails become files in the state directory, unless the
/// settings say otherwise; events may be sent to this machine.
fn with_own_places(config: &Config) -> anyhow::Result<Config> {
    let mut own = config.clone();
    if own.http.origin == Config::read(None, HashMap::new())?.http.origin {
        own.http.origin = format!("http://{}", own.http.listen);
    }
    if own.mail.smtp_url.expose().is_empty() && own.mail.directory.as_os_str().is_empty() {
        own.mail.directory = own.dev.state_dir.join(OUTBOX);
    }
    own.webhooks.allow_local = true;
    Ok(own)
}

async fn start(
    config: &Config,
    postgres: &Postgres,
    runtime: &Arc<Runtime>,
) -> anyhow::Result<Server> {
    let starting = Starting::new(config).await?;
    let secret = Secret::open(&config.dev.state_dir, &SystemRandom)?;
    let vault = Vault::new(&secret.root_key(), Arc::new(SystemRandom));
    let database = postgres.open(config.database.sizes()).await?;
    let installation = Installation::checked(database, vault, Durability::Local).await?;
    let casts = Casts::seed(
        &installation.database,
        &installation.vault,
        &secret,
        &config.dev,
    )
    .await?;
    let engine = engine(config, &casts, installation.clone(), runtime).await?;
    let server = starting
        .serve(config, engine, installation.database)
        .await?;
    announce(&server, &casts, &config.dev, &postgres.url).await?;
    Ok(server)
}

/// The engine, with every balance of the casts funded.
async fn engine(
    config: &Config,
    casts: &Casts,
    mut installation: Installation,
    runtime: &Arc<Runtime>,
) -> anyhow::Result<Engine> {
    let engine = installation.start_engine(config, runtime).await?;
    casts.fund(&installation.database, &engine).await?;
    match config.dev.journal {
        JournalKind::Postgres => {
            installation.verify(&engine);
            Ok(engine)
        }
        JournalKind::Memory => {
            // Stock and money came through the durable journal; what is sold from now on is forgotten.
            engine.drain().await;
            engine.stop();
            installation.journal = Arc::new(NullJournal::new());
            installation.start_engine(config, runtime).await
        }
    }
}
