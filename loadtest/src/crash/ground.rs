//! The ground of a run: its directory, its Postgres, the proxy before it, and who sells what.
//!
//! Keeps: everything a run writes lies in one directory of its own, or in memory beside it.

use std::{
    collections::HashMap,
    fs, mem,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use auditor::Before;

use super::{
    cast::Cast,
    disk::{Mounts, Small},
    engine::Settings,
    postgres::{Postgres, SOCKET},
    process::{Process, Signal, bound_to_us, wait_for},
    proxy::Proxy,
    standby::Standby,
};
use crate::compare::process::free_address;

const SEED_WITHIN: Duration = Duration::from_mins(10);
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// How large a run is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) products: u32,
    pub(super) resellers: u32,
    /// How many of them may lose their keys.
    pub(super) revocable: usize,
    pub(super) serials_per_product: u32,
    pub(super) tables_megabytes: u64,
}

pub(super) struct Ground {
    pub(super) directory: PathBuf,
    pub(super) histories: PathBuf,
    pub(super) postgres: Postgres,
    pub(super) proxy: Proxy,
    /// Where the tables lie, if they can be starved of room.
    pub(super) tables: Option<Small>,
    pub(super) standby: Option<Standby>,
    /// How many there were.
    standbys: u32,
    tables_megabytes: u64,
    proxy_directory: PathBuf,
    state: PathBuf,
}

impl Ground {
    pub(super) fn prepare(
        directory: &Path,
        programs: &Path,
        mounts: Mounts,
        size: Size,
    ) -> anyhow::Result<Self> {
        ensure!(
            !directory.exists(),
            "{} is there already: a run has a directory of its own",
            directory.display()
        );
        fs::create_dir_all(directory)?;
        let tables = directory.join("tables");
        let small = match mounts {
            Mounts::Possible => Some(Small::mount(&tables, size.tables_megabytes)?),
            Mounts::Forbidden => None,
        };
        let postgres = Postgres::create(programs, directory, &tables)?;
        let proxy_directory = directory.join("proxy");
        fs::create_dir_all(&proxy_directory)?;
        let proxy = Proxy::start(&proxy_directory.join(SOCKET), postgres.socket_file())?;
        let histories = histories(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            histories,
            postgres,
            proxy,
            tables: small,
            standby: None,
            standbys: 0,
            tables_megabytes: size.tables_megabytes,
            proxy_directory,
            state: directory.join("state"),
        })
    }

    /// Makes the schema and the cast with the binary itself, and lets it end.
    pub(super) fn seed(&self, program: &Path, size: Size, lanes: u16) -> anyhow::Result<Cast> {
        let log = self.directory.join("seed.log");
        let mut command = bound_to_us(program);
        for (name, value) in [
            ("DATABASE_URL", Postgres::url(&self.postgres.socket)),
            ("CONSIGN_DEV__STATE_DIR", self.state.display().to_string()),
            ("CONSIGN_HTTP__LISTEN", free_address()?.to_string()),
            ("CONSIGN_OPS__LISTEN", free_address()?.to_string()),
            ("CONSIGN_ENGINE__LANES", lanes.to_string()),
            ("CONSIGN_DEV__LOAD_PRODUCTS", size.products.to_string()),
            ("CONSIGN_DEV__LOAD_RESELLERS", size.resellers.to_string()),
            (
                "CONSIGN_DEV__LOAD_ACCESS",
                (size.products / 2).max(1).to_string(),
            ),
            (
                "CONSIGN_DEV__LOAD_SERIALS_PER_PRODUCT",
                size.serials_per_product.to_string(),
            ),
        ] {
            command.env(name, value);
        }
        let mut seeding = Process::start(
            {
                command.arg("dev");
                command
            },
            &log,
        )?;
        let file = self.state.join("demo.json");
        let done = wait_for(SEED_WITHIN, || {
            file.exists() || !matches!(seeding.ended(), Ok(None))
        });
        if !done || seeding.ended()?.is_some() {
            bail!("the cast was not made; see {}", log.display());
        }
        let mut cast = Cast::read(&file, size.revocable)?;
        seeding.tell(Signal::Term)?;
        seeding.end_within(DRAIN_WITHIN)?;
        cast.before = self.versions()?;
        Ok(cast)
    }

    fn versions(&self) -> anyhow::Result<Before> {
        let rows = self.postgres.sql(
            "SELECT balance_id || ' ' || max(version) FROM ledger_entries GROUP BY balance_id",
        )?;
        let read = |row: &str| {
            let (balance, version) = row.split_once(' ')?;
            Some((balance.parse().ok()?, version.parse().ok()?))
        };
        let versions: Option<HashMap<i64, i64>> = rows.lines().map(read).collect();
        Ok(Before::Versions(versions.context("unreadable versions")?))
    }

    pub(super) fn engine_settings(&self, program: &Path, lanes: u16) -> Settings {
        Settings {
            program: program.to_owned(),
            database_url: Postgres::url(&self.proxy_directory),
            root_key_file: self.state.join("root.key"),
            lanes,
            remembered: self.directory.join("remembered"),
            standby: self.directory.join("standby-1").join("socket"),
            log: self.directory.join("engine.log"),
        }
    }

    /// A standby that follows the primary, and that no commit waits for.
    pub(super) fn follower(&mut self) -> anyhow::Result<Standby> {
        self.standbys += 1;
        let directory = self.directory.join(format!("standby-{}", self.standbys));
        let megabytes = self.tables.is_some().then_some(self.tables_megabytes);
        Standby::follow(&self.postgres, &directory, megabytes)
    }

    /// The standby takes the place of the primary, which has ended.
    pub(super) fn succeed(&mut self) -> anyhow::Result<()> {
        let mut standby = self.standby.take().context("there is no standby")?;
        standby.promote()?;
        self.proxy.lead_to(standby.postgres.socket_file());
        let before = mem::replace(&mut self.postgres, standby.postgres);
        let tables = mem::replace(&mut self.tables, standby.tables);
        before.retire()?;
        tables.map_or(Ok(()), Small::abandon)
    }

    /// Nobody waits for the standby any more, and it ends.
    pub(super) fn give_standby_up(&mut self) -> anyhow::Result<()> {
        let Some(standby) = self.standby.take() else {
            return Ok(());
        };
        self.postgres
            .sql("ALTER SYSTEM RESET synchronous_standby_names")?;
        self.postgres.sql("SELECT pg_reload_conf()")?;
        standby.give_up()?;
        self.postgres.forget_standby()
    }

    /// Keeps what is needed to look at a failure; the file systems in memory go.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        let kept = self.directory.join("histories");
        if self.histories == kept {
            return Ok(());
        }
        fs::create_dir_all(&kept)?;
        for file in fs::read_dir(&self.histories)? {
            let file = file?;
            fs::copy(file.path(), kept.join(file.file_name()))?;
        }
        self.forget_histories();
        Ok(())
    }

    pub(super) fn forget_histories(&self) {
        fs::remove_dir_all(&self.histories).ok();
    }
}

/// In memory if there is a place: clients are never killed before they have written, and a disk that
/// takes their lines would be a disk that Postgres waits for.
fn histories(directory: &Path) -> anyhow::Result<PathBuf> {
    let memory = Path::new("/dev/shm");
    let path = match directory.file_name() {
        Some(name) if memory.is_dir() => memory.join(name),
        Some(_) | None => directory.join("histories"),
    };
    fs::create_dir_all(&path)?;
    Ok(path)
}
