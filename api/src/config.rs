//! Settings: the embedded defaults < a file < the environment.
//!
//! Keeps: an unknown key is an error, a relation that must hold is checked at start, and a secret has
//! no text form, so the settings can be shown.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use config::{Environment, File, FileFormat};
use engine::vault::RootKey;
use ipnet::IpNet;
use persistence::{Sizes, installation::identity, settings::Durability, tripwire::TripwireFile};
use serde::Deserialize;

use crate::{dev, erasure, mail, payments, webhooks};

const DEFAULTS: &str = include_str!("../config/default.toml");
const PREFIX: &str = "CONSIGN_";
/// The shortest deadline that a request has outside of the engine.
const REQUEST_DEADLINE_MS: u64 = 15_000;
const IN_FLIGHT_MAX: usize = 1 << 20;
/// Shorter waits for a peer cut off callers that are only far away.
const WAIT_MIN_MS: u64 = 1000;

/// Every setting.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub http: Http,
    pub ops: Ops,
    pub database: Database,
    pub vault: Vault,
    pub customers: erasure::Settings,
    pub mail: mail::Settings,
    pub webhooks: webhooks::Settings,
    /// By the name of their network.
    pub chains: BTreeMap<String, payments::Settings>,
    pub log: Log,
    pub engine: engine::config::Config,
    pub dev: dev::Settings,
}

/// The public listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub listen: SocketAddr,
    pub origin: String,
    pub trusted_proxies: Vec<IpNet>,
    pub in_flight_max: usize,
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    pub header_read_timeout_ms: u64,
    pub idle_max_ms: u64,
    pub unread_max_ms: u64,
    pub close_wait_ms: u64,
}

/// The operators' listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ops {
    pub listen: SocketAddr,
}

/// Where the data is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Holds a password, perhaps.
    pub url: Secret,
    pub reads_max: u32,
    pub reports_max: u32,
    pub writes_max: u32,
    pub acquire_wait_ms: u64,
    pub durability: DurabilitySetting,
    pub tripwire_directory: PathBuf,
}

/// How much a commit must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DurabilitySetting {
    Local,
    Replicated,
}

/// The key that everything sealed hangs on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    pub root_key_file: PathBuf,
    pub root_key: Secret,
}

/// What is logged and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// A setting that is never shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "not set" } else { "set" })
    }
}

impl Config {
    /// Reads the settings of this process.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::read(file, variables.collect())
    }

    /// Reads the settings from a file and these environment variables.
    pub fn read(file: Option<&Path>, variables: HashMap<String, String>) -> anyhow::Result<Self> {
        let url = variables.get("DATABASE_URL").cloned();
        // The command line's own variables, such as CONSIGN_URL, name no section.
        let settings = variables
            .into_iter()
            .filter(|(name, _)| name.strip_prefix(PREFIX).is_some_and(|n| n.contains("__")));
        let environment = Environment::with_prefix("CONSIGN")
            .prefix_separator("_")
            .separator("__")
            .list_separator(",")
            .with_list_parse_key("http.trusted_proxies")
            .try_parsing(true)
            .source(Some(settings.collect()));
        let mut sources =
            config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(file) = file {
            sources = sources.add_source(File::from(file).format(FileFormat::Toml));
        }
        let read = sources
            .add_source(environment)
            .build()
            .context("reading the settings")?;
        let mut settings: Self = read.try_deserialize().context("reading the settings")?;
        if let Some(url) = url {
            settings.database.url = Secret(url);
        }
        settings.check()?;
        Ok(settings)
    }

    /// Checks the bounds and the relations between them.
    pub fn check(&self) -> anyhow::Result<()> {
        self.engine.check()?;
        self.mail.check()?;
        ensure!(
            self.customers.email_days >= 1,
            "customers.email_days must be at least 1"
        );
        let acquire_ms = self.database.acquire_wait_ms;
        ensure!(
            acquire_ms < REQUEST_DEADLINE_MS && acquire_ms < self.engine.answer_deadline_ms,
            "database.acquire_wait_ms must be below every deadline of a request"
        );
        ensure!(
            [
                self.database.reads_max,
                self.database.reports_max,
                self.database.writes_max
            ]
            .iter()
            .all(|max| *max >= 1),
            "database.reads_max, reports_max and writes_max must be at least 1"
        );
        let origin = &self.http.origin;
        ensure!(
            (origin.starts_with("https://") || origin.starts_with("http://"))
                && !origin.ends_with('/'),
            "http.origin must begin with https:// or http:// and have no slash at the end"
        );
        self.http.check()
    }
}

impl Http {
    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            (1..=IN_FLIGHT_MAX).contains(&self.in_flight_max),
            "http.in_flight_max must be 1 to {IN_FLIGHT_MAX}"
        );
        ensure!(
            (1..=self.connections_max).contains(&self.connections_per_address_max),
            "http.connections_per_address_max must be 1 to connections_max"
        );
        ensure!(
            [
                self.header_read_timeout_ms,
                self.idle_max_ms,
                self.unread_max_ms
            ]
            .iter()
            .all(|wait| *wait >= WAIT_MIN_MS),
            "http.header_read_timeout_ms, idle_max_ms and unread_max_ms must be at least {WAIT_MIN_MS}"
        );
        Ok(())
    }
}

impl Database {
    pub fn sizes(&self) -> Sizes {
        Sizes {
            reads_max: self.reads_max,
            reports_max: self.reports_max,
            writes_max: self.writes_max,
            acquire_wait: Duration::from_millis(self.acquire_wait_ms),
        }
    }

    /// Where this machine remembers what became durable in this database; none if no directory is set, or
    /// nothing was ever served from it.
    pub async fn tripwire(
        &self,
        database: &persistence::Database,
    ) -> anyhow::Result<Option<TripwireFile>> {
        let directory = &self.tripwire_directory;
        if directory.as_os_str().is_empty() {
            return Ok(None);
        }
        let Some(installation) = identity(database).await? else {
            return Ok(None);
        };
        let file = TripwireFile::open(directory, &installation).await;
        Ok(Some(file.context("opening database.tripwire_directory")?))
    }

    pub fn durability(&self) -> Durability {
        match self.durability {
            DurabilitySetting::Local => Durability::Local,
            DurabilitySetting::Replicated => Durability::Replicated,
        }
    }

    /// Opens the database that the settings name.
    pub async fn connect(&self) -> anyhow::Result<persistence::Database> {
        let url = self.url.expose();
        ensure!(
            !url.is_empty(),
            "no database: set DATABASE_URL or database.url"
        );
        let Ok(options) = url.parse() else {
            // The parser's message could repeat the password.
            bail!("the address of the database is not a postgres:// URL");
        };
        persistence::Database::connect(&options, self.sizes())
            .await
            .context("connecting to the database")
    }
}

impl Vault {
    /// The root key of the settings.
    pub fn root_key(&self) -> anyhow::Result<RootKey> {
        let text = match (
            self.root_key.expose(),
            self.root_key_file.as_os_str().is_empty(),
        ) {
            ("", true) => bail!("no root key: set vault.root_key_file or CONSIGN_VAULT__ROOT_KEY"),
            ("", false) => {
                let file = &self.root_key_file;
                let reading = || format!("reading the root key `{}`", file.display());
                std::fs::read_to_string(file).with_context(reading)?
            }
            (key, _) => key.to_owned(),
        };
        parse_root_key(text.trim()).context("the root key must be 64 hexadecimal digits")
    }
}

fn parse_root_key(text: &str) -> Option<RootKey> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(RootKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let pairs = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(None, pairs.collect())
    }

    #[test]
    fn embedded_defaults_are_the_engines_own() {
        let config = read(&[]).unwrap();
        let own = engine::config::Config::default();
        assert_eq!(format!("{:?}", config.engine), format!("{own:?}"));
        assert_eq!(config.dev, dev::Settings::default());
    }

    #[test]
    fn environment_replaces_single_values() {
        let config = read(&[
            ("CONSIGN_HTTP__LISTEN", "0.0.0.0:9000"),
            ("CONSIGN_HTTP__TRUSTED_PROXIES", "10.0.0.0/8,::1/128"),
            ("CONSIGN_ENGINE__LANES", "2"),
            ("CONSIGN_DEV__STATE_DIR", "/tmp/consign"),
            ("CONSIGN_DEV__JOURNAL", "memory"),
            ("CONSIGN_URL", "http://127.0.0.1:1"),
            ("DATABASE_URL", "postgres:///consign"),
        ])
        .unwrap();
        assert_eq!(config.http.listen.port(), 9000);
        assert_eq!(config.http.trusted_proxies.len(), 2);
        assert_eq!(config.engine.lanes, 2);
        assert_eq!(config.dev.state_dir, Path::new("/tmp/consign"));
        assert_eq!(config.database.url.expose(), "postgres:///consign");
    }

    #[test]
    fn file_stands_between_defaults_and_environment() {
        let file = std::env::temp_dir().join(format!("consign-config-{}.toml", std::process::id()));
        std::fs::write(
            &file,
            "[ops]\nlisten = \"127.0.0.1:1\"\n[engine]\nlanes = 3\n",
        )
        .unwrap();
        let variables = HashMap::from([("CONSIGN_ENGINE__LANES".to_owned(), "4".to_owned())]);
        let config = Config::read(Some(&file), variables);
        std::fs::remove_file(&file).unwrap();
        let config = config.unwrap();
        assert_eq!((config.ops.listen.port(), config.engine.lanes), (1, 4));
    }

    #[test]
    fn what_must_not_be_does_not_start() {
        for (name, value) in [
            ("CONSIGN_HTTP__NO_SUCH_KEY", "1"),
            ("CONSIGN_NOSUCHSECTION__KEY", "1"),
            ("CONSIGN_ENGINE__LANES", "0"),
            ("CONSIGN_DATABASE__ACQUIRE_WAIT_MS", "8000"),
            ("CONSIGN_HTTP__IDLE_MAX_MS", "0"),
            ("CONSIGN_HTTP__CONNECTIONS_PER_ADDRESS_MAX", "16385"),
            ("CONSIGN_HTTP__ORIGIN", "https://consign.example/"),
            ("CONSIGN_HTTP__LISTEN", "everywhere"),
            ("CONSIGN_CHAINS__BASE__POLL_MS", "1000"),
            ("CONSIGN_CHAINS__BASE__NO_SUCH_KEY", "1"),
        ] {
            assert!(read(&[(name, value)]).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = read(&[
            ("DATABASE_URL", "postgres://user:hunter2@db/consign"),
            ("CONSIGN_VAULT__ROOT_KEY", &"5a".repeat(32)),
            (
                "CONSIGN_CHAINS__BASE__RPC_URL",
                "https://node.example/hunter2",
            ),
        ])
        .unwrap();
        assert!(config.vault.root_key().is_ok());
        assert_eq!(config.chains["base"].blocks_at_once, 500);
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("5a5a"),
            "{shown}"
        );
    }

    #[test]
    fn root_key_is_64_hexadecimal_digits() {
        for text in ["", "00", &"0".repeat(63), &"g".repeat(64)] {
            assert!(parse_root_key(text).is_none(), "{text}");
        }
    }
}
