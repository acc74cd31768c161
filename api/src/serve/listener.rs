//! Accepted connections, each with its bounds.

use std::{sync::Arc, time::Duration};

use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use ipnet::IpNet;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::task::TaskTracker;

use super::{
    connection::{self, Patience, Streams},
    peers::Peers,
};
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

/// What an answer may take of the memory while its reader has no room.
const SEND_BYTES_MAX: usize = 64 * 1024;

/// Bounds of the public listener.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    connections_max: usize,
    connections_per_address_max: usize,
    /// From these come many callers.
    proxies: Vec<IpNet>,
    header_read_timeout: Duration,
    patience: Patience,
}

impl Limits {
    pub(super) fn of(http: &Http) -> Self {
        Self {
            connections_max: http.connections_max,
            connections_per_address_max: http.connections_per_address_max,
            proxies: http.trusted_proxies.clone(),
            header_read_timeout: Duration::from_millis(http.header_read_timeout_ms),
            patience: Patience {
                idle: Duration::from_millis(http.idle_max_ms),
                unread: Duration::from_millis(http.unread_max_ms),
            },
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
    let connections = TaskTracker::new();
    let peers = Peers::new(limits.connections_per_address_max, limits.proxies.clone());
    let builder = Arc::new(builder(limits.patience, limits.header_read_timeout));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        if connections.len() >= limits.connections_max {
            metrics::shed("connections");
            continue;
        }
        let Some(place) = peers.enter(peer.ip()) else {
            metrics::shed("address_connections");
            continue;
        };
        without_delay(&stream);
        let serving = connection::serve(
            Arc::clone(&builder),
            TokioIo::new(stream),
            (Arc::clone(&edge), peer.ip()),
            limits.patience,
            closed.clone(),
        );
        connections.spawn(async move {
            serving.await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

fn without_delay(stream: &TcpStream) {
    // An answer is one small write: waiting for more to send would only make it late.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = %error, "could not set TCP_NODELAY");
    }
}

pub(super) fn builder(patience: Patience, header_read_timeout: Duration) -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(Streams(patience));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_read_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_send_buf_size(SEND_BYTES_MAX)
        .keep_alive_interval(header_read_timeout);
    builder
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
