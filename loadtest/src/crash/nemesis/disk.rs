//! Disks that are full, and freed again.

use std::{
    fs,
    os::unix,
    path::Path,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::strike::{Effect, Nemesis, READY_WITHIN, effect};
use crate::crash::{disk::Small, postgres::End, process::wait_for};

/// What an engine logs when its database says that there is no room.
const FULL: &str = "storage is full";
const NOTICED_WITHIN: Duration = Duration::from_secs(20);
const LOG_FULL_WITHIN: Duration = Duration::from_secs(30);
/// Room for the log beyond what it has when it moves.
const LOG_MEGABYTES: u64 = 64;

impl Nemesis<'_> {
    pub(super) fn fill_tables(&mut self) -> anyhow::Result<Effect> {
        let from = self.engine_log_length();
        let Some(tables) = &self.ground.tables else {
            return Ok(Effect::Missed);
        };
        tables.fill()?;
        let noticed = wait_for(NOTICED_WITHIN, || {
            sleep(Duration::from_millis(50));
            self.engine_said(FULL, from)
        });
        self.rest(1500);
        if let Some(tables) = &self.ground.tables {
            tables.free()?;
        }
        Ok(effect(noticed))
    }

    /// The log moves to a small file system for the time of this act, and back.
    pub(super) fn fill_log(&mut self) -> anyhow::Result<Effect> {
        if self.ground.tables.is_none() {
            return Ok(Effect::Missed);
        }
        let (log, account) = self.ground.postgres.log_directory();
        let (aside, place) = (
            log.with_extension("aside"),
            self.ground.directory.join("log"),
        );
        self.ground.postgres.end(End::Fast)?;
        let small = Small::mount(&place, LOG_MEGABYTES + megabytes(&log)?)?;
        account.own(&place)?;
        copy(&log, &place)?;
        fs::rename(&log, &aside)?;
        unix::fs::symlink(&place, &log)?;
        self.ground.postgres.start()?;
        self.engines.ensure_serving(READY_WITHIN)?;

        small.fill()?;
        let fell = self.use_up_log();
        self.rest(500);
        small.free()?;
        self.recover().context("after the log had room again")?;

        self.ground.postgres.end(End::Fast)?;
        fs::remove_file(&log)?;
        fs::remove_dir_all(&aside)?;
        fs::create_dir(&log)?;
        account.own(&log)?;
        copy(&place, &log)?;
        small.unmount()?;
        self.ground.postgres.start()?;
        Ok(effect(fell))
    }

    /// Until Postgres gives up, whose log has segments in stock.
    fn use_up_log(&mut self) -> bool {
        let until = Instant::now() + LOG_FULL_WITHIN;
        while Instant::now() < until {
            if self.ground.postgres.sql("SELECT pg_switch_wal()").is_err() {
                return true;
            }
            sleep(Duration::from_millis(20));
        }
        false
    }
}

fn megabytes(directory: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for file in fs::read_dir(directory)? {
        bytes += file?.metadata()?.len();
    }
    Ok(bytes >> 20)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied = Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to)
        .status()?;
    ensure!(copied.success(), "could not copy {}", from.display());
    Ok(())
}
