//! The wall around actix: beside this folder only the actors of balances and shelves, with their
//! messages, handles and holds, name the framework.
//!
//! Actors do no IO and never ask actors. A key has one incarnation at a time: the next one is loaded
//! only when no hold of the one before is alive.

mod arbiters;
pub(crate) mod ask;
mod cached;
mod changes;
mod handle;
mod latch;
mod permits;
mod registry;
mod sync;
#[cfg(test)]
mod tests;

pub use arbiters::Arbiters;
pub(crate) use cached::Cached;
pub(crate) use changes::{Changes, Seen};
pub(crate) use handle::{Handle, Poison, Retire};
pub(crate) use latch::{Latch, LatchGuard};
pub(crate) use permits::Permits;
pub(crate) use registry::{Entry, Registry};
