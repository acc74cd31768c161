//! `loadtest`: load generator, peers to compare with, and the auditor of what they leave behind.
//!
//! Keeps: it speaks HTTP to what it measures and imports none of its crates; SQL is spoken by the
//! peers and the reader of final rows only; loopback and unix sockets are the only targets.

mod answers;
mod auditor;
mod cast;
mod client;
mod compare;
mod crash;
mod load;
mod open;
mod peer;
mod recorder;
mod report;
mod scenarios;
mod schedule;
mod target;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

/// The allocator of the engine's release binary, for its peers too.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One scenario, open loop, against a running `consign dev`.
    Run(scenarios::Run),
    /// One scenario, open loop, against a server of its own.
    Load(scenarios::Load),
    /// Engine and peers by turns; writes docs/performance/.
    Compare(Box<compare::Arguments>),
    /// The built binary under faults, audited: see docs/TESTING.md.
    Crash(Box<crash::Arguments>),
    /// A process of shops, started by `crash`.
    #[command(hide = true)]
    Shops(crash::Shops),
    /// A peer to compare with.
    #[command(subcommand)]
    Peer(peer::Command),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Run(run) => scenarios::run(&run),
        Command::Load(load) => scenarios::load(&load),
        Command::Compare(arguments) => compare::run(*arguments),
        Command::Crash(arguments) => crash::run(*arguments),
        Command::Shops(shops) => crash::run_shops(&shops),
        Command::Peer(command) => peer::run(command),
    }
}
