//! What Consign is compared with: honest servers on the same stack, and Postgres alone.
//!
//! Keeps: a peer stores the same facts under the same uniqueness rules, seals and opens the same
//! secrets and answers the same JSON. A peer that does less is not a peer; where one does less all
//! the same (no outbox row, shorter tables), it is to the peer's advantage and written down.

mod echo;
mod fulfillment;
pub(crate) mod pool;
mod procedure;
pub(crate) mod raw;
pub(crate) mod seed;
mod server;
mod transaction;
mod vault;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use tokio::net::TcpListener;

use crate::report::say;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create and fill a peer's database.
    Seed(Seed),
    /// One transaction for each request.
    Transaction(Serve),
    /// One call of a stored procedure for each request.
    Procedure(Serve),
    /// A bare JSON echo: what the HTTP stack alone takes.
    Echo(Listen),
    /// Postgres alone, without a server: the engine's rows, batch after batch, for a few seconds.
    Raw(Raw),
}

#[derive(Args)]
pub(crate) struct Raw {
    #[arg(long)]
    database_url: String,
    #[arg(long, default_value = "migrations")]
    migrations: PathBuf,
    #[arg(long, value_delimiter = ',', default_value = "100,256,512")]
    batches: Vec<usize>,
    #[arg(long, default_value_t = 3)]
    seconds: u64,
}

#[derive(Args)]
pub(crate) struct Listen {
    #[arg(long, default_value = "127.0.0.1:8091")]
    listen: SocketAddr,
}

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    listen: Listen,
    #[arg(long)]
    database_url: String,
    #[arg(long)]
    database: String,
    #[arg(long, default_value_t = 16)]
    pool: u32,
}

#[derive(Args)]
pub(crate) struct Seed {
    #[arg(long)]
    database_url: String,
    #[arg(long)]
    database: String,
    /// Where to write the cast: keys and products for the generator.
    #[arg(long)]
    cast: PathBuf,
    #[command(flatten)]
    size: seed::Size,
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(dispatch(command))
}

async fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Seed(seed) => {
            let cast = seed::create(&seed.database_url, &seed.database, &seed.size).await?;
            std::fs::write(&seed.cast, serde_json::to_vec(&cast)?)
                .with_context(|| format!("writing {}", seed.cast.display()))
        }
        Command::Transaction(serve) => {
            let pool = pool::open(&serve.database_url, &serve.database, serve.pool).await?;
            let shop = server::Shop::load(pool.clone(), server::Way::Transaction).await?;
            listen(&serve.listen, server::router(shop)).await
        }
        Command::Procedure(serve) => {
            let pool = pool::open(&serve.database_url, &serve.database, serve.pool).await?;
            let shop = server::Shop::load(pool.clone(), server::Way::Procedure).await?;
            listen(&serve.listen, server::router(shop)).await
        }
        Command::Echo(serve) => listen(&serve, echo::router()).await,
        Command::Raw(raw) => write_alone(&raw).await,
    }
}

async fn write_alone(raw: &Raw) -> anyhow::Result<()> {
    let mut writer = raw::Writer::create(&raw.database_url, &raw.migrations).await?;
    for &size in &raw.batches {
        let (rows, took) = writer.write(size, Duration::from_secs(raw.seconds)).await?;
        let micros = took.as_micros() / u128::from(rows.max(1));
        say(&format!(
            "batches of {size}: {rows} rows in {took:.1?}, {micros} µs each"
        ));
    }
    Ok(())
}

async fn listen(arguments: &Listen, router: axum::Router) -> anyhow::Result<()> {
    use axum::serve::ListenerExt as _;

    ensure!(
        arguments.listen.ip().is_loopback(),
        "a peer listens on loopback only"
    );
    let listener = TcpListener::bind(arguments.listen).await?.tap_io(|stream| {
        // Without it an answer may wait for an acknowledgement; refused on no platform we run on.
        stream.set_nodelay(true).ok();
    });
    say(&format!("listening on {}", arguments.listen));
    axum::serve(listener, router).await?;
    Ok(())
}
