//! Which names exist of those that callers claim who failed too often.
//!
//! Keeps: a good key or session gets in, however often others behind the same address fail; and
//! failures, as many as there are, cost one look-up at a time, which asks for all that wait.

use std::{
    collections::HashSet,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use persistence::owned;
use tokio::sync::{Mutex as Turns, oneshot};

use crate::error::{ApiError, Code};

/// Names of one look-up.
const NAMES_AT_ONCE_MAX: usize = 1024;

type Told = oneshot::Sender<bool>;

/// The names that wait to be looked up.
#[derive(Debug)]
pub(crate) struct Screen<Name> {
    waiting: Arc<Mutex<Vec<(Name, Told)>>>,
    turn: Arc<Turns<()>>,
}

impl<Name> Default for Screen<Name> {
    fn default() -> Self {
        Self {
            waiting: Arc::default(),
            turn: Arc::default(),
        }
    }
}

impl<Name: Copy + Eq + Hash + Send + 'static> Screen<Name> {
    /// Whether there is such a name. `look_up` says which of many there are.
    pub(crate) async fn knows<LookUp, Error>(
        &self,
        name: Name,
        look_up: LookUp,
    ) -> Result<bool, ApiError>
    where
        LookUp: Fn(Vec<Name>) -> BoxFuture<'static, Result<Vec<Name>, Error>>,
        Error: Send + 'static,
    {
        let (told, mut known) = oneshot::channel();
        self.lock().push((name, told));
        let mut turn = tokio::select! {
            biased;
            known = &mut known => return known.map_err(|_| ApiError::new(Code::Overloaded)),
            turn = Arc::clone(&self.turn).lock_owned() => turn,
        };
        loop {
            match known.try_recv() {
                Ok(known) => return Ok(known),
                Err(oneshot::error::TryRecvError::Closed) => {
                    return Err(ApiError::new(Code::Overloaded));
                }
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            let asked = self.take();
            let found = look_up(asked.iter().map(|(name, _)| *name).collect());
            // Goes on with its turn if this caller hangs up: others wait for it.
            turn = owned(async move {
                if let Ok(found) = found.await {
                    let found: HashSet<_> = found.into_iter().collect();
                    for (name, told) in asked {
                        let _hung_up = told.send(found.contains(&name));
                    }
                }
                turn
            })
            .await;
        }
    }

    fn take(&self) -> Vec<(Name, Told)> {
        let mut waiting = self.lock();
        waiting.retain(|(_, told)| !told.is_closed());
        let rest = waiting.len().min(NAMES_AT_ONCE_MAX);
        waiting.drain(..rest).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Name, Told)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::{FutureExt as _, future::join_all};
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn many_names_are_asked_for_at_once() {
        let screen = Screen::default();
        let (asked, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let look_up = |names: Vec<u32>| {
            let (asked, open) = (Arc::clone(&asked), Arc::clone(&open));
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                drop(open.acquire().await);
                Ok::<_, ()>(names.into_iter().filter(|name| name % 2 == 0).collect())
            }
            .boxed()
        };
        let callers = join_all((0..1000).map(|name| screen.knows(name, look_up)));
        let begun = async {
            while asked.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
            open.add_permits(1);
        };
        let (known, ()) = tokio::join!(callers, begun);
        for (name, known) in (0..1000).zip(known) {
            assert_eq!(known, Ok(name % 2 == 0), "{name}");
        }
        assert!(asked.load(Ordering::Relaxed) <= 2);
    }

    #[tokio::test]
    async fn look_up_that_fails_says_so_to_all_it_asked_for() {
        let screen = Screen::default();
        let fails = |_: Vec<u32>| async { Err::<Vec<u32>, _>(()) }.boxed();
        let told = join_all((0..10).map(|name| screen.knows(name, fails))).await;
        for known in told {
            assert_eq!(known.unwrap_err().code(), Code::Overloaded);
        }
    }
}
