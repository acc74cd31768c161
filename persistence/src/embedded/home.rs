//! Where a cluster's files and its socket lie.
//!
//! Keeps: the account that runs Postgres owns and reaches both directories, nobody else enters
//! them, a second start finds the same ones, and the socket's path fits the 107 bytes the kernel has
//! for it.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{Error, account::Account};

/// The port is part of the socket's file name; nothing listens on TCP.
pub(super) const PORT: u16 = 5432;

const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Survives a restart of the machine, unlike `/tmp`.
const LASTING_TEMPORARY: &str = "/var/tmp";

/// The directories of one cluster.
#[derive(Debug, Clone)]
pub(super) struct Home {
    state_dir: PathBuf,
    /// Belongs to the account; holds the data directory and the log.
    pub(super) directory: PathBuf,
}

impl Home {
    /// The home recorded for `state_dir`, or the first place the account can use: the state
    /// directory itself, else a directory of its own in the lasting temporary directory.
    pub(super) async fn settle(state_dir: &Path, account: &Account) -> Result<Self, Error> {
        std::fs::create_dir_all(state_dir).map_err(Error::file("create", state_dir))?;
        let state_dir = state_dir
            .canonicalize()
            .map_err(Error::file("resolve", state_dir))?;
        let inside = state_dir.join("postgres");
        let outside = Path::new(LASTING_TEMPORARY).join(format!("consign-{}", digest(&state_dir)));
        let mut reasons = Vec::new();
        for directory in [inside, outside] {
            match usable(&directory, account).await? {
                Ok(()) => {
                    let home = Self {
                        state_dir,
                        directory,
                    };
                    home.record()?;
                    return Ok(home);
                }
                Err(reason) => reasons.push(reason),
            }
        }
        Err(Error::NoPlace {
            purpose: "the cluster's files",
            reason: reasons.join("; "),
        })
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.directory.join("postgres.log")
    }

    /// Taken alone by whoever starts or stops the cluster.
    pub(super) fn start_lock(&self) -> PathBuf {
        self.state_dir.join("postgres.start.lock")
    }

    /// Shared by whoever uses the cluster.
    pub(super) fn use_lock(&self) -> PathBuf {
        self.state_dir.join("postgres.use.lock")
    }

    /// Taken alone by the watcher of a test cluster.
    pub(super) fn watch_lock(&self) -> PathBuf {
        self.state_dir.join("postgres.watch.lock")
    }

    /// A directory for the socket, named after the state directory.
    pub(super) async fn socket_dir(&self, account: &Account) -> Result<PathBuf, Error> {
        let name = format!("consign-{}", digest(&self.state_dir));
        // Root's runtime directory is closed to the account, and a login's to other logins.
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| !account.is_other());
        let parents = [
            runtime.map(PathBuf::from),
            Some(std::env::temp_dir()),
            Some(PathBuf::from("/tmp")),
        ];
        let mut reasons = Vec::new();
        for parent in parents
            .into_iter()
            .flatten()
            .filter(|parent| parent.is_absolute())
        {
            let directory = parent.join(&name);
            let bytes = socket_path(&directory).as_os_str().len();
            if bytes > SOCKET_PATH_BYTES_MAX {
                reasons.push(format!(
                    "`{}` makes a path of {bytes} bytes",
                    parent.display()
                ));
                continue;
            }
            match usable(&directory, account).await? {
                Ok(()) => return Ok(directory),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(Error::NoPlace {
            purpose: "the socket",
            reason: reasons.join("; "),
        })
    }

    /// Moves a data directory this version cannot read out of the way and says where to.
    pub(super) fn set_aside(&self, major: u32) -> Result<PathBuf, Error> {
        let mut free = (1_u32..)
            .map(|count| self.directory.join(format!("data-of-{major}-{count}")))
            .filter(|path| !path.exists());
        let aside = free.next().expect("counting finds a free name");
        std::fs::rename(self.data_dir(), &aside).map_err(Error::file("move aside to", &aside))?;
        Ok(aside)
    }

    /// Tells whoever looks into the state directory how to connect.
    pub(super) fn record_url(&self, url: &str) -> Result<(), Error> {
        self.note("postgres.url", url.as_bytes())
    }

    /// Tells whoever looks into the state directory where the files are.
    fn record(&self) -> Result<(), Error> {
        self.note("postgres.home", self.directory.as_os_str().as_bytes())
    }

    fn note(&self, name: &str, text: &[u8]) -> Result<(), Error> {
        let note = self.state_dir.join(name);
        if std::fs::read(&note).is_ok_and(|found| found == text) {
            return Ok(());
        }
        std::fs::write(&note, text).map_err(Error::file("write", &note))
    }
}

/// The socket's file in its directory.
pub(super) fn socket_path(directory: &Path) -> PathBuf {
    directory.join(format!(".s.PGSQL.{PORT}"))
}

async fn usable(directory: &Path, account: &Account) -> Result<Result<(), String>, Error> {
    if let Err(reason) = account.private_directory(directory) {
        return Ok(Err(reason));
    }
    if account.can_write(directory).await? {
        return Ok(Ok(()));
    }
    // Empty if it was made just now; a directory with files in it stays.
    let _ = std::fs::remove_dir(directory);
    Ok(Err(format!(
        "the account that runs Postgres cannot reach `{}`",
        directory.display()
    )))
}

/// Twelve hexadecimal digits that stand for a path.
fn digest(path: &Path) -> String {
    let digest = Sha256::digest(OsStr::as_bytes(path.as_os_str()));
    digest
        .iter()
        .take(6)
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{digest, socket_path};

    #[test]
    fn socket_path_is_short_and_the_same_for_the_same_state_directory() {
        let deep = format!("/home/{}", "directory/".repeat(40));
        let name = format!("/run/user/1000/consign-{}", digest(Path::new(&deep)));
        assert_eq!(
            name,
            format!("/run/user/1000/consign-{}", digest(Path::new(&deep)))
        );
        assert_ne!(digest(Path::new(&deep)), digest(Path::new("/home")));
        assert_eq!(socket_path(Path::new(&name)).as_os_str().len(), 49);
    }
}
