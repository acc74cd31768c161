//! The state directory, held by one development server at a time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use anyhow::{Context as _, bail};

use super::file::DemoFile;

const LOCK: &str = "dev.lock";

/// Makes the directory and holds it for as long as the value lives. The kernel lets go of it when a
/// process is killed.
pub(super) fn open(state_dir: &Path) -> anyhow::Result<File> {
    std::fs::create_dir_all(state_dir)
        .with_context(|| format!("making the state directory `{}`", state_dir.display()))?;
    let path = state_dir.join(LOCK);
    let opening = || format!("opening `{}`", path.display());
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let lock = lock.with_context(opening)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!(
            "another `consign dev` uses `{}`: stop it, or choose another directory with \
             CONSIGN_DEV__STATE_DIR",
            state_dir.display()
        ),
        Err(TryLockError::Error(error)) => return Err(error).with_context(opening),
    }
    DemoFile::remove(state_dir)?;
    Ok(lock)
}
