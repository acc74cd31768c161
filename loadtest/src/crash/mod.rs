//! `loadtest crash`: the built binary with a real Postgres, killed, cut, frozen, doubled, starved.
//!
//! Keeps: one seed decides what is asked and what is broken; clients speak HTTP only and write down
//! every word; after everything is healed and every unanswered call was sent again, the independent
//! auditor reads their histories and the final rows. Everything runs on this machine, everything
//! started is ended, and a run that fails keeps its directory and says how to repeat it.

mod account;
mod cast;
mod crowd;
mod disk;
mod engine;
mod ground;
mod nemesis;
mod postgres;
mod process;
mod proxy;
mod rest;
mod run;
mod shop;
mod standby;
mod summary;
mod verdict;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};

pub(crate) use shop::{Shops, run as run_shops};

use run::Run;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Decides what is asked and what is broken; by default another one each time.
    #[arg(long)]
    seed: Option<u64>,
    /// How often the whole list of acts is gone through.
    #[arg(long, default_value_t = 1)]
    cycles: usize,
    /// Only acts whose name contains this: to look at one kind of failure.
    #[arg(long)]
    only: Option<String>,
    /// Shops that buy at the same time.
    #[arg(long, default_value_t = 32)]
    shops: u32,
    /// Lanes of the engine.
    #[arg(long, default_value_t = 2)]
    lanes: u16,
    /// No act begins later than so many minutes after the first one.
    #[arg(long, default_value_t = 90)]
    minutes: u64,
    /// The binary to break; by default the one beside this binary.
    #[arg(long)]
    consign: Option<PathBuf>,
    /// Where the programs of Postgres are; by default the newest that is installed.
    #[arg(long, env = "CONSIGN_POSTGRES_BIN")]
    postgres_bin: Option<PathBuf>,
    /// A directory for this run, which must not exist.
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Where the summary is written, as JSON.
    #[arg(long)]
    summary: Option<PathBuf>,
}

pub(crate) fn run(mut arguments: Arguments) -> anyhow::Result<()> {
    let seed = arguments.seed.unwrap_or_else(any_seed);
    let mounts = disk::enter()?;
    let program = match arguments.consign.take() {
        Some(program) => program,
        None => std::env::current_exe()?.with_file_name("consign"),
    };
    let program = program
        .canonicalize()
        .with_context(|| format!("`{}` is not there", program.display()))?;
    let directory = arguments.directory.take();
    let directory =
        directory.unwrap_or_else(|| std::env::temp_dir().join(format!("consign-crash-{seed}")));
    let run = Run {
        arguments,
        seed,
        program,
        directory,
        mounts,
    };
    let finished = run.whole();
    match &finished {
        Ok(summary) if summary.good() => {
            fs::remove_dir_all(&run.directory).ok();
            Ok(())
        }
        Ok(_) => bail!("the auditor found the run false; {}", run.repeat()),
        Err(error) => bail!("{error:#}; {}", run.repeat()),
    }
}

/// Different each time, and short enough to type.
fn any_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    now.unwrap_or_default().as_secs() % 100_000_000
}
