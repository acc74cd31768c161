//! The Postgres of a development server: the one that is named, or one of its own.

use std::path::PathBuf;

use anyhow::Context as _;
use persistence::{
    Database, Sizes,
    embedded::{self, Cluster},
};

use super::settings::Settings;

const DATABASE: &str = "consign";

/// A Postgres that answers.
pub(super) struct Postgres {
    /// None if somebody else runs it.
    cluster: Option<Cluster>,
    pub(super) url: String,
}

impl Postgres {
    /// Meets, starts or makes the cluster of the state directory, unless a server is named.
    pub(super) async fn start(
        settings: &Settings,
        url: Option<&str>,
        binaries_dir: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        if let Some(url) = url {
            return Ok(Self {
                cluster: None,
                url: url.to_owned(),
            });
        }
        let mut options = embedded::Options::new(&settings.state_dir);
        options.binaries_dir = binaries_dir;
        let cluster = Box::pin(Cluster::start(&options)).await?;
        embedded::create_database(cluster.server(), DATABASE).await?;
        let url = cluster.url(DATABASE);
        Ok(Self {
            cluster: Some(cluster),
            url,
        })
    }

    /// Connects and brings the schema up to date.
    pub(super) async fn open(&self, sizes: Sizes) -> anyhow::Result<Database> {
        let Ok(options) = self.url.parse() else {
            // The parser's message could repeat the password.
            anyhow::bail!("DATABASE_URL is not a postgres:// URL");
        };
        let database = Database::connect(&options, sizes)
            .await
            .context("connecting to Postgres")?;
        database.migrate().await.context("migrating the schema")?;
        Ok(database)
    }

    /// Stops the cluster if it is this process's own and nobody else uses it.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        match self.cluster {
            Some(cluster) => Ok(cluster.stop().await?),
            None => Ok(()),
        }
    }
}
