//! What is done to the system, by name, and in which order.
//!
//! Keeps: the seed and the number of cycles decide the acts and their order; each act says what it
//! counts as.

use std::fmt;

use crate::{
    crash::{postgres::Backend, proxy::Cut},
    schedule::Dice,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crash) enum Act {
    EngineKilled,
    /// While a commit of its is on the way, which never arrives.
    EngineKilledAtCommit,
    /// Another engine waits already.
    EngineKilledBesideWaiting,
    /// And once more while it starts.
    EngineKilledTwice,
    EngineFrozen,
    /// Until another one has taken over; then it wakes.
    EngineFrozenAndReplaced,
    /// From Postgres, until another one has taken over; then it finds out.
    EngineCutOffAndReplaced,
    SecondEngine,
    RollingRestart,
    SessionTerminated(Backend),
    SessionKilled(Backend),
    CommitsCancelled,
    PostgresStopped,
    PostgresKilled,
    /// At the same moment as its engine.
    PostgresAndEngineKilled,
    ProtocolCut(Cut),
    TablesFull,
    LogFull,
    /// While every commit waits for it.
    StandbyAway,
    /// While every commit waits for it, but nobody for what it shows.
    StandbyLate,
    FailedOver,
    /// With commits whose wait for the standby was cancelled before.
    FailedOverAfterCancelledWaits,
    /// To one that lacks what was acknowledged.
    FailedOverBehind,
}

/// The figures of docs/TESTING.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(in crate::crash) enum Figure {
    EngineKills,
    PostgresCrashes,
    ProtocolCuts,
    SecondOwnersAndFreezes,
    DiskFullEpisodes,
    SessionsEnded,
    RollingRestarts,
    StandbysAway,
    Failovers,
    FailoversBehind,
}

impl Act {
    /// What it adds to.
    pub(in crate::crash) fn figures(self) -> &'static [(Figure, u64)] {
        match self {
            Self::EngineKilled | Self::EngineKilledAtCommit | Self::EngineKilledBesideWaiting => {
                &[(Figure::EngineKills, 1)]
            }
            Self::EngineKilledTwice | Self::StandbyLate => &[(Figure::EngineKills, 2)],
            Self::EngineFrozen
            | Self::EngineFrozenAndReplaced
            | Self::EngineCutOffAndReplaced
            | Self::SecondEngine => &[(Figure::SecondOwnersAndFreezes, 1)],
            Self::RollingRestart => &[(Figure::RollingRestarts, 1)],
            Self::SessionTerminated(_) | Self::CommitsCancelled => &[(Figure::SessionsEnded, 1)],
            Self::SessionKilled(_) | Self::PostgresStopped | Self::PostgresKilled => {
                &[(Figure::PostgresCrashes, 1)]
            }
            Self::PostgresAndEngineKilled => {
                &[(Figure::PostgresCrashes, 1), (Figure::EngineKills, 1)]
            }
            Self::ProtocolCut(_) => &[(Figure::ProtocolCuts, 1)],
            Self::TablesFull => &[(Figure::DiskFullEpisodes, 1)],
            Self::LogFull => &[(Figure::DiskFullEpisodes, 1), (Figure::PostgresCrashes, 1)],
            Self::StandbyAway => &[(Figure::StandbysAway, 1)],
            Self::FailedOver => &[(Figure::Failovers, 1)],
            Self::FailedOverAfterCancelledWaits => {
                &[(Figure::Failovers, 1), (Figure::StandbysAway, 1)]
            }
            Self::FailedOverBehind => &[(Figure::FailoversBehind, 1), (Figure::PostgresCrashes, 1)],
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backend = |which: &Backend| match which {
            Backend::Writer => "writer",
            Backend::Reader => "reader",
            Backend::Owner => "owner",
        };
        match self {
            Self::EngineKilled => formatter.write_str("engine killed"),
            Self::EngineKilledAtCommit => formatter.write_str("engine killed at a commit"),
            Self::EngineKilledBesideWaiting => {
                formatter.write_str("engine killed, the next one waiting")
            }
            Self::EngineKilledTwice => formatter.write_str("engine killed, and while it starts"),
            Self::EngineFrozen => formatter.write_str("engine frozen"),
            Self::EngineFrozenAndReplaced => formatter.write_str("engine frozen and replaced"),
            Self::EngineCutOffAndReplaced => formatter.write_str("engine cut off and replaced"),
            Self::SecondEngine => formatter.write_str("second engine started"),
            Self::RollingRestart => formatter.write_str("rolling restart"),
            Self::SessionTerminated(which) => write!(formatter, "{} terminated", backend(which)),
            Self::SessionKilled(which) => write!(formatter, "{} killed", backend(which)),
            Self::CommitsCancelled => formatter.write_str("commits cancelled"),
            Self::PostgresStopped => formatter.write_str("Postgres stopped at once"),
            Self::PostgresKilled => formatter.write_str("Postgres killed"),
            Self::PostgresAndEngineKilled => formatter.write_str("Postgres and engine killed"),
            Self::ProtocolCut(cut) => fmt::Display::fmt(cut, formatter),
            Self::TablesFull => formatter.write_str("disk of the tables full"),
            Self::LogFull => formatter.write_str("disk of the log full"),
            Self::StandbyAway => formatter.write_str("standby away"),
            Self::StandbyLate => formatter.write_str("standby shows late, engine killed twice"),
            Self::FailedOver => formatter.write_str("failed over to the standby"),
            Self::FailedOverAfterCancelledWaits => {
                formatter.write_str("waits for the standby cancelled, then failed over")
            }
            Self::FailedOverBehind => {
                formatter.write_str("failed over to a standby that fell behind")
            }
        }
    }
}

/// The acts of one cycle, shuffled.
pub(in crate::crash) fn cycle(number: usize, dice: &mut Dice) -> Vec<Act> {
    let backends = [Backend::Writer, Backend::Reader, Backend::Owner];
    let turn = |shift: usize| backends[(number + shift) % backends.len()];
    let mut acts = vec![
        Act::EngineKilled,
        Act::EngineKilled,
        Act::EngineKilled,
        Act::EngineKilled,
        Act::EngineKilledAtCommit,
        Act::EngineKilledAtCommit,
        Act::EngineKilledBesideWaiting,
        Act::EngineKilledBesideWaiting,
        Act::EngineKilledTwice,
        Act::PostgresAndEngineKilled,
        Act::PostgresAndEngineKilled,
        Act::PostgresStopped,
        Act::PostgresKilled,
        Act::SessionKilled(turn(0)),
        Act::SessionTerminated(turn(1)),
        Act::SessionTerminated(turn(2)),
        Act::CommitsCancelled,
        Act::EngineFrozenAndReplaced,
        Act::EngineCutOffAndReplaced,
        Act::RollingRestart,
        if number.is_multiple_of(2) {
            Act::SecondEngine
        } else {
            Act::EngineFrozen
        },
        if number % 3 == 2 {
            Act::LogFull
        } else {
            Act::TablesFull
        },
    ];
    let cuts = Cut::every().into_iter();
    acts.extend(cuts.map(|cut| Act::ProtocolCut(cut.rolled(dice))));
    for place in (1..acts.len()).rev() {
        acts.swap(place, dice.below(place + 1));
    }
    // Last, and together: the first three share a standby, and all others have their Postgres alone.
    acts.extend([
        Act::StandbyLate,
        Act::StandbyAway,
        Act::FailedOver,
        Act::FailedOverAfterCancelledWaits,
        Act::FailedOverBehind,
    ]);
    acts
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn one_cycle_has_what_a_push_must_show() {
        let mut figures = BTreeMap::new();
        for act in cycle(0, &mut Dice::new(1)) {
            for (figure, count) in act.figures() {
                *figures.entry(*figure).or_insert(0) += count;
            }
        }
        let wanted = [
            (Figure::EngineKills, 10),
            (Figure::PostgresCrashes, 5),
            (Figure::ProtocolCuts, Cut::every().len() as u64),
            (Figure::SecondOwnersAndFreezes, 2),
            (Figure::DiskFullEpisodes, 1),
            (Figure::StandbysAway, 2),
            (Figure::Failovers, 2),
            (Figure::FailoversBehind, 1),
        ];
        for (figure, least) in wanted {
            assert!(figures[&figure] >= least, "{figure:?}: {figures:?}");
        }
    }

    #[test]
    fn thirty_cycles_reach_every_act() {
        let mut dice = Dice::new(7);
        let names: BTreeSet<String> = (0..30)
            .flat_map(|number| cycle(number, &mut dice))
            .map(|act| act.to_string())
            .collect();
        for cut in Cut::every() {
            assert!(names.contains(&cut.to_string()), "{cut}");
        }
        for name in ["disk of the log full", "engine frozen", "owner killed"] {
            assert!(names.contains(name), "{name}");
        }
    }
}
