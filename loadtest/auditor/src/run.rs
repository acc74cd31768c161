//! What the judge must know of a run beside its history and its rows.

use std::{collections::HashMap, time::Duration};

use crate::{Id, Point, Sku};

#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Every order without a certain answer was sent again after all faults had ended.
    pub resent: bool,
    pub before: Before,
    /// What an answer may take; none if the run has no such promise.
    pub answer_within: Option<Duration>,
    /// What the engine held in memory when nothing was under way any more.
    pub memory: Option<Memory>,
    pub alarms: Option<Alarms>,
    /// What the run cannot show, with the reason: clocks that were moved, say, tell no days apart.
    pub skip: Vec<(Point, &'static str)>,
}

/// What was stored before the first call.
#[derive(Clone, Debug, Default)]
pub enum Before {
    /// Nothing: every entry must have been asked for.
    #[default]
    Nothing,
    /// The last version of each balance that had one.
    Versions(HashMap<i64, i64>),
    /// Not known: entries that nobody asked for are let pass.
    Unknown,
}

impl Before {
    /// Whether an entry must have been asked for by a call of the history.
    pub(crate) fn judges(&self, balance: i64, version: i64) -> bool {
        match self {
            Self::Nothing => true,
            Self::Versions(last) => last.get(&balance).is_none_or(|last| version > *last),
            Self::Unknown => false,
        }
    }

    /// Whether every withdrawal must have been asked for: before a run there is none.
    pub(crate) const fn judges_withdrawals(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Balance, posted, held; only those in memory.
    pub balances: Vec<(i64, i64, i64)>,
    pub windows: Vec<Window>,
    /// What it says is on the shelf of a SKU, and how much of it an order could have.
    pub shelves: Vec<(Sku, u64, u64)>,
}

/// The unclaimed serials of a SKU that the engine has at hand.
#[derive(Clone, Debug)]
pub struct Window {
    pub sku: Sku,
    pub held: u64,
    pub serials: Vec<Id>,
}

/// What the engine said of itself, without what the run provoked on purpose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alarms {
    pub invariant_violations: u64,
    pub breaches: u64,
    pub quarantined: u64,
}
