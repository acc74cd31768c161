//! A process that outlives its starter to end a cluster nobody uses any more.
//!
//! Keeps: no cluster of a test is left behind, however the test ended, and none is deleted that
//! somebody uses or that took the place of the watched one.

use std::{path::Path, process::Stdio, time::Duration};

use crate::embedded::{
    Cluster, Error,
    lock::{self, Hold},
};

const SCRIPT: &str = include_str!("watcher.sh");

impl Cluster {
    /// Has the cluster stopped and its files deleted once no process has used it for `linger` (whole
    /// seconds), even if this one is killed. For tests and rigs.
    pub fn destroy_when_unused(&self, linger: Duration) -> Result<(), Error> {
        let postmaster = self.postmaster();
        let home = &postmaster.home;
        let watching = lock::open(&home.watch_lock())?;
        if !lock::try_take(&watching, &home.watch_lock(), Hold::Alone)? {
            return Ok(());
        }
        let (linger, identity) = (linger.as_secs().to_string(), postmaster.identity()?);
        postmaster
            .account
            .command("/bin/sh")
            .args(["-c", SCRIPT, "consign-postgres-watcher"])
            .args([
                postmaster.binaries.program("pg_ctl"),
                home.data_dir(),
                home.directory.clone(),
            ])
            .args([self.socket_dir(), Path::new(&linger), Path::new(&identity)])
            .stdin(lock::open(&home.use_lock())?)
            // The lock goes with the open file: the watcher holds it from its first moment.
            .stdout(Stdio::from(watching))
            .stderr(lock::open(&home.start_lock())?)
            // Not ended by the interrupt key that ends the tests, nor with the child's handle.
            .process_group(0)
            .kill_on_drop(false)
            .spawn()
            .map(drop)
            .map_err(|source| Error::Run {
                program: "/bin/sh".to_owned(),
                source,
            })
    }
}
