//! The one server of a test run, shared by all its processes.
//!
//! Keeps: the first process that needs it starts it, the next ones meet it, and when the last one
//! has ended, by whatever means, a watcher stops it and deletes its files. `fsync` is on here too.

mod watcher;

use std::{
    collections::BTreeMap, error::Error as StdError, future::Future, path::PathBuf, time::Duration,
};

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Mutex, OnceCell};

use super::{
    Cluster, Error, Fetch, Options, Server, Template, TestDatabase, create_from_template,
    ensure_template,
};

/// Between two test programs of one run nobody uses the cluster for a moment.
const BETWEEN_PROGRAMS: Duration = Duration::from_secs(10);

static SHARED: OnceCell<TestCluster> = OnceCell::const_new();

/// A server that tests make their databases on.
#[derive(Debug)]
pub struct TestCluster {
    server: Server,
    templates: Mutex<BTreeMap<String, Template>>,
    /// Held for its lock: while this process lives, it uses the cluster.
    cluster: Option<Cluster>,
}

/// The server of this test run: `DATABASE_URL` if set, else a cluster below the build directory.
///
/// Never asks the network: without programs it fails with the line that installs them.
pub async fn test_cluster() -> Result<&'static TestCluster, Error> {
    SHARED
        .get_or_try_init(|| Box::pin(TestCluster::start()))
        .await
}

impl TestCluster {
    async fn start() -> Result<Self, Error> {
        if let Some(url) = variable("DATABASE_URL") {
            return Ok(Self::of(Server::given(&url)?, None));
        }
        let mut options = Options::new(run_dir()).with("max_connections", "400");
        // Each copy of a template goes through the WAL; do not let it fill the build directory.
        options = options.with("max_wal_size", "1GB");
        options.binaries_dir = variable("CONSIGN_POSTGRES_BIN").map(PathBuf::from);
        options.fetch = Fetch::Never;
        let cluster = Cluster::start(&options).await?;
        cluster.destroy_when_unused(BETWEEN_PROGRAMS)?;
        Ok(Self::of(cluster.server().clone(), Some(cluster)))
    }

    fn of(server: Server, cluster: Option<Cluster>) -> Self {
        Self {
            server,
            templates: Mutex::default(),
            cluster,
        }
    }

    /// The address of its databases.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The cluster behind it, unless `DATABASE_URL` named a server.
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// A database of one test, a copy of the template; see [`ensure_template`].
    pub async fn database<Migrate, Migrated, Failure>(
        &self,
        fingerprint: &str,
        migrate: Migrate,
    ) -> Result<TestDatabase, Error>
    where
        Migrate: FnOnce(PgConnectOptions) -> Migrated,
        Migrated: Future<Output = Result<(), Failure>>,
        Failure: Into<Box<dyn StdError + Send + Sync>>,
    {
        // A schema without a constraint must not be another run's.
        let fingerprint = match engine::sabotage::broken() {
            Some(rule) => format!("{fingerprint}x{rule}"),
            None => fingerprint.to_owned(),
        };
        let template = self.template(&fingerprint, migrate).await?;
        create_from_template(&self.server, &template).await
    }

    /// The template, asked of the server once per process.
    async fn template<Migrate, Migrated, Failure>(
        &self,
        fingerprint: &str,
        migrate: Migrate,
    ) -> Result<Template, Error>
    where
        Migrate: FnOnce(PgConnectOptions) -> Migrated,
        Migrated: Future<Output = Result<(), Failure>>,
        Failure: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut templates = self.templates.lock().await;
        if let Some(template) = templates.get(fingerprint) {
            return Ok(template.clone());
        }
        let template = ensure_template(&self.server, fingerprint, migrate).await?;
        templates.insert(fingerprint.to_owned(), template.clone());
        Ok(template)
    }
}

/// A directory below the build directory, which every test program of a run has in common.
fn run_dir() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let build_dir = program
        .ancestors()
        .find(|above| above.join("CACHEDIR.TAG").exists());
    build_dir.map_or_else(
        || std::env::temp_dir().join("consign-test-postgres"),
        |build_dir| build_dir.join("test-postgres"),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test program has no configuration of its own; nothing else here reads variables"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
