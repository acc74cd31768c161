//! `consign`: reads the command line and the settings, and does one thing.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use api::{cli, config::Config, dev, docs::openapi, logging, serve};
use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sell digital goods through resellers: one binary, one Postgres.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Settings file; see `consign check-config`.
    #[arg(long, global = true, env = "CONSIGN_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Server(ServerCommand),
    /// Show the HTTP contract of this version, as `OpenAPI` 3.1.
    Openapi,
    Import(cli::Import),
    Credit(cli::Credit),
    Keys(cli::Keys),
}

/// Commands that read the settings of a server.
#[derive(Subcommand)]
enum ServerCommand {
    Dev(dev::Dev),
    /// Answer shops and merchants.
    Serve,
    /// Bring the schema of the database up to this version.
    Migrate,
    /// Show the settings that are in force, without secrets.
    CheckConfig,
    /// Show whether the database and the root key are as they must be.
    Doctor,
    Merchant(serve::Merchant),
    /// Let a shard be served again that halted, after you have found out why.
    Unhalt,
}

/// Ends a process that must not be started again before an operator has looked.
const HALTED: u8 = 3;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            if error.is::<serve::Halted>() {
                ExitCode::from(HALTED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = Arc::new(Builder::new_multi_thread().enable_all().build()?);
    let done = runtime.block_on(Box::pin(command(arguments, &runtime)));
    drop(runtime);
    done
}

async fn command(arguments: Arguments, runtime: &Arc<Runtime>) -> anyhow::Result<()> {
    let command = match arguments.command {
        Command::Server(command) => command,
        Command::Openapi => return show(openapi::text()),
        Command::Import(import) => return import.run().await,
        Command::Credit(credit) => return credit.run().await,
        Command::Keys(keys) => return keys.run().await,
    };
    let config = Config::load(arguments.config.as_deref())?;
    logging::init(&config.log)?;
    match command {
        ServerCommand::Dev(dev) => Box::pin(dev.run(&config, runtime)).await,
        ServerCommand::Serve => serve::serve(&config, runtime).await,
        ServerCommand::Migrate => serve::migrate(&config).await,
        ServerCommand::CheckConfig => serve::check_config(&config),
        ServerCommand::Doctor => serve::doctor(&config).await,
        ServerCommand::Merchant(merchant) => Box::pin(merchant.run(&config)).await,
        ServerCommand::Unhalt => serve::unhalt(&config).await,
    }
}

fn show(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;

    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

/// Says on standard error why it failed, also before logging was started.
fn complain(error: &anyhow::Error) {
    use std::io::Write as _;

    let _nobody_reads = writeln!(std::io::stderr().lock(), "consign: {error:#}");
}
