//! A second Postgres that follows the first one, until it takes its place or is given up.
//!
//! Keeps: whoever is told that commits wait for it has seen one wait; a standby that is given up leaves
//! nothing behind at the primary.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};

use super::{disk::Small, postgres::Postgres, process::wait_for};

const FOLLOWS_WITHIN: Duration = Duration::from_secs(30);
/// Longer than an engine takes to be killed, started and asked.
pub(super) const SHOWS_LATE: Duration = Duration::from_secs(15);
const PROMOTED_WITHIN: Duration = Duration::from_mins(1);

pub(super) struct Standby {
    pub(super) postgres: Postgres,
    /// Where its tables lie, if they can be starved of room.
    pub(super) tables: Option<Small>,
    directory: PathBuf,
}

impl Standby {
    /// Copies the primary below `directory` and follows it.
    pub(super) fn follow(
        primary: &Postgres,
        directory: &Path,
        tables_megabytes: Option<u64>,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)?;
        let place = directory.join("tables");
        let tables = tables_megabytes.map(|megabytes| Small::mount(&place, megabytes));
        let mut standby = Self {
            tables: tables.transpose()?,
            postgres: primary.follower(directory, &place)?,
            directory: directory.to_owned(),
        };
        standby.postgres.start()?;
        standby.until(primary, "state = 'streaming'")?;
        Ok(standby)
    }

    /// From now on every commit waits for it.
    pub(super) fn synchronize(&self, primary: &Postgres) -> anyhow::Result<()> {
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")?;
        primary.sql("SELECT pg_reload_conf()")?;
        self.until(primary, "sync_state = 'sync'")?;
        let waits = wait_for(FOLLOWS_WITHIN, || {
            primary.waits_for_standby().unwrap_or(false)
        });
        ensure!(waits, "no commit waits for the standby");
        Ok(())
    }

    /// What it has is visible on it later, though commits wait only until it has it.
    pub(super) fn applies_late(&self, late: bool) -> anyhow::Result<()> {
        let seconds = if late { SHOWS_LATE.as_secs() } else { 0 };
        let set = format!("ALTER SYSTEM SET recovery_min_apply_delay = '{seconds}s'");
        self.postgres.sql(&set)?;
        self.postgres.sql("SELECT pg_reload_conf()").map(drop)
    }

    fn until(&self, primary: &Postgres, condition: &str) -> anyhow::Result<()> {
        let look = format!(
            "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'standby' AND {condition}"
        );
        let there = wait_for(FOLLOWS_WITHIN, || {
            primary.sql(&look).is_ok_and(|count| count == "1")
        });
        ensure!(
            there,
            "the standby in {} does not follow: not {condition}",
            self.directory.display()
        );
        Ok(())
    }

    /// Makes it a primary, with what it has.
    pub(super) fn promote(&mut self) -> anyhow::Result<()> {
        self.postgres.start()?;
        let asked = self.postgres.sql("SELECT pg_promote(false)");
        asked.context("promoting the standby")?;
        // First it applies what it has, which may be much if it was away.
        let promoted = wait_for(PROMOTED_WITHIN, || {
            let asked = self.postgres.sql("SELECT pg_is_in_recovery()");
            asked.is_ok_and(|answer| answer == "f")
        });
        ensure!(promoted, "the standby was not promoted in time");
        Ok(())
    }

    /// Ends it and removes what it had.
    pub(super) fn give_up(self) -> anyhow::Result<()> {
        self.postgres.retire()?;
        self.tables.map_or(Ok(()), Small::abandon)
    }
}
