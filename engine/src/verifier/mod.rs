//! Online proof: what is stored and what is in memory, checked against each other for ever.
//!
//! One balance and one shelf at a time, slowly. A slice of the ledger must add up, every delivery must
//! have its claims, an actor must say what the ledger says at the version it has reached, and a window
//! must hold free serials only. A key that fails is quarantined: it serves no more until somebody has
//! looked.
//!
//! Keeps: a race is never called a drift. Entries are immutable, so an actor is compared at its own
//! version; a serial counts as sold twice only if it was claimed in storage and is in the window still.
//! Nothing here touches an actor's use, loads one or holds anything.

mod replay;
mod rounds;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use self::replay::first_wrong;
pub(crate) use self::rounds::Verifier;
pub use self::source::{Delivered, Line, Source};

/// How storage and memory, or storage and itself, differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drift {
    /// A version is missing, or one is there that cannot be.
    Versions,
    /// A running balance does not follow from the one before.
    Sum,
    BelowZero,
    /// A delivery's claims are not its serials, or not its cost.
    Claims,
    /// An actor has another balance than the ledger at its version.
    Posted,
    /// A window offers a serial that is claimed.
    Claimed,
}

impl Drift {
    const fn name(self) -> &'static str {
        match self {
            Self::Versions => "versions",
            Self::Sum => "sum",
            Self::BelowZero => "below_zero",
            Self::Claims => "claims",
            Self::Posted => "posted",
            Self::Claimed => "claimed",
        }
    }
}
