//! What a reader of the runs sees.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program's output"
)]

use crate::tally::{Call, Kind, Sometimes, Tally};

pub(crate) fn say(line: &str) {
    println!("{line}");
}

pub(crate) fn complain(line: &str) {
    eprintln!("{line}");
}

/// The counts of all runs.
pub(crate) fn summary(tally: &Tally) {
    say("\nkinds of faults, by how often they struck");
    for kind in Kind::ALL {
        say(&format!("{:>12}  {}", tally.strikes(*kind), kind.name()));
    }
    say("\nstates that must be reached sometimes, by how often they were");
    for state in Sometimes::ALL {
        say(&format!("{:>12}  {}", tally.visits(*state), state.name()));
    }
    say("\ncalls that were open when their process died, by how often");
    for call in Call::ALL {
        say(&format!("{:>12}  {}", tally.deaths(*call), call.name()));
    }
}
