//! File locks between processes that share a state directory.
//!
//! Keeps: one process at a time starts or stops a cluster, and nobody stops one that another still
//! uses. The kernel releases the locks of a killed process, so none is ever stale.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::Error;

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);
const LOCK_DEADLINE: Duration = Duration::from_mins(6);

/// How a lock is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hold {
    /// Alone: to start or stop.
    Alone,
    /// Together with others: to use.
    Shared,
}

/// Opens a lock file without taking it.
pub(super) fn open(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(Error::file("open", path))
}

/// Takes the lock if nobody is in the way. Blocks on nothing.
pub(super) fn try_take(file: &File, path: &Path, hold: Hold) -> Result<bool, Error> {
    let taken = match hold {
        Hold::Alone => file.try_lock(),
        Hold::Shared => file.try_lock_shared(),
    };
    match taken {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(Error::file("lock", path)(source)),
    }
}

/// Waits for the lock under a deadline.
///
/// Looks again and again instead of blocking a thread: a blocked one could not be given up, and
/// would keep the runtime from ending.
pub(super) async fn take(file: &File, path: &Path, hold: Hold) -> Result<(), Error> {
    let waiting = async {
        while !try_take(file, path, hold)? {
            sleep(LOOK_AGAIN_AFTER).await;
        }
        Ok(())
    };
    timeout(LOCK_DEADLINE, waiting).await.unwrap_or_else(|_| {
        Err(Error::Deadline {
            what: "waiting for another process to start or stop the same cluster",
            seconds: LOCK_DEADLINE.as_secs(),
            log: path.to_owned(),
        })
    })
}
