//! In place of `engine/src/actors/sync.rs`: the same names, with a scheduler behind every step.
//!
//! Locks, atomics, maps and the semaphore are shuttle's. The rest of what is used of tokio is written
//! here, to what its documentation promises: a wait for a notification counts from its creation, a
//! channel ends with its sender. There is no time; whatever waits under a deadline may give up at any
//! moment, by chance.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering as Order},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

pub(crate) use shuttle::sync::{
    Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use shuttle::{
    future::batch_semaphore::{BatchSemaphore, Fairness},
    rand::Rng as _,
};
pub(crate) use shuttle_dashmap::{DashMap, mapref::entry::Entry as MapEntry};
pub(crate) use std::sync::PoisonError;

/// Waits that are told by whoever changed something.
#[derive(Debug, Default)]
pub(crate) struct Notify(Mutex<VecDeque<Arc<Waiter>>>);

#[derive(Debug, Default)]
struct Waiter {
    told: AtomicBool,
    // No step of the scheduler: a waker is kept within the step of its task.
    waker: std::sync::Mutex<Option<Waker>>,
}

impl Notify {
    pub(crate) fn notified(&self) -> Notified {
        let waiter = Arc::<Waiter>::default();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(Arc::clone(&waiter));
        Notified(waiter)
    }

    pub(crate) fn notify_waiters(&self) {
        let told = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for waiter in told {
            waiter.told.store(true, Order::SeqCst);
            let waker = waiter.waker.lock();
            let waker = waker.unwrap_or_else(PoisonError::into_inner).take();
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

pub(crate) struct Notified(Arc<Waiter>);

impl Future for Notified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let waker = self.0.waker.lock();
        *waker.unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        if self.0.told.load(Order::SeqCst) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// A counting semaphore, first come first served.
pub(crate) struct Semaphore(BatchSemaphore);

/// It was closed.
#[derive(Debug)]
pub(crate) struct Closed;

pub(crate) struct SemaphorePermit<'a>(&'a Semaphore);

pub(crate) struct OwnedSemaphorePermit(Arc<Semaphore>);

impl Semaphore {
    pub(crate) fn new(permits: usize) -> Self {
        Self(BatchSemaphore::new(permits, Fairness::StrictlyFair))
    }

    pub(crate) fn available_permits(&self) -> usize {
        self.0.available_permits()
    }

    pub(crate) fn close(&self) {
        self.0.close();
    }

    pub(crate) async fn acquire(&self) -> Result<SemaphorePermit<'_>, Closed> {
        self.0.acquire(1).await.map_err(|_| Closed)?;
        Ok(SemaphorePermit(self))
    }

    pub(crate) async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, Closed> {
        self.0.acquire(1).await.map_err(|_| Closed)?;
        Ok(OwnedSemaphorePermit(self))
    }

    pub(crate) fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, Closed> {
        self.0.try_acquire(1).map_err(|_| Closed)?;
        Ok(OwnedSemaphorePermit(self))
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.0.0.release(1);
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        self.0.0.release(1);
    }
}

pub(crate) mod watch {
    //! A channel of which only its end is waited for.

    use std::{marker::PhantomData, sync::Arc};

    use super::{AtomicUsize, Closed, Notify, Ordering};

    #[derive(Default)]
    struct End {
        ended: AtomicUsize,
        told: Notify,
    }

    pub(crate) struct Sender<T>(Arc<End>, PhantomData<T>);

    pub(crate) struct Receiver<T>(Arc<End>, PhantomData<T>);

    pub(crate) fn channel<T>(_: T) -> (Sender<T>, Receiver<T>) {
        let end = Arc::<End>::default();
        (
            Sender(Arc::clone(&end), PhantomData),
            Receiver(end, PhantomData),
        )
    }

    impl<T> Clone for Receiver<T> {
        fn clone(&self) -> Self {
            Self(Arc::clone(&self.0), PhantomData)
        }
    }

    impl<T> Receiver<T> {
        /// Nothing is ever sent: this is the end.
        pub(crate) async fn changed(&mut self) -> Result<(), Closed> {
            loop {
                let told = self.0.told.notified();
                if self.0.ended.load(Ordering::SeqCst) > 0 {
                    return Err(Closed);
                }
                told.await;
            }
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            self.0.ended.store(1, Ordering::SeqCst);
            self.0.told.notify_waiters();
        }
    }
}

/// It took too long.
#[derive(Debug)]
pub(crate) struct Elapsed;

/// Waits for a future that is dropped, by chance, at one of the moments at which it has to wait.
pub(crate) async fn timeout<T>(_: Duration, future: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
        Poll::Pending if shuttle::rand::thread_rng().gen_ratio(1, 16) => Poll::Ready(Err(Elapsed)),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Tasks that somebody waits for at the end.
#[derive(Clone, Default)]
pub(crate) struct TaskTracker(Arc<Mutex<Vec<shuttle::future::JoinHandle<()>>>>);

impl TaskTracker {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = shuttle::future::spawn(task);
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push(task);
    }

    /// Returns once all of them have ended.
    pub(crate) async fn ended(&self) {
        loop {
            let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match next {
                Some(task) => task.await.expect("a task ends well"),
                None => return,
            }
        }
    }
}
