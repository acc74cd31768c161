//! One connection, and the streams on it: how long it may be idle, and how long whoever reads an answer
//! may take nothing of it.
//!
//! Keeps: a connection on which no request is under way ends after its idle time, its time before the
//! first request included and whatever pings it sends; an answer of which nothing is taken for a while
//! is cut.

mod activity;
mod answer;
mod streams;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, net::IpAddr, pin::pin, sync::Arc, time::Duration};

pub(super) use activity::Patience;
use activity::{Activity, Exchange};
use answer::Answer;
use axum::http::Request;
use bytes::Bytes;
use hyper::{
    Version,
    body::Incoming,
    rt::{Read, Write},
    service::service_fn,
};
use hyper_util::server::conn::auto;
pub(super) use streams::Streams;
use tokio::{
    sync::watch,
    time::{sleep_until, timeout},
};

use self::streams::STREAM;
use crate::layers::edge::Edge;

/// How long the peer of an idle connection has to say that it has begun something meanwhile.
const LAST_WORDS: Duration = Duration::from_secs(1);

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
