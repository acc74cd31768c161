//! Commands that call a running Consign over HTTP: import serials, credit a balance, look after keys.
//!
//! Keeps: they use the public contract and a merchant's key like anybody else, and may be run again
//! after they were cut off.

mod connection;
mod credit;
mod import;
mod keys;
mod uploads;

use std::io::Write as _;

pub use connection::Target;
pub use credit::Credit;
pub use import::Import;
pub use keys::Keys;

/// Writes one line to standard output.
fn say(line: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    #[derive(Parser)]
    enum Commands {
        Import(super::Import),
        Credit(super::Credit),
        Keys(super::Keys),
    }

    #[test]
    fn arguments_do_not_contradict_each_other() {
        Commands::command().debug_assert();
    }
}
