//! Open loop: requests leave when they are due, whether or not earlier ones were answered.
//!
//! Keeps: latency counts from the intended time, also of what had to wait for one of the bounded
//! number of connections; how often that happened is reported. The loop ends at its planned end
//! plus [`ANSWER_DEADLINE`], whatever the server does.

use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Semaphore, mpsc},
    task::LocalSet,
};

use crate::{
    answers::Answers,
    cast::{Asked, Cast, Orders},
    client::{Connection, Failure},
    recorder::Recorder,
    schedule::{Arrivals, Pace},
};

const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// The pacer sleeps at least this long: finer wake-ups would cost more than they tell.
const PACER_STEP: Duration = Duration::from_micros(200);

pub(crate) struct Open {
    pub(crate) target: SocketAddr,
    pub(crate) cast: Arc<Cast>,
    pub(crate) pace: Pace,
    pub(crate) per_second: f64,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    pub(crate) in_flight_max: usize,
    pub(crate) requests_max: u64,
    pub(crate) repeat: Repeat,
    pub(crate) run: String,
}

/// How often one order is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Never,
    /// Again after each answer, so many times.
    After(usize),
    /// So many at the same moment.
    Twins(usize),
}

#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) recorder: Recorder,
    pub(crate) answers: Option<Answers>,
    /// Requests that found all connections busy.
    pub(crate) capped: u64,
}

struct Due {
    at: Instant,
    asked: Asked,
    measured: bool,
    request: Arc<[u8]>,
}

struct Lines {
    target: SocketAddr,
    permits: Semaphore,
    in_flight_max: u32,
    idle: RefCell<Vec<Connection>>,
    outcome: RefCell<Outcome>,
    answers: RefCell<Answers>,
    repeats: usize,
}

/// Runs on a thread of its own, so that the caller may watch the server meanwhile.
pub(crate) fn run(open: Open) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, drive(open))
}

async fn drive(open: Open) -> anyhow::Result<Outcome> {
    let repeats = if let Repeat::After(times) = open.repeat {
        times
    } else {
        0
    };
    let mut idle = Vec::with_capacity(open.in_flight_max);
    for _ in 0..open.in_flight_max {
        idle.push(Connection::open(open.target).await?);
    }
    let lines = Rc::new(Lines {
        target: open.target,
        permits: Semaphore::new(open.in_flight_max),
        in_flight_max: u32::try_from(open.in_flight_max)?,
        idle: RefCell::new(idle),
        outcome: RefCell::default(),
        answers: RefCell::new(Answers::new(0, open.run.clone(), Arc::clone(&open.cast))),
        repeats,
    });
    let (sender, mut due) = mpsc::unbounded_channel();
    let pacer = std::thread::Builder::new()
        .name("pacer".to_owned())
        .spawn(move || pace(&open, &sender))?;
    while let Some(due) = due.recv().await {
        tokio::task::spawn_local(Rc::clone(&lines).ask(due));
    }
    pacer
        .join()
        .map_err(|_| anyhow::anyhow!("the pacer panicked"))?;
    let all = lines.permits.acquire_many(lines.in_flight_max);
    tokio::time::timeout(ANSWER_DEADLINE, all).await.ok();
    let mut outcome = lines.outcome.take();
    outcome.answers = Some(lines.answers.borrow_mut().take());
    Ok(outcome)
}

/// Sends each request when it is due.
fn pace(open: &Open, sender: &mpsc::UnboundedSender<Due>) {
    let whole = open.warm_up + open.measured;
    let mut orders = Orders::new(Arc::clone(&open.cast), open.run.clone(), 17, 1);
    let twins = if let Repeat::Twins(count) = open.repeat {
        count
    } else {
        1
    };
    let started = Instant::now();
    for offset in Arrivals::new(open.pace, open.per_second, whole, 17) {
        let at = started + offset;
        let wait = at.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            std::thread::sleep(wait.max(PACER_STEP));
        }
        let request: Arc<[u8]> = orders.next().into();
        let asked = orders.asked[0];
        for _ in 0..twins {
            let measured = offset >= open.warm_up;
            let due = Due {
                at,
                asked,
                measured,
                request: Arc::clone(&request),
            };
            if sender.send(due).is_err() {
                return;
            }
        }
        if orders.sent >= open.requests_max {
            return;
        }
    }
}

impl Lines {
    async fn ask(self: Rc<Self>, due: Due) {
        if self.permits.available_permits() == 0 {
            self.outcome.borrow_mut().capped += 1;
        }
        let Ok(_permit) = self.permits.acquire().await else {
            return;
        };
        let mut intended = due.at;
        for _ in 0..=self.repeats {
            if let Err(failure) = self.once(&due, intended).await {
                self.outcome.borrow_mut().recorder.failed(failure);
                return;
            }
            intended = Instant::now();
        }
    }

    async fn once(&self, due: &Due, intended: Instant) -> Result<(), Failure> {
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open(self.target)
                .await
                .map_err(|_| Failure::Connect)?,
        };
        let place = self.answers.borrow_mut().sent(&[due.asked]);
        let call = connection.call(&due.request);
        let answer = tokio::time::timeout(ANSWER_DEADLINE, call).await;
        let answer = answer.map_err(|_| Failure::Timeout)??;
        if due.measured {
            self.outcome
                .borrow_mut()
                .recorder
                .answered(&answer, 1, intended.elapsed());
        }
        self.answers.borrow_mut().answered(place, 1, &answer);
        self.idle.borrow_mut().push(connection);
        Ok(())
    }
}
