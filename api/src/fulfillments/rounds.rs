//! Work that many ask for at once and that one does for all of them.
//!
//! Keeps: whoever asked waits for a round that began after that, so nothing that was there then is missing from it;
//! however many ask, one round is under way, and each waits for two of them at most, however they end.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// Rounds of one kind of work, numbered from one.
#[derive(Debug)]
pub(crate) struct Rounds<E> {
    /// The last one that began.
    began: AtomicU64,
    /// The last one that ended, and how; held by whoever is doing one.
    ended: Mutex<(u64, Result<(), E>)>,
}

impl<E> Default for Rounds<E> {
    fn default() -> Self {
        Self {
            began: AtomicU64::new(0),
            ended: Mutex::new((0, Ok(()))),
        }
    }
}

impl<E: Clone> Rounds<E> {
    /// How a round ended that begins from now on, and does it if nobody else does. One that its caller gave up is
    /// none.
    pub(crate) async fn join(&self, round: impl Future<Output = Result<(), E>>) -> Result<(), E> {
        let next = self.began.load(Ordering::SeqCst) + 1;
        let mut ended = self.ended.lock().await;
        if ended.0 >= next {
            return ended.1.clone();
        }
        let number = self.began.fetch_add(1, Ordering::SeqCst) + 1;
        let outcome = round.await;
        *ended = (number, outcome.clone());
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible};

    use futures_util::{FutureExt as _, future::join_all};
    use tokio::{join, sync::Notify, task::yield_now};

    use super::*;

    /// Asks, and counts the rounds that were done for it.
    async fn ask(rounds: &Rounds<Infallible>, done: &Cell<u32>) {
        let round = async {
            yield_now().await;
            done.set(done.get() + 1);
            Ok(())
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
            Ok(())
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
    async fn round_that_fails_is_told_to_all_who_waited_for_it() {
        let (rounds, done) = (Rounds::default(), Cell::new(0));
        let fail = || {
            rounds.join(async {
                yield_now().await;
                done.set(done.get() + 1);
                Err("the database is away")
            })
        };
        let told = join_all((0..100).map(|_| fail())).await;
        assert!(told.iter().all(Result::is_err));
        assert_eq!(done.get(), 2, "each would have done one of its own");
        let well = rounds.join(async { Ok(()) }).await;
        assert_eq!(well, Ok(()), "what failed serves nobody who came later");
    }

    #[tokio::test]
    async fn round_that_was_given_up_serves_nobody() {
        let (rounds, done) = (Rounds::default(), Cell::new(0));
        let mut first = Box::pin(rounds.join(std::future::pending()));
        assert!(first.as_mut().now_or_never().is_none());
        drop(first);
        ask(&rounds, &done).await;
        assert_eq!(done.get(), 1);
    }
}
