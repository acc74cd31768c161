//! The judge of a finished run: what callers were told against what is stored.
//!
//! One judge for simulation, crash rig and load tests. It reads [`History`]s (what each client sent
//! and heard) and the [`Store`] (the final rows), replays the ledgers and says for each [`Point`]
//! whether it holds.
//!
//! Keeps: it shares no code with the engine and trusts none of the constraints of the schema; a point
//! that could not be judged says so and why, and is never counted as one that holds.

mod change;
mod file;
mod history;
mod id;
mod index;
mod points;
mod run;
mod store;
#[cfg(test)]
mod tests;
mod verdict;

pub use change::Change;
pub use file::{Torn, Writer, read};
pub use history::{
    Account, Answer, Answered, Body, Call, Delivered, Delivery, History, Invocation, Line, Sku,
};
pub use id::Id;
pub use run::{Alarms, Before, Memory, Run, Window};
pub use store::{
    Balance, Batch, Claim, ClaimKind, Entry, EntryKind, Events, Feed, Import, KeyCap, Lane, Limits,
    Product, Serial, Span, Store, Withdrawal,
};
pub use verdict::{Finding, Point, Verdict, Violation};

/// Judges a finished run.
///
/// Linear in calls and rows but for sorting them; a million orders take seconds.
pub fn audit(history: &History, store: &Store, run: &Run) -> Verdict {
    let index = index::Index::new(history, store);
    Verdict::new(points::judge(&index, run))
}
