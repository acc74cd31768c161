//! A long answer that ends in time, whether or not anybody reads it.
//!
//! Keeps: what an answer holds while it lasts, a place among few and a moment of the database, is given back when
//! its time is over, however slowly it is read; an answer that was not told whole ends in an error, never as if
//! it were whole.

use std::{
    collections::HashSet,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use engine::ids::RelationshipId;
use futures_util::{Stream, StreamExt as _, stream};
use persistence::Error;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Lines that wait to be read.
const LINES_WAITING: usize = 64;

/// Relationships of which an export is under way, and the word that ends them all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exporting {
    all: Arc<Mutex<HashSet<RelationshipId>>>,
    over: CancellationToken,
}

/// One that is; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay {
    all: Exporting,
    id: RelationshipId,
}

impl UnderWay {
    fn over(&self) -> CancellationToken {
        self.all.over.clone()
    }
}

impl Exporting {
    /// None if one is under way already.
    pub(crate) fn begin(&self, id: RelationshipId) -> Option<UnderWay> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id).then(|| UnderWay {
            all: self.clone(),
            id,
        })
    }

    /// Breaks all of them off: the process ends.
    pub(crate) fn close(&self) {
        self.over.cancel();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut all = self.all.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.id);
    }
}

/// The same lines, told by a task of their own that ends in time; what it holds, ends with it.
pub(super) fn in_time(
    tasks: &TaskTracker,
    lines: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    (under_way, held): (UnderWay, impl Send + 'static),
    lasts: Duration,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(LINES_WAITING);
    let whole = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&whole);
    tasks.spawn(async move {
        let over = under_way.over();
        let telling = over.run_until_cancelled(tell(lines, &sender));
        let all = timeout(lasts, telling).await.ok().flatten();
        if all.is_none() {
            tracing::warn!("broke off an export that was not read in time");
        }
        told.store(all.is_some(), Ordering::Release);
        drop((under_way, held));
    });
    stream::unfold(Some(receiver), move |receiver| {
        let whole = Arc::clone(&whole);
        async move {
            let mut receiver = receiver?;
            if let Some(line) = receiver.recv().await {
                return Some((line, Some(receiver)));
            }
            let broken = Error::Unavailable {
                reason: "it was not read in time".to_owned(),
            };
            (!whole.load(Ordering::Acquire)).then_some((Err(broken), None))
        }
    })
}

/// Until the end, the first error, or until nobody reads any more.
async fn tell(
    lines: impl Stream<Item = Result<Bytes, Error>>,
    sender: &mpsc::Sender<Result<Bytes, Error>>,
) {
    let mut lines = pin!(lines);
    while let Some(line) = lines.next().await {
        let failed = line.is_err();
        if sender.send(line).await.is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::*;

    fn lines(count: usize) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::iter((0..count).map(|_| Ok(Bytes::from_static(b"line\n"))))
    }

    /// Something held, and a way to see whether it still is.
    fn held() -> (Arc<()>, Weak<()>) {
        let held = Arc::new(());
        let seen = Arc::downgrade(&held);
        (held, seen)
    }

    fn under_way() -> UnderWay {
        let id = RelationshipId::from_uuid(uuid::Uuid::nil());
        Exporting::default().begin(id).expect("the first")
    }

    const LASTS: Duration = Duration::from_mins(2);

    #[tokio::test(start_paused = true)]
    async fn answer_that_nobody_reads_gives_back_what_it_holds_and_is_not_whole() {
        let tasks = TaskTracker::new();
        let (held, seen) = held();
        let answer = in_time(
            &tasks,
            lines(10 * LINES_WAITING),
            (under_way(), held),
            LASTS,
        );
        assert!(seen.upgrade().is_some());
        tasks.close();
        // Time passes by itself where nothing else can happen.
        tasks.wait().await;
        assert!(seen.upgrade().is_none());
        let read: Vec<_> = answer.collect().await;
        assert_eq!(read.len(), LINES_WAITING + 1);
        assert!(read.last().unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn answer_that_is_read_is_whole() {
        let tasks = TaskTracker::new();
        let (held, seen) = held();
        let answer = in_time(
            &tasks,
            lines(10 * LINES_WAITING),
            (under_way(), held),
            LASTS,
        );
        let read: Vec<_> = answer.collect().await;
        assert_eq!(read.len(), 10 * LINES_WAITING);
        assert!(read.iter().all(Result::is_ok));
        tasks.close();
        tasks.wait().await;
        assert!(seen.upgrade().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn process_that_ends_waits_for_no_reader() {
        let (tasks, all) = (TaskTracker::new(), Exporting::default());
        let id = RelationshipId::from_uuid(uuid::Uuid::nil());
        let under_way = all.begin(id).expect("the first");
        let began = engine::clock::instant();
        let answer = in_time(&tasks, lines(10 * LINES_WAITING), (under_way, ()), LASTS);
        all.close();
        tasks.close();
        tasks.wait().await;
        assert!(began.elapsed() < LASTS);
        let read: Vec<_> = answer.collect().await;
        assert!(read.last().unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn error_on_the_way_is_the_end() {
        let tasks = TaskTracker::new();
        let failure = Err(Error::Inconsistent { what: "a row" });
        let failing = lines(2).chain(stream::iter([failure])).chain(lines(2));
        let answer = in_time(&tasks, failing, (under_way(), ()), LASTS);
        let read: Vec<_> = answer.collect().await;
        assert_eq!(read.len(), 3);
        assert!(read[2].is_err());
    }

    #[test]
    fn one_export_of_a_relationship_is_under_way() {
        let all = Exporting::default();
        let id = RelationshipId::from_uuid(uuid::Uuid::nil());
        let first = all.begin(id);
        assert!(first.is_some() && all.begin(id).is_none());
        drop(first);
        assert!(all.begin(id).is_some());
    }
}
