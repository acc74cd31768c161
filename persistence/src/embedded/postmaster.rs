//! The programs at work on one data directory: `initdb`, and `pg_ctl` for start and stop.
//!
//! Keeps: a data directory is whole or absent (made under another name, then renamed), and a process
//! counts as its postmaster only when it lives, is a Postgres and says so in `postmaster.pid`.

use std::{
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    process::Command,
    time::{sleep, timeout},
};

use super::{
    Binaries, Error,
    account::{Account, output, run, words},
    conf,
    home::{Home, socket_path},
    server::SUPERUSER,
};

const INITDB_DEADLINE: Duration = Duration::from_mins(2);
/// Recovery reads back all WAL since the last checkpoint, up to `max_wal_size`.
const START_DEADLINE: Duration = Duration::from_mins(5);
const START_SECONDS: &str = "280";
const STOP_DEADLINE: Duration = Duration::from_mins(2);
const STOP_SECONDS: &str = "110";
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// How a postmaster is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Connections are cut, memory is written back.
    Fast,
    /// As in a crash: the next start recovers from the WAL.
    Immediate,
}

/// What `postmaster.pid` says about a living postmaster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) pid: u32,
    pub(super) socket_dir: PathBuf,
}

/// One data directory and the programs for it.
#[derive(Debug, Clone)]
pub(super) struct Postmaster {
    pub(super) account: Account,
    pub(super) binaries: Binaries,
    pub(super) home: Home,
}

impl Postmaster {
    /// Makes the data directory: checksums on, UTF-8, byte order for text, local connections only.
    pub(super) async fn initialize(&self) -> Result<(), Error> {
        let mut refused = None;
        for locale in ["C.UTF-8", "C"] {
            let fresh = self.home.directory.join("data-new");
            remove(&fresh)?;
            let mut command = self.account.command(self.binaries.program("initdb"));
            command
                .args([
                    "--data-checksums",
                    "-E",
                    "UTF8",
                    "--auth-local=trust",
                    "--auth-host=reject",
                ])
                .args(["-U", SUPERUSER, &format!("--locale={locale}"), "-D"])
                .arg(&fresh);
            match run(command, INITDB_DEADLINE).await {
                Ok(_) => {
                    let data_dir = self.home.data_dir();
                    return std::fs::rename(&fresh, &data_dir)
                        .map_err(Error::file("rename the new cluster to", data_dir));
                }
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.expect("the loop tries at least one locale"))
    }

    /// Starts the postmaster and waits until it takes connections.
    ///
    /// The children of a killed postmaster end a little after it and hold its memory until then, so
    /// that refusal is tried again.
    pub(super) async fn start(&self, conf: &str) -> Result<(), Error> {
        self.write_conf(conf)?;
        let starting = async {
            loop {
                let log_before = self.log_bytes();
                let output = output(self.pg_ctl_start(), START_DEADLINE).await?;
                if output.status.success() {
                    return Ok(());
                }
                let log = self.log_since(log_before);
                if !log.contains("is still in use") && !log.contains("already exists") {
                    return Err(Error::Failed {
                        program: "pg_ctl start".to_owned(),
                        output: format!("{} | {log}", words(&output)),
                    });
                }
                sleep(LOOK_AGAIN_AFTER).await;
            }
        };
        let deadline = Error::Deadline {
            what: "starting Postgres",
            seconds: START_DEADLINE.as_secs(),
            log: self.home.log_file(),
        };
        timeout(START_DEADLINE, starting)
            .await
            .unwrap_or(Err(deadline))
    }

    fn pg_ctl_start(&self) -> Command {
        let mut command = self.pg_ctl(&["start", "-w", "-t", START_SECONDS]);
        command.arg("-l").arg(self.home.log_file());
        command
    }

    /// Stops the postmaster and waits for its end.
    pub(super) async fn stop(&self, how: Stop) -> Result<(), Error> {
        run(self.stop_command(how), STOP_DEADLINE).await.map(drop)
    }

    pub(super) fn stop_command(&self, how: Stop) -> Command {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        self.pg_ctl(&["stop", "-m", mode, "-w", "-t", STOP_SECONDS])
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.account.command(self.binaries.program("pg_ctl"));
        command.args(arguments).arg("-D").arg(self.home.data_dir());
        command
    }

    /// The living postmaster of this data directory.
    ///
    /// A number left behind by a crash may since be another process's, or a dead one nobody has
    /// collected; Postgres would refuse to start over either, so the files that name it are removed.
    pub(super) async fn running(&self) -> Result<Option<Running>, Error> {
        let file = self.home.data_dir().join("postmaster.pid");
        let Some(running) = read(&file, &self.home.data_dir()) else {
            return Ok(None);
        };
        if !Path::new("/proc/self/stat").exists() {
            let status = output(self.pg_ctl(&["status"]), STOP_DEADLINE)
                .await?
                .status;
            return Ok(status.success().then_some(running));
        }
        let process = PathBuf::from(format!("/proc/{}", running.pid));
        let Ok(stat) = std::fs::read_to_string(process.join("stat")) else {
            return Ok(None);
        };
        let owner = process.metadata().map(|found| found.uid()).ok();
        if is_living_postgres(&stat) && owner == Some(self.account.uid) {
            return Ok(Some(running));
        }
        let mut socket_lock = socket_path(&running.socket_dir).into_os_string();
        socket_lock.push(".lock");
        remove(Path::new(&socket_lock))?;
        remove(&file)?;
        Ok(None)
    }

    /// The number `initdb` gave the cluster, as the first bytes of its control file, hexadecimal.
    pub(super) fn identity(&self) -> Result<String, Error> {
        let file = self.home.data_dir().join("global/pg_control");
        let control = std::fs::read(&file).map_err(Error::file("read", &file))?;
        Ok(control
            .iter()
            .take(8)
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
    }

    /// Whether the settings of the last start are these.
    pub(super) fn has_conf(&self, conf: &str) -> bool {
        std::fs::read_to_string(self.conf_file()).is_ok_and(|found| found == conf)
    }

    fn conf_file(&self) -> PathBuf {
        self.home.data_dir().join(conf::FILE)
    }

    /// Replaces the file instead of writing into it: the directory is the account's, and root must
    /// not follow a link put there.
    fn write_conf(&self, conf: &str) -> Result<(), Error> {
        let file = self.conf_file();
        remove(&file)?;
        std::fs::File::create_new(&file)
            .and_then(|mut open| open.write_all(conf.as_bytes()))
            .map_err(Error::file("write", &file))
    }

    fn log_bytes(&self) -> usize {
        std::fs::metadata(self.home.log_file()).map_or(0, |found| {
            usize::try_from(found.len()).unwrap_or(usize::MAX)
        })
    }

    /// What the server logged since the file had `start` bytes, on one line.
    fn log_since(&self, start: usize) -> String {
        let log = std::fs::read(self.home.log_file()).unwrap_or_default();
        let new = String::from_utf8_lossy(log.get(start..).unwrap_or_default()).into_owned();
        new.lines().map(str::trim).collect::<Vec<_>>().join(" | ")
    }
}

/// The major version of a data directory, if there is one.
pub(super) fn major(data_dir: &Path) -> Option<u32> {
    std::fs::read_to_string(data_dir.join("PG_VERSION"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn read(file: &Path, data_dir: &Path) -> Option<Running> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    let directory = PathBuf::from(lines.next()?.trim());
    let socket_dir = PathBuf::from(lines.nth(2)?.trim());
    (directory.canonicalize().ok()? == data_dir.canonicalize().ok()?)
        .then_some(Running { pid, socket_dir })
}

/// Whether `/proc/<pid>/stat` is that of a Postgres that has not ended.
fn is_living_postgres(stat: &str) -> bool {
    let Some((name, state)) = stat.rsplit_once(')') else {
        return false;
    };
    name.contains("(postgres") && !state.trim_start().starts_with(['Z', 'X'])
}

fn remove(path: &Path) -> Result<(), Error> {
    let Ok(found) = path.symlink_metadata() else {
        return Ok(());
    };
    let removed = if found.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    removed.map_err(Error::file("remove", path))
}

#[cfg(test)]
mod tests {
    use super::is_living_postgres;

    #[test]
    fn dead_or_strange_process_is_no_postmaster() {
        assert!(is_living_postgres("812 (postgres) S 1 812 812"));
        assert!(!is_living_postgres("812 (postgres) Z 1 812 812"));
        assert!(!is_living_postgres("812 (sh (odd) name) S 1 812 812"));
    }
}
