//! What tests and benches put in place of the outside world.
//!
//! [`MemoryStore`] keeps what Postgres keeps, under the same constraints, and goes wrong on demand.
//! [`World`] is the smallest cast on such a store, with a running engine if asked. [`contract`] is what
//! memory and Postgres must have in common.

pub mod contract;
#[cfg(test)]
pub(crate) mod outcomes;
#[cfg(test)]
mod paused;
#[cfg(feature = "simulation")]
pub mod poison;
mod pure;
mod store;
#[cfg(test)]
mod tests;
#[cfg(feature = "simulation")]
pub mod turns;
mod world;

#[cfg(test)]
pub(crate) use paused::{restarted, scene};
pub use pure::{Purse, Window};
pub use store::{
    BatchRow, Claimant, CommitFault, EntryRow, Faults, FindEntry, ImportRow, LaneRow, MemoryStore,
    ReservationRow, Storing, Tables,
};
pub use world::{Footprint, Scene, World, credit, usd};
