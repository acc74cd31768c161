//! One connection, and the streams on it: how long it may be idle, and how long whoever reads an answer
//! may take nothing of it.
//!
//! Keeps: a connection on which no request is under way ends after its idle time, its time before the
//! first request included and whatever pings it sends; an answer of which nothing is taken for a while
//! is cut, alone where the connection has others; and no more of an answer leaves its body than the
//! reader has room for, but for one piece.

use std::{
    convert::Infallible,
    net::IpAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{body::Body, http::Request};
use bytes::Bytes;
use engine::clock;
use hyper::{
    Version,
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    rt::{Executor, Read, Write},
    service::service_fn,
};
use hyper_util::{rt::TokioExecutor, server::conn::auto};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use crate::layers::edge::Edge;

/// What leaves a body at once: a reader without room holds this much of it outside.
const PIECE_BYTES_MAX: usize = 16 * 1024;
/// How long the peer of an idle connection has to say that it has begun something meanwhile.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long a connection waits for its peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Without a request under way.
    pub(super) idle: Duration,
    /// With an answer of which nothing is taken.
    pub(super) unread: Duration,
}

tokio::task_local! {
    /// Of an HTTP/2 stream, which is a task of its own.
    static STREAM: Arc<Activity>;
}

/// What happens on a connection, or on one stream of it.
#[derive(Debug)]
struct Activity {
    since: Instant,
    /// When it last changed, in milliseconds since then.
    last_ms: AtomicU64,
    under_way: AtomicUsize,
    /// The next step is the reader's: there is something to take.
    unread: AtomicBool,
}

impl Activity {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            since: clock::instant(),
            last_ms: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            unread: AtomicBool::new(false),
        })
    }

    fn begin(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    fn end(&self) {
        self.turn(false);
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// It is the reader's turn, or ours.
    fn turn(&self, readers: bool) {
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
    fn look(&self, patience: Patience) -> Instant {
        self.due(patience)
            .min(clock::instant() + patience.unread / 2)
    }

    fn over(&self, patience: Patience) -> bool {
        self.due(patience) <= clock::instant()
    }
}

/// A request under way, until its answer ended or was dropped.
struct Exchange {
    connection: Arc<Activity>,
    /// The stream it is on; over HTTP/1 the connection.
    own: Arc<Activity>,
}

impl Exchange {
    fn begin(connection: &Arc<Activity>) -> Self {
        connection.begin();
        Self {
            connection: Arc::clone(connection),
            own: Arc::clone(connection),
        }
    }

    fn on_stream(&mut self, stream: Arc<Activity>) {
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

/// The body of an answer, in pieces.
struct Answer {
    body: Body,
    /// Of a frame that was more than a piece.
    rest: Bytes,
    exchange: Exchange,
}

impl Answer {
    fn piece(&mut self, mut bytes: Bytes) -> Frame<Bytes> {
        let piece = bytes.split_to(bytes.len().min(PIECE_BYTES_MAX));
        self.rest = bytes;
        self.exchange.own.turn(true);
        Frame::data(piece)
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            return Poll::Ready(Some(Ok(self.piece(rest))));
        }
        self.exchange.own.turn(false);
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let frame = frame.map(|frame| {
            frame.map(|frame| match frame.into_data() {
                Ok(bytes) => self.piece(bytes),
                Err(trailers) => trailers,
            })
        });
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

/// Runs each HTTP/2 stream until it ends, or until its answer is not read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams(pub(super) Patience);

impl<Stream> Executor<Stream> for Streams
where
    Stream: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: Stream) {
        let (activity, patience) = (Activity::new(), self.0);
        let until_cut = until_over(stream, Arc::clone(&activity), patience);
        TokioExecutor::new().execute(STREAM.scope(activity, until_cut));
    }
}

/// Dropping a stream resets it.
async fn until_over(stream: impl Future<Output = ()>, activity: Arc<Activity>, patience: Patience) {
    let mut stream = pin!(stream);
    loop {
        tokio::select! {
            biased;
            () = &mut stream => return,
            () = sleep_until(activity.look(patience)) => {}
        }
        if activity.over(patience) {
            tracing::debug!("an answer was not read");
            return;
        }
    }
}

/// Answers what comes on a connection until it ends, is idle or stops to read, or the server closes.
pub(super) async fn serve<Io>(
    builder: Arc<auto::Builder<Streams>>,
    io: Io,
    (edge, peer): (Arc<Edge>, IpAddr),
    patience: Patience,
    mut closed: watch::Receiver<bool>,
) where
    Io: Read + Write + Unpin + Send + 'static,
{
    let activity = Activity::new();
    let exchanges = Arc::clone(&activity);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut exchange = Exchange::begin(&exchanges);
        let edge = Arc::clone(&edge);
        async move {
            if request.version() == Version::HTTP_2
                && let Ok(stream) = STREAM.try_with(Arc::clone)
            {
                exchange.on_stream(stream);
            }
            let answer = edge.answer(request, peer).await;
            exchange.own.turn(true);
            let rest = Bytes::new();
            Ok::<_, Infallible>(answer.map(|body| Answer {
                body,
                rest,
                exchange,
            }))
        }
    });
    let mut serving = pin!(builder.serve_connection(io, service));
    let mut closing = false;
    let ended = loop {
        let step = tokio::select! {
            biased;
            ended = serving.as_mut() => Step::Ended(ended),
            () = closes(&mut closed), if !closing => Step::Close,
            () = sleep_until(activity.look(patience)) => Step::Look,
        };
        match step {
            Step::Ended(ended) => break ended,
            Step::Close => {
                closing = true;
                serving.as_mut().graceful_shutdown();
            }
            Step::Look if activity.over(patience) => {
                serving.as_mut().graceful_shutdown();
                let Ok(ended) = timeout(LAST_WORDS, serving.as_mut()).await else {
                    tracing::debug!("a connection was idle, or did not read");
                    return;
                };
                break ended;
            }
            Step::Look => {}
        }
    };
    // A peer that hangs up or speaks nonsense is no failure of ours.
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection ended early");
    }
}

enum Step<Ended> {
    Ended(Ended),
    Close,
    Look,
}

async fn closes(closed: &mut watch::Receiver<bool>) {
    let _closed_or_dropped = closed.wait_for(|closed| *closed).await;
}

#[cfg(test)]
mod tests;
