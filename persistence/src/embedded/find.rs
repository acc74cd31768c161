//! Where the programs are: the named directory, `PATH`, the system's and Homebrew's places, the cache.
//!
//! Keeps: a directory counts only when it holds `postgres`, `initdb` and `pg_ctl`, the account can
//! run them, and `postgres --version` says a version the schema is written for.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Error, Fetch, Options,
    account::{Account, run},
    fetch,
};

/// The oldest major version the schema is written for.
const OLDEST: u32 = 15;

const VERSION_DEADLINE: Duration = Duration::from_secs(20);

/// A directory of Postgres programs that run here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// Holds `postgres`, `initdb` and `pg_ctl`.
    pub directory: PathBuf,
    /// The major version.
    pub major: u32,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// The programs to use: those the caller named, else the first found, and among those found the
/// first whose major version fits an existing cluster.
pub(super) async fn find(
    options: &Options,
    account: &Account,
    cluster_major: Option<u32>,
) -> Result<Binaries, Error> {
    if let Some(directory) = &options.binaries_dir {
        return examine(directory, account)
            .await
            .map_err(|reason| Error::NamedBinaries {
                directory: directory.clone(),
                reason,
            });
    }
    let mut found = Vec::new();
    let mut rejected = Vec::new();
    for directory in places(options, account) {
        match examine(&directory, account).await {
            Ok(binaries) => found.push(binaries),
            Err(reason) => rejected.push(format!("`{}` {reason}", directory.display())),
        }
    }
    let fitting = found
        .iter()
        .position(|binaries| Some(binaries.major) == cluster_major);
    if !found.is_empty() {
        return Ok(found.swap_remove(fitting.unwrap_or(0)));
    }
    fetched(options, account, rejected).await
}

async fn fetched(
    options: &Options,
    account: &Account,
    mut rejected: Vec<String>,
) -> Result<Binaries, Error> {
    if options.fetch == Fetch::Allowed {
        match fetch::fetch(&options.cache_dir, account).await {
            Ok(directory) => match examine(&directory, account).await {
                Ok(binaries) => return Ok(binaries),
                Err(reason) => rejected.push(format!("`{}` {reason}", directory.display())),
            },
            Err(error) => rejected.push(error.to_string()),
        }
    }
    Err(Error::NoBinaries {
        oldest: OLDEST,
        reason: if rejected.is_empty() {
            "none found".to_owned()
        } else {
            rejected.join("; ")
        },
        install: install_line(),
    })
}

fn install_line() -> &'static str {
    if cfg!(target_os = "macos") {
        "brew install postgresql@17"
    } else {
        "apt-get install postgresql"
    }
}

/// Directories that hold a program `postgres`, in the order of preference, each once.
fn places(options: &Options, account: &Account) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.extend(newest_first(Path::new("/usr/lib/postgresql")));
    for cellar in [
        "/opt/homebrew/opt",
        "/usr/local/opt",
        "/home/linuxbrew/.linuxbrew/opt",
    ] {
        places.extend(newest_first(Path::new(cellar)));
    }
    places.extend(fetch::cached(&options.cache_dir, account));
    let mut seen = BTreeSet::new();
    places
        .iter()
        .filter_map(|place| {
            // Programs in PATH are often links into a version's own directory, which has them all.
            place
                .join("postgres")
                .canonicalize()
                .ok()?
                .parent()
                .map(Path::to_owned)
        })
        .filter(|place| seen.insert(place.clone()))
        .collect()
}

/// `<parent>/15/bin`, `<parent>/postgresql@17/bin` and the like, newest first.
fn newest_first(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let version = name
                .strip_prefix("postgresql@")
                .unwrap_or(&name)
                .parse()
                .ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by(|left, right| right.cmp(left));
    versions.into_iter().map(|(_, path)| path).collect()
}

/// The programs of one directory, or why they do not count.
async fn examine(directory: &Path, account: &Account) -> Result<Binaries, String> {
    if !account
        .can_execute_in(directory)
        .await
        .map_err(|error| error.to_string())?
    {
        return Err(
            "does not hold postgres, initdb and pg_ctl for the account that runs them".to_owned(),
        );
    }
    let mut command = account.command(directory.join("postgres"));
    command.arg("--version");
    let said = run(command, VERSION_DEADLINE)
        .await
        .map_err(|error| error.to_string())?;
    let major = major(&said).ok_or_else(|| format!("says `{said}` for its version"))?;
    if major < OLDEST {
        return Err(format!("is version {major}, older than {OLDEST}"));
    }
    Ok(Binaries {
        directory: directory.to_owned(),
        major,
    })
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian ...)`.
fn major(said: &str) -> Option<u32> {
    let version = said.split(' ').nth(2)?;
    let digits = version
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(version.len());
    version[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn major_version_is_read_from_every_form_of_release() {
        for (said, expected) in [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",
                Some(15),
            ),
            ("postgres (PostgreSQL) 18.4", Some(18)),
            ("postgres (PostgreSQL) 19beta1", Some(19)),
            ("postgres (PostgreSQL) devel", None),
            ("not found", None),
        ] {
            assert_eq!(major(said), expected, "{said}");
        }
    }
}
