//! Small file systems that can be filled.
//!
//! Keeps: they are mounted in a name space of the rig's own, so nobody else sees them and they are
//! gone with its last process, whatever ends it.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

/// Tells the rig that it runs in a name space of its own already.
const INSIDE: &str = "CONSIGN_CRASH_INSIDE";
const FILLER: &str = "filler";

/// Whether file systems can be mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mounts {
    Possible,
    /// The kernel or the account forbids it.
    Forbidden,
}

/// A file system in memory with a size.
pub(super) struct Small {
    pub(super) path: PathBuf,
}

/// Runs this very program again in a mount name space of its own, if that is possible.
pub(super) fn enter() -> anyhow::Result<Mounts> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(Mounts::Possible);
    }
    let allowed = Command::new("unshare")
        .args(["--mount", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !allowed.is_ok_and(|status| status.success()) {
        return Ok(Mounts::Forbidden);
    }
    let failed = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--"])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec();
    Err(failed).context("entering a mount name space")
}

impl Small {
    pub(super) fn mount(path: &Path, megabytes: u64) -> anyhow::Result<Self> {
        fs::create_dir_all(path)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={megabytes}m,mode=0700"))
            .arg("tmpfs")
            .arg(path)
            .status()
            .context("running mount")?;
        ensure!(mounted.success(), "could not mount {}", path.display());
        Ok(Self {
            path: path.to_owned(),
        })
    }

    pub(super) fn unmount(self) -> anyhow::Result<()> {
        let done = Command::new("umount").arg(&self.path).status()?;
        ensure!(done.success(), "could not unmount {}", self.path.display());
        Ok(())
    }

    /// Unmounts it once its last user has gone.
    pub(super) fn abandon(self) -> anyhow::Result<()> {
        let done = Command::new("umount")
            .arg("--lazy")
            .arg(&self.path)
            .status()?;
        ensure!(done.success(), "could not unmount {}", self.path.display());
        Ok(())
    }

    /// Writes until nothing more fits.
    pub(super) fn fill(&self) -> anyhow::Result<()> {
        let mut filler = File::options()
            .create(true)
            .append(true)
            .open(self.path.join(FILLER))?;
        for block in [1 << 20, 64 << 10, 4 << 10] {
            let zeros = vec![0; block];
            loop {
                match filler.write_all(&zeros) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error).context("filling a file system"),
                }
            }
        }
        Ok(())
    }

    pub(super) fn free(&self) -> anyhow::Result<()> {
        match fs::remove_file(self.path.join(FILLER)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
