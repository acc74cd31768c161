//! What went wrong on our side, as opposed to a [`Refusal`](crate::fulfillments::Refusal).
//!
//! Two answers never mix: *not executed*, which is true for ever for that attempt, and *unknown*,
//! which the caller resolves by repeating the same order id.

use std::time::Duration;

/// A failure of ours, as the caller may learn of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Shed, draining, starting, or storage away, before anything was held or after everything was
    /// given back: not executed.
    #[error("overloaded, retry after {retry_after:?}")]
    Overloaded { retry_after: Duration },
    /// Accepted, and whether it happened is not known yet.
    #[error("the outcome is not known yet")]
    OutcomeUnknown,
    /// The attempt was undone for certain, because of a defect or of data that cannot be stored.
    #[error("not executed: {reason}")]
    Aborted { reason: &'static str },
    /// A credit that would lift its balance beyond the largest amount: not executed.
    #[error("not executed: the balance would exceed the largest amount")]
    Excess,
    /// Storage could not be read: nothing was changed.
    #[error("storage is not available")]
    Unavailable,
}

impl Fault {
    /// Shed with the usual time to come back.
    pub const fn overloaded() -> Self {
        Self::Overloaded {
            retry_after: Duration::from_secs(1),
        }
    }
}
