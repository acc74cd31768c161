//! Schedules of what holds the engine's actors together: its latch, its permits and its registry.
//!
//! The files are those of `engine/src/actors/`, as they stand. Only what they synchronise with is another:
//! every lock, atomic and wake-up is a place where shuttle's scheduler may let another task go on, so
//! thousands of interleavings are run that a machine would show once in a year.
//!
//! Keeps: one incarnation per key, none loaded while a hold of the one before is alive, no wake-up lost,
//! no more permits out than there are.
#![cfg(test)]

mod actor;
mod ask;
mod explore;
#[path = "../../src/fault.rs"]
#[expect(dead_code, unreachable_pub, reason = "a file of another crate")]
mod fault;
#[path = "../../src/actors/latch.rs"]
mod latch;
mod latches;
mod permit_bounds;
#[path = "../../src/actors/permits.rs"]
mod permits;
mod registries;
#[path = "../../src/actors/registry.rs"]
#[expect(dead_code, reason = "what the verifier asks is not explored")]
mod registry;
mod sabotage;
mod sync;
mod world;

pub(crate) use latch::{Latch, LatchGuard};
pub(crate) use world::{clock, ids, metrics};
