//! As whom Postgres runs: it refuses root.
//!
//! Keeps: without the right to become somebody else everything runs as the caller.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::Path,
    process::Command,
};

use anyhow::Context as _;

use super::process::bound_to_us;

#[derive(Clone, Copy, Debug)]
pub(super) enum Account {
    /// The caller's own.
    Own,
    /// One that root becomes.
    Other { user: u32, group: u32 },
}

impl Account {
    pub(super) fn choose() -> anyhow::Result<Self> {
        let own = fs::metadata("/proc/self").context("no /proc here")?.uid();
        if own != 0 {
            return Ok(Self::Own);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("reading the accounts")?;
        let named = |name: &str| accounts.lines().find_map(|line| entry(line, name));
        let (user, group) = named("postgres")
            .or_else(|| named("nobody"))
            .context("Postgres refuses root, and there is neither `postgres` nor `nobody`")?;
        Ok(Self::Other { user, group })
    }

    /// A command that runs as this account and does not outlive the rig.
    pub(super) fn command(self, program: &Path) -> Command {
        let Self::Other { user, group } = self else {
            return bound_to_us(program);
        };
        let mut command = Command::new("setpriv");
        command
            .args([
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".to_owned(),
            ])
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program);
        command
    }

    /// Makes a directory that this account may write.
    pub(super) fn directory(self, path: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
        self.own(path)
    }

    pub(super) fn own(self, path: &Path) -> anyhow::Result<()> {
        if let Self::Other { user, group } = self {
            chown(path, Some(user), Some(group))
                .with_context(|| format!("giving {} away", path.display()))?;
        }
        Ok(())
    }
}

/// User and group of a line of the list of accounts, if it is `name`'s.
fn entry(line: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    (fields.next()? == name).then_some(())?;
    let user = fields.nth(1)?.parse().ok()?;
    Some((user, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_is_found_by_its_whole_name() {
        let line = "postgres:x:104:106:,,,:/var/lib/postgresql:/bin/bash";
        assert_eq!(entry(line, "postgres"), Some((104, 106)));
        assert_eq!(entry(line, "post"), None);
    }
}
