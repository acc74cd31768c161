//! Connections over memory, under a paused clock: when each is cut, and what is not.

use axum::{Router, routing::get};
use engine::{clock, random::SeededRandom};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    task::JoinHandle,
    time::Instant,
};

use super::*;
use crate::{layers::edge::Settings, serve::listener};

const IDLE: Duration = Duration::from_mins(1);
const UNREAD: Duration = Duration::from_secs(10);
const LARGE_BYTES: usize = 4 * 1024 * 1024;

struct Served {
    ended: JoinHandle<()>,
    began: Instant,
    close: watch::Sender<bool>,
}

impl Served {
    fn start() -> (Self, DuplexStream) {
        let router = Router::new()
            .route("/small", get(async || "all"))
            .route("/large", get(async || vec![7; LARGE_BYTES]));
        let settings = Settings {
            origin: "https://consign.example".to_owned(),
            trusted_proxies: Vec::new(),
            in_flight_max: 8,
        };
        let edge = Arc::new(Edge::new(router, settings, &SeededRandom::new(1)));
        let patience = Patience {
            idle: IDLE,
            unread: UNREAD,
        };
        let builder = Arc::new(listener::builder(patience, IDLE * 10));
        let (client, server) = duplex(16 * 1024);
        let (close, closed) = watch::channel(false);
        let peer = "192.0.2.1".parse().unwrap();
        let serving = serve(
            builder,
            TokioIo::new(server),
            (edge, peer),
            patience,
            closed,
        );
        let served = Self {
            ended: spawned(serving),
            began: clock::instant(),
            close,
        };
        (served, client)
    }

    /// How long it went on.
    async fn lasted(self) -> Duration {
        self.ended.await.unwrap();
        clock::instant() - self.began
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own, awaited by it")]
fn spawned(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(work)
}

/// Whether it ended at this time, or within the last words after it.
fn at(expected: Duration, lasted: Duration) -> bool {
    (expected..=expected + LAST_WORDS + Duration::from_millis(10)).contains(&lasted)
}

#[tokio::test(start_paused = true)]
async fn connection_that_sends_nothing_ends() {
    let (served, _silent) = Served::start();
    assert!(at(IDLE, served.lasted().await));
}

#[tokio::test(start_paused = true)]
async fn connection_that_trickles_a_head_ends() {
    let (served, mut client) = Served::start();
    let trickle = spawned(async move {
        for byte in b"GET /small HTTP/1.1\r\nhost: consign.example\r\nx-a: "
            .iter()
            .cycle()
        {
            if client.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    });
    assert!(at(IDLE, served.lasted().await));
    trickle.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn idle_time_begins_anew_with_each_answer() {
    let (served, mut client) = Served::start();
    for _ in 0..3 {
        tokio::time::sleep(IDLE / 2).await;
        client
            .write_all(b"GET /small HTTP/1.1\r\nhost: consign.example\r\n\r\n")
            .await
            .unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"all") {
            assert!(client.read_buf(&mut read).await.unwrap() > 0);
        }
    }
    assert!(at(IDLE * 5 / 2, served.lasted().await));
}

#[tokio::test(start_paused = true)]
async fn pings_do_not_keep_a_connection() {
    let (served, client) = Served::start();
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(hyper_util::rt::TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(5))
        .keep_alive_while_idle(true);
    let (sender, pinging) = builder
        .handshake::<_, Empty<Bytes>>(TokioIo::new(client))
        .await
        .unwrap();
    let pinging = spawned(async move { pinging.await.unwrap_or_default() });
    assert!(at(IDLE, served.lasted().await));
    pinging.await.unwrap();
    drop(sender);
}

#[tokio::test(start_paused = true)]
async fn reader_that_takes_nothing_is_cut() {
    let (served, mut client) = Served::start();
    client
        .write_all(b"GET /large HTTP/1.1\r\nhost: consign.example\r\n\r\n")
        .await
        .unwrap();
    let lasted = served.lasted().await;
    assert!((UNREAD..=UNREAD * 3 / 2 + LAST_WORDS).contains(&lasted));
}

#[tokio::test(start_paused = true)]
async fn slow_reader_that_goes_on_gets_all() {
    let (served, mut client) = Served::start();
    client
        .write_all(b"GET /large HTTP/1.1\r\nhost: consign.example\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let (mut read, mut piece) = (0, vec![0; 64 * 1024]);
    loop {
        tokio::time::sleep(UNREAD / 2).await;
        match client.read(&mut piece).await.unwrap() {
            0 => break,
            bytes => read += bytes,
        }
    }
    assert!(read > LARGE_BYTES);
    served.ended.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn stream_that_is_not_read_is_cut_alone() {
    let (served, client) = Served::start();
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .handshake::<_, Empty<Bytes>>(TokioIo::new(client))
        .await
        .unwrap();
    let connection = spawned(async move { connection.await.unwrap_or_default() });
    let request = |path: &str| {
        let request = Request::get(format!("http://consign.example{path}"));
        request.body(Empty::<Bytes>::new()).unwrap()
    };
    let unread = sender.send_request(request("/large")).await.unwrap();
    for _ in 0..4 {
        tokio::time::sleep(UNREAD / 2).await;
        let read = sender.send_request(request("/small")).await.unwrap();
        assert_eq!(read.into_body().collect().await.unwrap().to_bytes(), "all");
    }
    assert!(unread.into_body().collect().await.is_err());
    drop(sender);
    served.ended.await.unwrap();
    connection.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn idle_connections_end_when_the_server_closes() {
    let (served, _silent) = Served::start();
    served.close.send_replace(true);
    assert!(served.lasted().await < Duration::from_secs(1));
}
