//! The rig's own Postgres: made, started, crashed and started again.
//!
//! Keeps: fsync is on and the log is on a real disk; it listens on a Unix socket in the rig's
//! directory and nowhere else; the postmaster is a child of the rig.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};

use super::{
    account::Account,
    process::{Process, Signal, parent, signal_to, wait_for},
};

const DATABASE: &str = "consign";
pub(super) const SOCKET: &str = ".s.PGSQL.5432";
const START_WITHIN: Duration = Duration::from_mins(1);
const END_WITHIN: Duration = Duration::from_mins(1);
/// Attempts to start: after a kill the last backends may hold the shared memory for a moment.
const STARTS_MAX: u32 = 40;

/// How Postgres is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Sessions are ended and everything is written out.
    Fast,
    /// As a crash: nothing is written out.
    Immediate,
    /// The postmaster is killed; its children notice.
    Kill,
}

/// One of a lane's sessions, or the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    Writer,
    Reader,
    Owner,
}

pub(super) struct Postgres {
    programs: PathBuf,
    account: Account,
    data: PathBuf,
    pub(super) socket: PathBuf,
    log: PathBuf,
    tables: PathBuf,
    postmaster: Option<Process>,
}

impl Postgres {
    /// Makes a cluster below `directory` and starts it. The database lies in `tables`.
    pub(super) fn create(programs: &Path, directory: &Path, tables: &Path) -> anyhow::Result<Self> {
        let account = Account::choose()?;
        let (data, socket) = (directory.join("data"), directory.join("socket"));
        for path in [&data, &socket, tables] {
            account.directory(path)?;
        }
        let mut made = Self {
            programs: programs.to_owned(),
            account,
            data,
            socket,
            log: directory.join("postgres.log"),
            tables: tables.to_owned(),
            postmaster: None,
        };
        made.initialize()?;
        made.start()?;
        let place = tables.display();
        made.sql_in(
            "postgres",
            &format!("CREATE TABLESPACE small LOCATION '{place}'"),
        )?;
        made.sql_in("postgres", "CREATE DATABASE consign TABLESPACE small")?;
        Ok(made)
    }

    fn initialize(&self) -> anyhow::Result<()> {
        let output = self
            .account
            .command(&self.programs.join("initdb"))
            .args(["--data-checksums", "--locale=C", "--encoding=UTF8"])
            .args(["--auth=trust", "--username=postgres", "-D"])
            .arg(&self.data)
            .output()
            .context("running initdb")?;
        ensure!(
            output.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::write(self.data.join("postgresql.conf"), settings(&self.socket))?;
        Ok(())
    }

    /// A copy of this cluster below `directory` that follows it once it is started. Its database lies in
    /// `tables`.
    pub(super) fn follower(&self, directory: &Path, tables: &Path) -> anyhow::Result<Self> {
        let (data, socket) = (directory.join("data"), directory.join("socket"));
        for path in [directory, &socket, tables] {
            self.account.directory(path)?;
        }
        let (from, to) = (self.tables.display(), tables.display());
        let host = self.socket.display();
        let output = self
            .account
            .command(&self.programs.join("pg_basebackup"))
            .args(["--checkpoint=fast", "--wal-method=stream", "--no-sync"])
            .args(["--write-recovery-conf", "--create-slot", "--slot=standby"])
            .arg(format!("--tablespace-mapping={from}={to}"))
            .arg(format!(
                "--dbname=host={host} port=5432 user=postgres application_name=standby"
            ))
            .arg("--pgdata")
            .arg(&data)
            .output()
            .context("running pg_basebackup")?;
        ensure!(
            output.status.success(),
            "pg_basebackup: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::write(data.join("postgresql.conf"), settings(&socket))?;
        Ok(Self {
            programs: self.programs.clone(),
            account: self.account,
            data,
            socket,
            log: self.log.clone(),
            tables: tables.to_owned(),
            postmaster: None,
        })
    }

    /// Where a process finds the database behind a socket's directory.
    pub(super) fn url(socket: &Path) -> String {
        let host = socket.display();
        format!("postgres:///{DATABASE}?host={host}&port=5432&user=postgres&sslmode=disable")
    }

    /// The pid file and what runs must be ours: started below, killed by number.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        for _ in 0..STARTS_MAX {
            if self.is_up() {
                return Ok(());
            }
            let mut command = self.account.command(&self.programs.join("postgres"));
            command.arg("-D").arg(&self.data);
            let mut postmaster = Process::start(command, &self.log)?;
            let socket = self.socket.clone();
            let programs = self.programs.clone();
            let settled = wait_for(START_WITHIN, || {
                !matches!(postmaster.ended(), Ok(None)) || answers(&programs, &socket)
            });
            ensure!(settled, "Postgres was not ready within {START_WITHIN:?}");
            if postmaster.ended()?.is_none() {
                self.postmaster = Some(postmaster);
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("Postgres does not start; see {}", self.log.display())
    }

    /// Whether it takes connections.
    pub(super) fn is_up(&mut self) -> bool {
        let lives = |postmaster: &mut Process| matches!(postmaster.ended(), Ok(None));
        self.postmaster.as_mut().is_some_and(lives) && answers(&self.programs, &self.socket)
    }

    /// Waits until it takes connections again by itself, and starts it if it has ended.
    pub(super) fn recover(&mut self) -> anyhow::Result<()> {
        let recovered = wait_for(START_WITHIN, || {
            let ended = self
                .postmaster
                .as_mut()
                .is_none_or(|postmaster| !matches!(postmaster.ended(), Ok(None)));
            ended || answers(&self.programs, &self.socket)
        });
        ensure!(
            recovered,
            "Postgres did not recover within {START_WITHIN:?}"
        );
        self.start()
    }

    pub(super) fn end(&mut self, how: End) -> anyhow::Result<()> {
        let Some(mut postmaster) = self.postmaster.take() else {
            return Ok(());
        };
        postmaster.tell(match how {
            End::Fast => Signal::Int,
            End::Immediate => Signal::Quit,
            End::Kill => Signal::Kill,
        })?;
        postmaster.end_within(END_WITHIN)?;
        Ok(())
    }

    /// Forgets a standby that has ended, for which the log would be kept for ever.
    pub(super) fn forget_standby(&self) -> anyhow::Result<()> {
        let drop = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots";
        let dropped = wait_for(END_WITHIN, || self.sql(drop).is_ok());
        ensure!(dropped, "the slot of the standby is in use");
        Ok(())
    }

    /// Ends it for good: another one has its place. What its last processes still write, goes with the run.
    pub(super) fn retire(mut self) -> anyhow::Result<()> {
        self.end(End::Immediate)?;
        fs::remove_dir_all(&self.data).ok();
        Ok(())
    }

    /// Where it takes connections.
    pub(super) fn socket_file(&self) -> PathBuf {
        self.socket.join(SOCKET)
    }

    /// The directory of the write-ahead log, and whose it must be.
    pub(super) fn log_directory(&self) -> (PathBuf, Account) {
        (self.data.join("pg_wal"), self.account)
    }

    /// Runs one statement in the engine's database; its result as bare text.
    pub(super) fn sql(&self, statement: &str) -> anyhow::Result<String> {
        self.sql_in(DATABASE, statement)
    }

    fn sql_in(&self, database: &str, statement: &str) -> anyhow::Result<String> {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", "postgres", "-d", database, "-c", statement, "-h"])
            .arg(&self.socket)
            .env("PGCONNECT_TIMEOUT", "5")
            .env("PGOPTIONS", "-c statement_timeout=20s")
            .stdin(Stdio::null())
            .output()
            .context("running psql")?;
        ensure!(
            output.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// The process of one session of the engine, if there is one now.
    pub(super) fn backend(&self, which: Backend) -> anyhow::Result<Option<u32>> {
        const JOURNAL: &str = "application_name = 'consign journal'";
        let chosen = match which {
            Backend::Writer => "pid IN (SELECT backend_pid FROM lanes)",
            Backend::Owner => "pid IN (SELECT backend_pid FROM shards)",
            Backend::Reader => {
                "pid NOT IN (SELECT backend_pid FROM lanes WHERE backend_pid IS NOT NULL)
                 AND pid NOT IN (SELECT backend_pid FROM shards WHERE backend_pid IS NOT NULL)"
            }
        };
        let found = self.sql(&format!(
            "SELECT pid FROM pg_stat_activity WHERE {JOURNAL} AND {chosen}
             ORDER BY backend_start LIMIT 1"
        ))?;
        Ok(found.parse().ok())
    }

    /// Ends a session in order, as an administrator would.
    pub(super) fn terminate(&self, which: Backend) -> anyhow::Result<bool> {
        let Some(id) = self.backend(which)? else {
            return Ok(false);
        };
        Ok(self.sql(&format!("SELECT pg_terminate_backend({id})"))? == "t")
    }

    /// Kills a session's process: Postgres takes that for a crash and restarts all of them.
    pub(super) fn kill(&self, which: Backend) -> anyhow::Result<bool> {
        let ours = self.postmaster.as_ref().map(Process::id);
        let Some(id) = self.backend(which)? else {
            return Ok(false);
        };
        if ours.is_none() || parent(id) != ours {
            return Ok(false);
        }
        signal_to(id, Signal::Kill)?;
        Ok(true)
    }

    /// Whether some commit was seen to wait for the standby within half a second.
    pub(super) fn waits_for_standby(&self) -> anyhow::Result<bool> {
        let seen = self.sql(
            "SET synchronous_commit = local;
             CREATE TEMPORARY TABLE seen (n integer);
             DO $$ BEGIN FOR n IN 1..100 LOOP
               INSERT INTO seen SELECT n FROM pg_stat_get_activity(NULL) AS a
                 WHERE a.wait_event = 'SyncRep' LIMIT 1;
               EXIT WHEN FOUND;
               PERFORM pg_stat_clear_snapshot();
               PERFORM pg_sleep(0.005);
             END LOOP; END $$;
             SELECT count(*) FROM seen",
        )?;
        Ok(seen != "0")
    }

    /// Cancels every wait for the standby, again and again for a while; how many it met.
    pub(super) fn cancel_waits(&self) -> anyhow::Result<u64> {
        let met = self.sql(
            "SET synchronous_commit = local;
             CREATE TEMPORARY TABLE met (n integer);
             DO $$ DECLARE id integer; BEGIN FOR n IN 1..150 LOOP
               FOR id IN SELECT a.pid FROM pg_stat_get_activity(NULL) AS a
                 WHERE a.wait_event = 'SyncRep'
               LOOP
                 IF pg_cancel_backend(id) THEN INSERT INTO met VALUES (n); END IF;
               END LOOP;
               PERFORM pg_stat_clear_snapshot();
               PERFORM pg_sleep(0.01);
             END LOOP; END $$;
             SELECT count(*) FROM met",
        )?;
        Ok(met.parse()?)
    }

    /// Cancels what the lanes' writers run, again and again for a while; how often it met one at work.
    pub(super) fn cancel_commits(&self) -> anyhow::Result<u64> {
        // A function in a condition would be asked of every session before the join, this one too.
        let met = self.sql(
            "SET client_min_messages = error;
             CREATE TEMPORARY TABLE met (n integer);
             DO $$ DECLARE id integer; BEGIN FOR n IN 1..400 LOOP
               FOR id IN SELECT a.pid FROM pg_stat_get_activity(NULL) AS a
                 JOIN lanes AS l ON l.backend_pid = a.pid WHERE a.state = 'active'
               LOOP
                 IF pg_cancel_backend(id) THEN INSERT INTO met VALUES (n); END IF;
               END LOOP;
               PERFORM pg_stat_clear_snapshot();
               PERFORM pg_sleep(0.001);
             END LOOP; END $$;
             SELECT count(*) FROM met",
        )?;
        Ok(met.parse()?)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end(End::Immediate).ok();
    }
}

fn answers(programs: &Path, socket: &Path) -> bool {
    let asked = Command::new(programs.join("pg_isready"))
        .args(["-q", "-t", "2", "-h"])
        .arg(socket)
        .status();
    asked.is_ok_and(|status| status.success())
}

fn settings(socket: &Path) -> String {
    let mut text = String::new();
    let socket = socket.display().to_string();
    for (name, value) in [
        ("listen_addresses", ""),
        ("unix_socket_directories", &socket),
        ("max_connections", "200"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("restart_after_crash", "on"),
        ("shared_buffers", "128MB"),
        // Small, so that the log fits a small file system and recovery is short.
        ("max_wal_size", "192MB"),
        ("min_wal_size", "80MB"),
        ("checkpoint_timeout", "2min"),
        // A standby that was away is back at once.
        ("wal_retrieve_retry_interval", "100ms"),
        ("lc_messages", "C"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_line_prefix", "%m [%p] %q%a "),
        ("log_parameter_max_length", "0"),
        ("log_parameter_max_length_on_error", "0"),
    ] {
        writeln!(text, "{name} = '{value}'").expect("a string takes all that is written");
    }
    text
}
