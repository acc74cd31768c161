//! What whoever sends events does with the database: take a lease, take what is to be sent, report.
//!
//! Keeps: at most one holder of a lease reports of a webhook, so of two that sent the same only one is
//! believed; nothing is marked as sent before it was. All of it is behind the sales, on connections of
//! its own.

mod claim;
mod record;
mod standing;
mod sweep;
mod take;
mod wake;

pub use claim::{LEASE_SECONDS, Leased, claim};
pub use record::{Recorded, Tried, record};
pub use standing::{Standing, standing};
pub use sweep::sweep;
pub use take::{Attempt, Content, Round, take};
pub use wake::{wake, wake_all};
