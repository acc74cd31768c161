//! The audit log: appended in the transaction of what it tells, read newest first, proved whole.
//!
//! Keeps: one chain per merchant without a gap. What a lane commits is not appended by the lane, which
//! waits for no lock of a merchant: its statement stores who did it beside the change, and
//! [`tell`] takes it into the chain, once.

mod behind;
mod chain;
mod who;

pub use behind::tell;
pub use chain::{Filter, Proof, append, list, list_about, stream, verify};

pub(crate) use chain::digest;
pub(crate) use who::Who;
