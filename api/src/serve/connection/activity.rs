//! What happens on a connection, and how long it may stay as it is.
//!
//! Keeps: only requests count, whatever else a peer sends; the reader's turn is told from ours, so that
//! nobody is cut for what we are slow with.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use engine::clock;
use tokio::time::Instant;

/// How long a connection waits for its peer.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct Patience {
    /// Without a request under way.
    pub(in crate::serve) idle: Duration,
    /// With an answer of which nothing is taken.
    pub(in crate::serve) unread: Duration,
}

/// What happens on a connection, or on one stream of it.
#[derive(Debug)]
pub(super) struct Activity {
    since: Instant,
    /// When it last changed, in milliseconds since then.
    last_ms: AtomicU64,
    under_way: AtomicUsize,
    /// The next step is the reader's: there is something to take.
    unread: AtomicBool,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            since: clock::instant(),
            last_ms: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            unread: AtomicBool::new(false),
        })
    }

    pub(super) fn begin(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.turn(false);
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// It is the reader's turn, or ours.
    pub(super) fn turn(&self, readers: bool) {
        let passed = (clock::instant() - self.since).as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        self.last_ms.store(passed, Ordering::Relaxed);
        self.unread.store(readers, Ordering::Relaxed);
    }

    /// When it is over, unless something happens.
    fn due(&self, patience: Patience) -> Instant {
        let last = self.since + Duration::from_millis(self.last_ms.load(Ordering::Relaxed));
        let idle = self.under_way.load(Ordering::Relaxed) == 0;
        match (idle, self.unread.load(Ordering::Relaxed)) {
            (true, _) => last + patience.idle,
            (false, true) => last + patience.unread,
            (false, false) => clock::instant() + patience.unread,
        }
    }

    /// When to look at it, wherever it stands: what begins meanwhile may be over before what it was due
    /// for.
    pub(super) fn look(&self, patience: Patience) -> Instant {
        self.due(patience)
            .min(clock::instant() + patience.unread / 2)
    }

    pub(super) fn over(&self, patience: Patience) -> bool {
        self.due(patience) <= clock::instant()
    }
}

/// A request under way, until its answer ended or was dropped.
pub(super) struct Exchange {
    connection: Arc<Activity>,
    /// The stream it is on; over HTTP/1 the connection.
    pub(super) own: Arc<Activity>,
}

impl Exchange {
    pub(super) fn begin(connection: &Arc<Activity>) -> Self {
        connection.begin();
        Self {
            connection: Arc::clone(connection),
            own: Arc::clone(connection),
        }
    }

    pub(super) fn on_stream(&mut self, stream: Arc<Activity>) {
        stream.begin();
        self.own = stream;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !Arc::ptr_eq(&self.own, &self.connection) {
            self.own.end();
        }
        self.connection.end();
    }
}
