//! What is cut, and when.
//!
//! Keeps: one cut is armed at a time and happens at most once; whoever armed it learns whether it did.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::schedule::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crash) enum Way {
    ToServer,
    ToClient,
}

/// What happens when the chosen message comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crash) enum How {
    /// Both ends lose the connection, and the message with it.
    Before,
    /// The message still arrives, then both ends lose the connection.
    After,
    /// The message and all after it vanish; both ends keep an open connection.
    Swallow,
    /// The client loses the connection at once; the message reaches the server later.
    Late(Duration),
    /// The server is made to send what it has of an answer before its commit; then both ends lose the
    /// connection, so that there is no commit.
    Flush,
}

/// A cut at the `skip`th message of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crash) struct Cut {
    pub(in crate::crash) way: Way,
    pub(in crate::crash) kind: u8,
    pub(in crate::crash) how: How,
    pub(in crate::crash) skip: u32,
    /// Only messages of a statement that commits a batch: of another it would break nothing.
    pub(in crate::crash) of_commit: bool,
}

/// Kinds a client of prepared statements sends.
const TO_SERVER: [(u8, &str); 4] = [
    (b'P', "Parse"),
    (b'B', "Bind"),
    (b'E', "Execute"),
    (b'S', "Sync"),
];
/// Kinds that answer them.
const TO_CLIENT: [(u8, &str); 5] = [
    (b'1', "ParseComplete"),
    (b'2', "BindComplete"),
    (b'D', "DataRow"),
    (b'C', "CommandComplete"),
    (b'Z', "ReadyForQuery"),
];

impl Cut {
    /// All cuts there are to choose from, in a fixed order: turning it round reaches each of them.
    pub(in crate::crash) fn every() -> Vec<Self> {
        let both = [(Way::ToServer, &TO_SERVER[..]), (Way::ToClient, &TO_CLIENT)];
        let mut all = Vec::new();
        for (way, kinds) in both {
            for &(kind, _) in kinds {
                for how in [How::Before, How::After] {
                    all.push(Self {
                        way,
                        kind,
                        how,
                        skip: 0,
                        of_commit: false,
                    });
                }
            }
        }
        for (way, kind) in [(Way::ToServer, b'S'), (Way::ToClient, b'C')] {
            let how = How::Swallow;
            all.push(Self {
                way,
                kind,
                how,
                skip: 0,
                of_commit: false,
            });
        }
        for how in [How::Late(Duration::ZERO), How::Flush] {
            all.push(Self {
                way: Way::ToServer,
                kind: b'S',
                how,
                skip: 0,
                of_commit: true,
            });
        }
        all
    }

    /// The same at a message and after a delay that the dice choose.
    pub(in crate::crash) fn rolled(self, dice: &mut Dice) -> Self {
        let skip = u32::try_from(dice.below(24)).expect("a small number");
        let how = match self.how {
            How::Late(_) => How::Late(Duration::from_millis(10 + dice.below(1500) as u64)),
            How::Before | How::After | How::Swallow | How::Flush => self.how,
        };
        // Statements are parsed only on new connections: the first one must do.
        let skip = if self.is_of_parse() { 0 } else { skip };
        Self { how, skip, ..self }
    }

    /// The end of a commit vanishes, and whoever sent it waits.
    pub(in crate::crash) fn of_a_commit(dice: &mut Dice) -> Self {
        Self {
            way: Way::ToServer,
            kind: b'S',
            how: How::Swallow,
            skip: 0,
            of_commit: true,
        }
        .rolled(dice)
    }

    /// A commit is done, and whoever sent it waits for the answer.
    pub(in crate::crash) fn of_a_commits_answer() -> Self {
        Self {
            way: Way::ToClient,
            kind: b'C',
            how: How::Swallow,
            skip: 0,
            of_commit: true,
        }
    }

    /// Whether it waits for a new connection's statements.
    pub(in crate::crash) fn is_of_parse(self) -> bool {
        matches!(self.kind, b'P' | b'1')
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = match self.way {
            Way::ToServer => &TO_SERVER[..],
            Way::ToClient => &TO_CLIENT,
        };
        let named = kinds.iter().find(|(kind, _)| *kind == self.kind);
        let name = named.map_or("?", |(_, name)| *name);
        match self.how {
            How::Before => write!(formatter, "cut before {name}"),
            How::After => write!(formatter, "cut after {name}"),
            How::Swallow => write!(formatter, "swallowed {name}"),
            How::Late(_) => write!(formatter, "delivered {name} late"),
            How::Flush => write!(formatter, "told rows, cut before {name}"),
        }
    }
}

/// The cut that all connections watch for.
#[derive(Default)]
pub(in crate::crash) struct Scissors {
    armed: Mutex<Option<Cut>>,
    happened: AtomicU64,
}

impl Scissors {
    pub(in crate::crash) fn arm(&self, cut: Cut) {
        *self.lock() = Some(cut);
    }

    /// Takes an armed cut back; none if it happened.
    pub(in crate::crash) fn disarm(&self) -> Option<Cut> {
        self.lock().take()
    }

    /// How many cuts happened.
    pub(in crate::crash) fn happened(&self) -> u64 {
        self.happened.load(Ordering::SeqCst)
    }

    /// A message comes by, of a statement that commits a batch or of another: what happens to it.
    pub(super) fn meet(&self, way: Way, kind: u8, at_commit: bool) -> Option<How> {
        let mut armed = self.lock();
        let cut = armed
            .as_mut()
            .filter(|cut| cut.way == way && cut.kind == kind && (at_commit || !cut.of_commit))?;
        if cut.skip > 0 {
            cut.skip -= 1;
            return None;
        }
        let how = cut.how;
        *armed = None;
        self.happened.fetch_add(1, Ordering::SeqCst);
        Some(how)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Cut>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_happens_once_at_its_message() {
        let scissors = Scissors::default();
        scissors.arm(Cut {
            way: Way::ToClient,
            kind: b'Z',
            how: How::Before,
            skip: 1,
            of_commit: false,
        });
        assert_eq!(scissors.meet(Way::ToServer, b'Z', false), None);
        assert_eq!(scissors.meet(Way::ToClient, b'C', false), None);
        assert_eq!(scissors.meet(Way::ToClient, b'Z', false), None);
        assert_eq!(scissors.meet(Way::ToClient, b'Z', false), Some(How::Before));
        assert_eq!(scissors.meet(Way::ToClient, b'Z', false), None);
        assert_eq!(scissors.happened(), 1);
        assert_eq!(scissors.disarm(), None);
    }

    #[test]
    fn rows_are_told_early_of_a_commit_only() {
        let scissors = Scissors::default();
        scissors.arm(Cut {
            way: Way::ToServer,
            kind: b'S',
            how: How::Flush,
            skip: 0,
            of_commit: true,
        });
        assert_eq!(scissors.meet(Way::ToServer, b'S', false), None);
        assert_eq!(scissors.meet(Way::ToServer, b'S', true), Some(How::Flush));
    }

    #[test]
    fn every_cut_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<String> =
            Cut::every().iter().map(Cut::to_string).collect();
        assert_eq!(names.len(), Cut::every().len());
        assert!(!names.iter().any(|name| name.contains('?')));
    }
}
