//! Start and stop, in order.
//!
//! Keeps: nothing is served before the database, its settings, its schema and the root key were
//! found right; what was accepted is finished, or left for a retry to find, before the process ends.

mod admin;
mod connection;
mod installation;
mod listener;
mod merchant;
mod peers;
mod server;

use std::sync::Arc;

pub use admin::{check_config, doctor, migrate, unhalt};
pub use installation::{Halted, Installation};
pub use merchant::Merchant;
pub use server::{Server, Starting};
use tokio::{runtime::Runtime, signal::unix};

use crate::{config::Config, dev::JournalKind};

/// `consign serve`.
pub async fn serve(config: &Config, runtime: &Arc<Runtime>) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.dev.journal == JournalKind::Postgres,
        "dev.journal = \"memory\" forgets what it sells: only `consign dev` takes it"
    );
    let mut stop = Box::pin(stop_signal()?);
    let starting = async {
        let installation = Installation::open(config).await?;
        Server::start(config, installation, runtime).await
    };
    let server = tokio::select! {
        () = &mut stop => return Ok(()),
        started = Box::pin(starting) => started?,
    };
    server.run(stop).await
}

/// Ends when the process is asked to stop.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
