//! Work that many ask for at once and that one does for all of them.
//!
//! Keeps: whoever asked waits for a round that began after that, so nothing that was there then is missing from it;
//! however many ask, one round is under way, and each waits for two of them at most.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// Rounds of one kind of work, numbered from one.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// The last one that began.
    began: AtomicU64,
    /// The last one that ended well; held by whoever is doing one.
    ended: Mutex<u64>,
}

impl Rounds {
    /// Waits for a round that begins from now on and ends well, and does it if nobody else has.
    pub(crate) async fn join<E>(
        &self,
        round: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let next = self.began.load(Ordering::SeqCst) + 1;
        let mut ended = self.ended.lock().await;
        if *ended >= next {
            return Ok(());
        }
        let number = self.began.fetch_add(1, Ordering::SeqCst) + 1;
        round.await?;
        *ended = number;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible};

    use futures_util::future::join_all;
    use tokio::{join, sync::Notify, task::yield_now};

    use super::*;

    /// Asks, and counts the rounds that were done for it.
    async fn ask(rounds: &Rounds, done: &Cell<u32>) {
        let round = async {
            yield_now().await;
            done.set(done.get() + 1);
            Ok::<_, Infallible>(())
        };
        rounds.join(round).await.unwrap();
    }

    #[tokio::test]
    async fn many_who_ask_at_once_are_served_by_two_rounds() {
        let (rounds, done) = (Rounds::default(), Cell::new(0));
        join_all((0..100).map(|_| ask(&rounds, &done))).await;
        assert_eq!(
            done.get(),
            2,
            "who came when the first was under way has the next"
        );
        ask(&rounds, &done).await;
        assert_eq!(done.get(), 3, "what came since is in no round before");
    }

    #[tokio::test]
    async fn who_comes_during_a_round_is_served_by_the_next() {
        let (rounds, done, goes_on) = (Rounds::default(), Cell::new(0), Notify::new());
        let first = rounds.join(async {
            goes_on.notified().await;
            Ok::<_, Infallible>(())
        });
        let later = async {
            let all = join_all((0..100).map(|_| ask(&rounds, &done)));
            goes_on.notify_one();
            all.await;
        };
        let (first, ()) = join!(first, later);
        first.unwrap();
        assert_eq!(done.get(), 1);
    }

    #[tokio::test]
    async fn round_that_fails_serves_nobody() {
        let (rounds, done) = (Rounds::default(), Cell::new(0));
        let failed = rounds.join(async { Err("the database is away") });
        let (failed, ()) = join!(failed, ask(&rounds, &done));
        assert!(failed.is_err());
        assert_eq!(done.get(), 1);
    }
}
