//! What goes wrong next: a script that the store follows.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    fault::Fault,
    journal::{Batch, Failure, FenceFailure},
};

/// What happens to one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitFault {
    /// Nothing is written, and this is the answer.
    Fails(Failure),
    /// It is written, and the answer is lost.
    AnswerLost,
    /// Nothing is answered at all, whether it was written or not.
    Silent { written: bool },
    /// The connection is cut; the statement lands after the next fence was asked for, before it is
    /// granted.
    LandsBeforeFence,
    /// The connection is cut; the statement reaches the lane's row after the next fence was granted.
    LandsAfterFence,
    /// It is written, late.
    Takes(Duration),
}

/// What goes wrong, in the order in which it is asked for.
#[derive(Debug, Default)]
pub struct Faults {
    /// One for each of the next commits; an empty script means that all is well.
    pub commits: VecDeque<Option<CommitFault>>,
    /// Whatever batch has one of these references fails so, until it is taken out again.
    pub references: BTreeMap<String, Failure>,
    pub fences: VecDeque<FenceFailure>,
    /// Answers of the next look-ups for what exists already.
    pub existing: VecDeque<Failure>,
    /// Answers of the next look-ups of the lanes' readers.
    pub look_ups: VecDeque<Fault>,
    /// Answers of the next loads of a balance.
    pub loads: VecDeque<Fault>,
    /// Answers of the next readings of a shelf.
    pub fetches: VecDeque<Fault>,
    /// Answers of the next counts of a shelf up to a number.
    pub counts: VecDeque<Fault>,
    /// How many of the next readings of a shelf panic.
    pub fetch_panics: usize,
    /// Cut statements, and whether each lands before the fence is granted.
    pub(super) cut: Vec<(Batch, bool)>,
    /// What became of the statements that landed late.
    pub landed: Vec<Result<(), Failure>>,
}
