//! Accepted connections, each with its bounds.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::task::TaskTracker;

use crate::{config::Http, layers::edge::Edge, metrics, routes::ops::Ops};

/// How long accepting rests when the process is out of file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(50);
const HEADERS_MAX: usize = 100;
/// Requests under way on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;
/// Resets by a peer that wait to be taken in, before the connection is closed.
const RESETS_MAX: usize = 20;
/// What one connection may buffer of a head.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Bounds of the public listener.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    connections_max: usize,
    header_read_timeout: Duration,
}

impl Limits {
    pub(super) fn of(http: &Http) -> Self {
        Self {
            connections_max: http.connections_max,
            header_read_timeout: Duration::from_millis(http.header_read_timeout_ms),
        }
    }
}

/// Accepts until the server closes, then lets requests under way end.
pub(super) async fn serve(
    listener: TcpListener,
    edge: Arc<Edge>,
    limits: Limits,
    mut closed: watch::Receiver<bool>,
) {
    let (connections, graceful) = (TaskTracker::new(), GracefulShutdown::new());
    let builder = Arc::new(builder(limits));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Err(error) => {
                tracing::warn!(error = %error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_REST).await;
            }
            Ok(_) if connections.len() >= limits.connections_max => metrics::shed("connections"),
            Ok((stream, peer)) => {
                let connection = connection(&builder, stream, peer, &edge, &graceful);
                connections.spawn(connection);
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

fn builder(limits: Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .keep_alive_interval(limits.header_read_timeout);
    builder
}

fn connection(
    builder: &Arc<auto::Builder<TokioExecutor>>,
    stream: TcpStream,
    peer: SocketAddr,
    edge: &Arc<Edge>,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + 'static {
    // An answer is one small write: waiting for more to send would only make it late.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = %error, "could not set TCP_NODELAY");
    }
    let edge = Arc::clone(edge);
    let service = service_fn(move |request: Request<Incoming>| {
        let edge = Arc::clone(&edge);
        async move { Ok::<_, Infallible>(edge.answer(request, peer.ip()).await) }
    });
    let serving = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let serving = graceful.watch(serving);
    async move {
        // A peer that hangs up or speaks nonsense is no failure of ours.
        if let Err(error) = serving.await {
            tracing::debug!(error = %error, "a connection ended early");
        }
    }
}

/// The operators' listener: a few requests a minute, by people and monitors.
pub(super) async fn serve_ops(listener: TcpListener, ops: Ops, mut closed: watch::Receiver<bool>) {
    let stop = async move {
        let _closed_or_dropped = closed.wait_for(|closed| *closed).await;
    };
    let served = axum::serve(listener, ops.into_router())
        .with_graceful_shutdown(stop)
        .await;
    if let Err(error) = served {
        tracing::error!(error = %error, "the operators' listener failed");
    }
}
