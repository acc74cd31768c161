//! What an answer of the journal other than yes means.

/// Why a batch did not, or may not have, committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// An entry with the same balance, kind and reference exists. Nothing was written.
    #[error("a reference exists already")]
    Duplicate,
    /// Serialization failure, deadlock, lock time-out or cancel. Nothing was written; may be repeated.
    #[error("a passing conflict")]
    Retry,
    /// The lane row has another owner, fence or number. Nothing was written.
    #[error("the lane is fenced")]
    Fenced,
    /// A constraint fired that only a defect can reach. Nothing was written.
    #[error("a constraint was breached: {constraint}")]
    Breach { constraint: &'static str },
    /// No room for data, or no resources. Nothing was written.
    #[error("storage is full")]
    Full,
    /// A value cannot be stored; the connection is in order. Nothing was written.
    #[error("an item cannot be stored")]
    Item,
    /// The connection was lost or spoke nonsense: whether it committed is not known.
    #[error("the outcome is not known")]
    Unknown,
}

/// Why a lane could not be fenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FenceFailure {
    /// Another owner has the lane.
    #[error("another owner has the lane")]
    Disowned,
    /// No connection, a lock that was not granted, or settings that must not be; try again.
    #[error("the journal is not available")]
    Unavailable,
}

/// Why the journal could not be opened, or its lease not kept.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct OpenFailure {
    /// Whether trying again may help.
    pub passing: bool,
    pub message: String,
}
