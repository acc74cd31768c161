//! A proxy on the Postgres protocol, between the engine and the socket of the server.
//!
//! Keeps: messages pass whole and in order until a cut; only the journal's sessions are cut, and
//! everything else passes. A connection whose one end is gone loses the other.

mod cut;
mod messages;
mod pass;
mod route;
mod statements;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use tokio::{net::UnixListener, runtime::Runtime, time::sleep};

pub(super) use cut::{Cut, Scissors};

use pass::pass;
use route::Route;

/// Listens until it is dropped.
pub(super) struct Proxy {
    pub(super) scissors: Arc<Scissors>,
    route: Arc<Route>,
    _runtime: Runtime,
}

impl Proxy {
    /// Passes connections of `listen` on to `server`.
    pub(super) fn start(listen: &Path, server: PathBuf) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let inside = runtime.enter();
        let listener = UnixListener::bind(listen)
            .with_context(|| format!("listening on {}", listen.display()))?;
        let scissors = Arc::new(Scissors::default());
        let route = Arc::new(Route::to(server));
        runtime.spawn(accept(listener, Arc::clone(&route), Arc::clone(&scissors)));
        drop(inside);
        Ok(Self {
            scissors,
            route,
            _runtime: runtime,
        })
    }

    /// Connections that are opened from now on reach this server.
    pub(super) fn lead_to(&self, server: PathBuf) {
        self.route.lead_to(server);
    }

    /// Whose connections stay open while nothing passes on them; once nobody's are, they are closed.
    pub(super) fn cut_off(&self, process: Option<u32>) {
        self.route.cut_off(process);
    }

    /// Whether only sessions of the journal may be opened.
    pub(super) fn journal_only(&self, only: bool) {
        self.route.journal_only(only);
    }
}

async fn accept(listener: UnixListener, route: Arc<Route>, scissors: Arc<Scissors>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                tokio::spawn(pass(client, Arc::clone(&route), Arc::clone(&scissors)));
            }
            // Out of descriptors for a moment.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}
