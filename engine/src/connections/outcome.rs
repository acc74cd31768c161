//! What became of a call, in the words of the contract and of storage.
//!
//! Keeps: a call that was answered with serials is told apart from one that was answered with them again.

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// The order id was delivered before: the same serials.
    Replayed,
    Refused,
    /// Nobody who has the secret sent it.
    BadSignature,
}

impl Outcome {
    pub const ALL: [Self; 4] = [
        Self::Delivered,
        Self::Replayed,
        Self::Refused,
        Self::BadSignature,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "DELIVERED",
            Self::Replayed => "REPLAYED",
            Self::Refused => "REFUSED",
            Self::BadSignature => "BAD_SIGNATURE",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}
