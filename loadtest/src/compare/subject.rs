//! Who is measured, and how each is started.
//!
//! Keeps: engine and peers use one cluster with one set of settings; only the stubbed journal has a
//! state directory, and so a cluster, of its own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::process::{self, Process};
use crate::{
    auditor::cluster::Cluster,
    cast::{Cast, Demo},
    target,
};

const START_DEADLINE: Duration = Duration::from_mins(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// Consign itself.
    Engine,
    /// Consign with its journal stubbed out.
    Memory,
    Transaction,
    Procedure,
    Echo,
    /// Postgres alone.
    Raw,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Engine => "consign",
            Self::Memory => "consign, journal stubbed out",
            Self::Transaction => "transaction peer",
            Self::Procedure => "procedure peer",
            Self::Echo => "JSON echo",
            Self::Raw => "Postgres alone",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Memory => "memory",
            Self::Transaction => "transaction",
            Self::Procedure => "procedure",
            Self::Echo => "echo",
            Self::Raw => "raw",
        }
    }
}

pub(crate) struct Subject {
    pub(crate) side: Side,
    pub(crate) target: SocketAddr,
    pub(crate) wide: Arc<Cast>,
    pub(crate) hot: Arc<Cast>,
    pub(crate) process: Process,
    /// None where nothing is stored.
    pub(crate) cluster: Option<Cluster>,
}

/// How `consign dev` is started for a comparison.
#[derive(Clone)]
pub(crate) struct EngineSettings {
    pub(crate) program: PathBuf,
    pub(crate) state_dir: PathBuf,
    pub(crate) serials_per_product: u64,
    pub(crate) hot_serials: u64,
    pub(crate) stubbed: bool,
    /// After how long an unused actor is put away, if not after the usual time.
    pub(crate) idle_ms: Option<u64>,
    /// Wrappers of the Postgres programs, for the delayed flush.
    pub(crate) postgres_bin: Option<PathBuf>,
}

impl EngineSettings {
    /// The named program, or the one beside this binary.
    pub(crate) fn of(program: Option<&Path>, state_dir: PathBuf) -> anyhow::Result<Self> {
        let program = match program {
            Some(program) => program.to_owned(),
            None => std::env::current_exe()?.with_file_name("consign"),
        };
        let program = program
            .canonicalize()
            .with_context(|| format!("`{}` is not there", program.display()))?;
        Ok(Self {
            program,
            state_dir,
            serials_per_product: 100,
            hot_serials: 10_000,
            stubbed: false,
            idle_ms: None,
            postgres_bin: None,
        })
    }
}

/// A started engine that may not answer yet.
pub(crate) struct Launched {
    pub(crate) process: Process,
    pub(crate) listen: SocketAddr,
    ops: SocketAddr,
    log: PathBuf,
}

pub(crate) fn launch(settings: &EngineSettings) -> anyhow::Result<Launched> {
    std::fs::create_dir_all(&settings.state_dir)?;
    let (listen, ops) = (process::free_address()?, process::free_address()?);
    let mut environment = vec![
        (
            "CONSIGN_DEV__STATE_DIR",
            settings.state_dir.display().to_string(),
        ),
        ("CONSIGN_HTTP__LISTEN", listen.to_string()),
        ("CONSIGN_OPS__LISTEN", ops.to_string()),
        ("CONSIGN_DEV__LOAD_PRODUCTS", "1000".to_owned()),
        ("CONSIGN_DEV__LOAD_RESELLERS", "1000".to_owned()),
        ("CONSIGN_DEV__LOAD_ACCESS", "50".to_owned()),
        (
            "CONSIGN_DEV__LOAD_SERIALS_PER_PRODUCT",
            settings.serials_per_product.to_string(),
        ),
        (
            "CONSIGN_DEV__LOAD_HOT_SERIALS",
            settings.hot_serials.to_string(),
        ),
    ];
    if settings.stubbed {
        environment.push(("CONSIGN_DEV__JOURNAL", "memory".to_owned()));
    }
    if let Some(idle_ms) = settings.idle_ms {
        environment.push(("CONSIGN_ENGINE__IDLE_MS", idle_ms.to_string()));
    }
    if let Some(bin) = &settings.postgres_bin {
        environment.push(("CONSIGN_POSTGRES_BIN", bin.display().to_string()));
    }
    let log = settings.state_dir.with_extension("log");
    let process = Process::start(&settings.program, ["dev"], &environment, &log)?;
    Ok(Launched {
        process,
        listen,
        ops,
        log,
    })
}

/// Starts the engine and waits until it takes requests.
pub(crate) async fn engine(settings: &EngineSettings) -> anyhow::Result<(Subject, Demo)> {
    let demo_path = settings.state_dir.join("demo.json");
    if demo_path.exists() {
        std::fs::remove_file(&demo_path)?;
    }
    let mut launched = launch(settings)?;
    let until = Instant::now() + START_DEADLINE;
    let demo = loop {
        launched.process.check(&launched.log)?;
        if Instant::now() > until {
            bail!(
                "the engine was not ready in time; see {}",
                launched.log.display()
            );
        }
        if demo_path.exists()
            && process::answers(launched.ops, "/readyz").await
            && let Ok(demo) = Demo::read(&demo_path)
        {
            break demo;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let cast = demo.cast();
    let subject = Subject {
        side: if settings.stubbed {
            Side::Memory
        } else {
            Side::Engine
        },
        target: target::parse(&demo.base_url)?,
        hot: Arc::new(cast.hot()?),
        wide: Arc::new(cast),
        process: launched.process,
        cluster: Some(Cluster::connect(&demo.database_url).await?),
    };
    Ok((subject, demo))
}

/// Where a peer finds its database and puts its output.
pub(crate) struct PeerSettings<'a> {
    pub(crate) database_url: &'a str,
    pub(crate) database: &'a str,
    pub(crate) pool: u32,
    pub(crate) directory: &'a Path,
}

/// Starts a peer from this very binary.
pub(crate) async fn peer(
    side: Side,
    settings: &PeerSettings<'_>,
    cast: &Arc<Cast>,
) -> anyhow::Result<Subject> {
    let listen = process::free_address()?;
    let mut arguments = vec![
        "peer".to_owned(),
        side.word().to_owned(),
        "--listen".to_owned(),
        listen.to_string(),
    ];
    if side != Side::Echo {
        arguments.extend([
            "--database-url".to_owned(),
            settings.database_url.to_owned(),
            "--database".to_owned(),
            settings.database.to_owned(),
            "--pool".to_owned(),
            settings.pool.to_string(),
        ]);
    }
    let log = settings.directory.join("peers.log");
    let program = std::env::current_exe().context("this binary's own path")?;
    let mut process = Process::start(&program, &arguments, &[], &log)?;
    let until = Instant::now() + Duration::from_secs(30);
    while !process::answers(listen, "/readyz").await {
        process.check(&log)?;
        if Instant::now() > until {
            bail!("the {} was not ready in time", side.name());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let cluster = match side {
        Side::Echo => None,
        _ => Some(Cluster::connect(settings.database_url).await?),
    };
    Ok(Subject {
        side,
        target: listen,
        hot: Arc::new(cast.hot()?),
        wide: Arc::clone(cast),
        process,
        cluster,
    })
}
