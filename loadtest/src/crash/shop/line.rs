//! The line to whichever engine answers, and the record of what is said on it.
//!
//! Keeps: a call is recorded before it is sent and its answer before anything else is asked; times
//! are of one clock for all processes of a run, read after the record and before the next word.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use auditor::{Account, Answer, Answered, Call, Change, Id, Invocation, Writer};
use tokio::time::{sleep, timeout};

use super::{ask::Ask, stage::Stage};
use crate::client::Connection;

/// How long an engine that cannot be reached is left alone.
const REST: Duration = Duration::from_millis(25);

/// Nanoseconds since 1970 that never step: read once, then counted.
#[derive(Clone, Copy)]
pub(super) struct RunClock {
    start: Instant,
    at_start: u64,
}

impl RunClock {
    pub(super) fn start() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let nanos = since.unwrap_or_default().as_nanos();
        Self {
            start: Instant::now(),
            at_start: u64::try_from(nanos).unwrap_or_default(),
        }
    }

    pub(super) fn now(&self) -> u64 {
        let since = self.start.elapsed().as_nanos();
        self.at_start + u64::try_from(since).unwrap_or_default()
    }
}

/// The file of one shop.
pub(super) struct Record {
    writer: Writer,
    clock: RunClock,
    /// Clients of this shop are numbered from here: calls at the same time are different clients'.
    first: u32,
    sequence: u64,
}

/// A call that was recorded.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    client: u32,
    sequence: u64,
}

impl Record {
    pub(super) fn create(path: &Path, first: u32, clock: RunClock) -> anyhow::Result<Self> {
        Ok(Self {
            writer: Writer::create(path)?,
            clock,
            first,
            sequence: 0,
        })
    }

    /// Records a call of the shop's client with this place.
    pub(super) fn sent(&mut self, place: u32, ask: &Ask) -> anyhow::Result<Sent> {
        self.write(place, (ask.account, ask.key), ask.call.clone())
    }

    /// Records a merchant's change of its terms.
    pub(super) fn changing(&mut self, change: &Change) -> anyhow::Result<Sent> {
        self.write(0, (None, None), Call::Change(change.clone()))
    }

    fn write(
        &mut self,
        place: u32,
        (account, key): (Option<Account>, Option<Id>),
        call: Call,
    ) -> anyhow::Result<Sent> {
        self.sequence += 1;
        let (client, sequence) = (self.first + place, self.sequence);
        self.writer.sent(Invocation {
            client,
            sequence,
            sent_at: self.clock.now(),
            account,
            key,
            call,
            answered: None,
        })?;
        Ok(Sent { client, sequence })
    }

    pub(super) fn answered(&mut self, sent: Sent, at: u64, answer: Answer) -> anyhow::Result<()> {
        let answered = Answered { at, answer };
        self.writer.answered(sent.client, sent.sequence, answered)?;
        Ok(())
    }

    pub(super) fn clock(&self) -> RunClock {
        self.clock
    }
}

/// A connection that is made again, to the next engine, when it is lost.
pub(super) struct Wire {
    stage: Arc<Stage>,
    next: usize,
    connection: Option<Connection>,
}

/// What came back: status and body.
pub(super) type Heard = Option<(u16, Vec<u8>)>;

impl Wire {
    pub(super) fn new(stage: Arc<Stage>, first: usize) -> Self {
        Self {
            stage,
            next: first,
            connection: None,
        }
    }

    /// Waits until an engine takes a connection, so that a call is only recorded when it can be sent.
    /// False if none does for a while.
    pub(super) async fn ready(&mut self) -> bool {
        if self.connection.is_some() {
            return true;
        }
        for _ in 0..self.stage.engines.len() {
            let address = self.address();
            if let Ok(Ok(open)) = timeout(Duration::from_secs(1), Connection::open(address)).await {
                self.connection = Some(open);
                return true;
            }
            self.next += 1;
        }
        sleep(REST).await;
        false
    }

    /// Sends a call; none if no answer came within `patience`.
    pub(super) async fn call(&mut self, request: &str, patience: Duration) -> Heard {
        let mut connection = self.connection.take()?;
        let called = timeout(patience, connection.call(request.as_bytes())).await;
        if let Ok(Ok(answer)) = called {
            let heard = (answer.status, answer.body.to_vec());
            self.connection = Some(connection);
            return Some(heard);
        }
        // Another engine may serve by now.
        self.next += 1;
        None
    }

    /// Tries another engine at the next call: this one says that it serves nobody.
    pub(super) fn turn_away(&mut self) {
        self.connection = None;
        self.next += 1;
    }

    fn address(&self) -> SocketAddr {
        self.stage.engines[self.next % self.stage.engines.len()]
    }
}
