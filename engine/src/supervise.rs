//! Work that runs beside the requests, for as long as the process lives.
//!
//! Keeps: no such work ends unnoticed. A panic is logged and counted under the work's name; then the
//! work begins anew, or, where the process is no use without it, whoever waits for it is told.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use tokio::time::sleep;

use crate::metrics;

/// How long work rests after a panic: what panics at once must not fill the log.
const REST: Duration = Duration::from_secs(5);

/// The work panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

/// Runs work to its end. Whatever it was about to change, it left to the locks and transactions it
/// held: those end with it.
pub async fn noticed<T>(task: &'static str, work: impl Future<Output = T>) -> Result<T, Panicked> {
    metrics::task(task);
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| {
        metrics::task_panicked(task);
        tracing::error!(task, "`{task}` panicked");
        Panicked
    })
}

/// Runs work that ends by itself, or not at all; after a panic it begins anew.
pub async fn restarted<Work: Future<Output = ()>>(
    task: &'static str,
    mut begin: impl FnMut() -> Work,
) {
    while noticed(task, begin()).await == Err(Panicked) {
        sleep(REST).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_panics_begins_anew_until_it_ends() {
        let begun = Cell::new(0);
        let work = || async {
            begun.set(begun.get() + 1);
            assert!(begun.get() > 2, "a defect");
        };
        restarted("test", work).await;
        assert_eq!(begun.get(), 3);
    }

    #[tokio::test]
    async fn panic_is_told_to_whoever_waits() {
        assert_eq!(noticed("test", async { 7 }).await, Ok(7));
        let panics = async { panic!("a defect") };
        assert_eq!(noticed::<()>("test", panics).await, Err(Panicked));
    }
}
