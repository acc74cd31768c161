//! What a question to an actor that is gone is answered with.

/// The actor is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;
