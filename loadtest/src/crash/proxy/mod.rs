//! A proxy on the Postgres protocol, between the engine and the socket of the server.
//!
//! Keeps: messages pass whole and in order until a cut; only the journal's sessions are cut, and
//! everything else passes. A connection whose one end is gone loses the other.

mod cut;
mod messages;
mod pass;
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

/// Listens until it is dropped.
pub(super) struct Proxy {
    pub(super) scissors: Arc<Scissors>,
    _runtime: Runtime,
}

impl Proxy {
    /// Passes connections of `listen` on to `server`.
    pub(super) fn start(listen: &Path, server: &Path) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let inside = runtime.enter();
        let listener = UnixListener::bind(listen)
            .with_context(|| format!("listening on {}", listen.display()))?;
        let scissors = Arc::new(Scissors::default());
        runtime.spawn(accept(listener, server.to_owned(), Arc::clone(&scissors)));
        drop(inside);
        Ok(Self {
            scissors,
            _runtime: runtime,
        })
    }
}

async fn accept(listener: UnixListener, server: PathBuf, scissors: Arc<Scissors>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                tokio::spawn(pass(client, server.clone(), Arc::clone(&scissors)));
            }
            // Out of descriptors for a moment.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}
