//! The account Postgres runs under: the caller's own, or `postgres` or `nobody` for root.
//!
//! Keeps: no Postgres program runs as root, and none sees the caller's `PG*` variables, locale or
//! working directory, any of which would change what it does.

use std::{
    fs::{DirBuilder, Permissions},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use super::Error;

const QUESTION_DEADLINE: Duration = Duration::from_secs(20);

/// Who runs the programs and owns the cluster's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    /// Set when we are root and must become somebody else.
    switch_to_gid: Option<u32>,
}

impl Account {
    /// The caller, or for root the first of `postgres` and `nobody` that exists.
    pub(super) async fn choose() -> Result<Self, Error> {
        let caller = id(&["-u"]).await?.ok_or(Error::NoAccount)?;
        if caller != 0 {
            return Ok(Self {
                uid: caller,
                switch_to_gid: None,
            });
        }
        for name in ["postgres", "nobody"] {
            let Some(uid) = id(&["-u", name]).await? else {
                continue;
            };
            if uid != 0 {
                return Ok(Self {
                    uid,
                    switch_to_gid: id(&["-g", name]).await?,
                });
            }
        }
        Err(Error::NoAccount)
    }

    /// True when files made by us must be given to this account.
    pub(super) fn is_other(&self) -> bool {
        self.switch_to_gid.is_some()
    }

    /// A command run by this account, in `/`, with a clean environment and no input.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .env("LC_ALL", "C")
            .kill_on_drop(true);
        for name in [
            "PGDATA",
            "PGHOST",
            "PGPORT",
            "PGUSER",
            "PGDATABASE",
            "PGOPTIONS",
            "PGTZ",
        ] {
            command.env_remove(name);
        }
        if let Some(gid) = self.switch_to_gid {
            command.uid(self.uid).gid(gid).env_remove("HOME");
        }
        command
    }

    /// Makes `path` a directory only this account may enter, or shows that it is one already.
    ///
    /// A directory in a place everybody may write to could have been put there by anybody, so its
    /// owner and mode are looked at, never repaired.
    pub(super) fn private_directory(&self, path: &Path) -> Result<(), String> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {
                if let Some(gid) = self.switch_to_gid {
                    chown(path, Some(self.uid), Some(gid))
                        .map_err(|error| format!("`{}` {error}", path.display()))?;
                }
                // A wide umask cannot widen 0700, a narrow one could take the owner's bits away.
                std::fs::set_permissions(path, Permissions::from_mode(0o700))
                    .map_err(|error| format!("`{}` {error}", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => self.owns(path),
            Err(error) => Err(format!("`{}` {error}", path.display())),
        }
    }

    fn owns(&self, path: &Path) -> Result<(), String> {
        let found = std::fs::symlink_metadata(path)
            .map_err(|error| format!("`{}` {error}", path.display()))?;
        if !found.is_dir() {
            return Err(format!("`{}` is not a directory", path.display()));
        }
        if found.uid() != self.uid {
            return Err(format!(
                "`{}` belongs to uid {}, not {}",
                path.display(),
                found.uid(),
                self.uid
            ));
        }
        if found.mode() & 0o077 != 0 {
            return Err(format!(
                "`{}` is open to others (mode {:o})",
                path.display(),
                found.mode() & 0o777
            ));
        }
        Ok(())
    }

    /// Whether this account can reach `directory` and write there. Tried, not guessed: any parent
    /// may be closed to it, by mode, by an access list or by the mount.
    pub(super) async fn can_write(&self, directory: &Path) -> Result<bool, Error> {
        let written = self.trial(": > \"$1/.trial\"", directory).await?;
        // Left there only if it was written, and then it is in nobody's way.
        let _ = std::fs::remove_file(directory.join(".trial"));
        Ok(written)
    }

    /// Whether this account can reach `directory` and read it.
    pub(super) async fn can_enter(&self, directory: &Path) -> Result<bool, Error> {
        self.trial("test -r \"$1\" && test -x \"$1\"", directory)
            .await
    }

    /// Whether this account can run the programs in `directory`.
    pub(super) async fn can_execute_in(&self, directory: &Path) -> Result<bool, Error> {
        self.trial(
            "test -x \"$1/postgres\" && test -x \"$1/initdb\" && test -x \"$1/pg_ctl\"",
            directory,
        )
        .await
    }

    async fn trial(&self, script: &str, directory: &Path) -> Result<bool, Error> {
        let mut command = self.command("/bin/sh");
        command.args(["-c", script, "sh"]).arg(directory);
        Ok(output(command, QUESTION_DEADLINE).await?.status.success())
    }
}

/// Runs a program to its end under a deadline; its failure is left to the caller.
pub(super) async fn output(mut command: Command, deadline: Duration) -> Result<Output, Error> {
    let program = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    match timeout(deadline, command.kill_on_drop(true).output()).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(source)) => Err(Error::Run { program, source }),
        Err(_) => Err(Error::Failed {
            program,
            output: format!("no end after {} s", deadline.as_secs()),
        }),
    }
}

/// Runs a program that must succeed and returns what it printed.
pub(super) async fn run(command: Command, deadline: Duration) -> Result<String, Error> {
    let program = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let output = output(command, deadline).await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(Error::Failed {
        program,
        output: words(&output),
    })
}

/// The last lines of what a program said, on one line.
pub(super) fn words(output: &Output) -> String {
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(8)..].join(" | ")
}

async fn id(arguments: &[&str]) -> Result<Option<u32>, Error> {
    let mut command = Command::new("id");
    command.args(arguments).stdin(Stdio::null());
    let output = output(command, QUESTION_DEADLINE).await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}
