//! Breaks things, one after the other, and demands that all is well again before the next one.
//!
//! Keeps: every act is bounded in time and undone by itself; after each of them orders must be
//! acknowledged again, or the run fails: a system that loses nothing because it serves nobody is no
//! success.

mod act;
mod disk;
mod engine;
mod protocol;
mod standby;
mod strike;

pub(super) use act::{Act, Figure, cycle};
pub(super) use strike::Nemesis;
