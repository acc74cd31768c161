//! Closed loop: N connections, each sends its next request as soon as the last one is answered.
//!
//! Keeps: all workers live on one thread, so the generator never takes more than one core and its
//! cost can be read from the process; connections are open before the first request; whatever the
//! server does, the loop ends within [`GRACE`] of being told to.

use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use tokio::{sync::oneshot, task::LocalSet};

use crate::{
    answers::Answers,
    cast::{Cast, Orders},
    client::{Connection, Failure},
    recorder::{Class, Recorder, classify},
};

const GRACE: Duration = Duration::from_secs(12);
const MEASURING: u8 = 1;
const STOPPING: u8 = 2;

pub(crate) struct Load {
    pub(crate) target: SocketAddr,
    pub(crate) cast: Arc<Cast>,
    pub(crate) connections: usize,
    /// Orders in a request; above 1 the bulk endpoint is called.
    pub(crate) rows: usize,
    /// First part of all order ids of this run.
    pub(crate) run: String,
}

pub(crate) struct Finished {
    pub(crate) recorder: Recorder,
    pub(crate) answers: Vec<Answers>,
}

pub(crate) struct Running {
    thread: JoinHandle<anyhow::Result<Finished>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Zero while warming up.
    phase: AtomicU8,
    delivered: AtomicU64,
}

impl Load {
    /// Returns once every connection is open and the first requests are under way.
    pub(crate) async fn start(self) -> anyhow::Result<Running> {
        let shared = Arc::new(Shared::default());
        let (opened, ready) = oneshot::channel();
        let thread = std::thread::Builder::new().name("load".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                LocalSet::new().block_on(&runtime, drive(self, shared, opened))
            }
        })?;
        ready
            .await
            .context("the generator could not open its connections")?;
        Ok(Running { thread, shared })
    }
}

impl Running {
    /// Orders delivered so far, warm-up included.
    pub(crate) fn delivered(&self) -> u64 {
        self.shared.delivered.load(Ordering::Relaxed)
    }

    pub(crate) fn measure(&self) {
        self.shared.phase.store(MEASURING, Ordering::Relaxed);
    }

    pub(crate) fn finish(self) -> anyhow::Result<Finished> {
        self.shared.phase.store(STOPPING, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| anyhow!("the generator panicked"))?
    }
}

struct Worker {
    connection: Connection,
    target: SocketAddr,
    orders: Orders,
    shared: Arc<Shared>,
    recorder: Rc<RefCell<Recorder>>,
    answers: Rc<RefCell<Vec<Answers>>>,
    rows: u64,
}

async fn drive(
    load: Load,
    shared: Arc<Shared>,
    opened: oneshot::Sender<()>,
) -> anyhow::Result<Finished> {
    let recorder = Rc::new(RefCell::new(Recorder::default()));
    let answers = Rc::new(RefCell::new(Vec::new()));
    let mut workers = Vec::with_capacity(load.connections);
    for (number, seed) in (0..load.connections).zip(1_u64..) {
        let prefix = format!("{}-{number}", load.run);
        let kept = Answers::new(
            u32::try_from(number)?,
            prefix.clone(),
            Arc::clone(&load.cast),
        );
        answers.borrow_mut().push(kept);
        workers.push(Worker {
            connection: Connection::open(load.target).await?,
            target: load.target,
            orders: Orders::new(Arc::clone(&load.cast), prefix, seed, load.rows),
            shared: Arc::clone(&shared),
            recorder: Rc::clone(&recorder),
            answers: Rc::clone(&answers),
            rows: u64::try_from(load.rows)?,
        });
    }
    let tasks: Vec<_> = workers
        .into_iter()
        .enumerate()
        .map(|(number, worker)| tokio::task::spawn_local(worker.work(number)))
        .collect();
    opened.send(()).ok();
    while shared.phase.load(Ordering::Relaxed) != STOPPING {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let all = futures_util::future::join_all(tasks);
    if tokio::time::timeout(GRACE, all).await.is_err() {
        recorder.borrow_mut().failed(Failure::Timeout);
    }
    let (recorder, answers) = (recorder.take(), answers.take());
    Ok(Finished { recorder, answers })
}

impl Worker {
    async fn work(mut self, number: usize) {
        loop {
            let phase = self.shared.phase.load(Ordering::Relaxed);
            if phase == STOPPING {
                return;
            }
            let started = Instant::now();
            self.orders.next();
            let first = self.answers.borrow_mut()[number].sent(&self.orders.asked);
            let outcome = self.connection.call(self.orders.request()).await;
            let took = started.elapsed();
            let measured = self.shared.phase.load(Ordering::Relaxed) == MEASURING;
            let delivered = match outcome {
                Ok(answer) => {
                    if measured {
                        self.recorder
                            .borrow_mut()
                            .answered(&answer, self.rows, took);
                    }
                    let rows = self.orders.asked.len();
                    self.answers.borrow_mut()[number].answered(first, rows, &answer);
                    classify(&answer, self.rows) == Class::Delivered
                }
                Err(failure) => {
                    self.recorder.borrow_mut().failed(failure);
                    if !self.reconnect().await {
                        return;
                    }
                    false
                }
            };
            if delivered {
                self.shared
                    .delivered
                    .fetch_add(self.rows, Ordering::Relaxed);
            }
        }
    }

    async fn reconnect(&mut self) -> bool {
        // A server that is gone must not be hammered by every worker at once.
        tokio::time::sleep(Duration::from_millis(100)).await;
        match Connection::open(self.target).await {
            Ok(connection) => self.connection = connection,
            Err(_) => self.recorder.borrow_mut().failed(Failure::Connect),
        }
        self.shared.phase.load(Ordering::Relaxed) != STOPPING
    }
}
