//! The hot path: an external order id, checked, paid and delivered once, all lines or none.
//!
//! A fulfillment *is* its ledger entry. [`Request`] is what a shop asks, valid by construction;
//! [`policy`] decides what it may have and at which price; the fulfiller holds, claims, commits and
//! settles; [`Fulfillment`] is what was committed.

mod email;
pub(crate) mod fulfiller;
mod fulfillment;
mod metadata;
mod order_id;
pub mod policy;
mod refusal;
pub mod rehearsal;
mod request;
#[cfg(test)]
mod tests;

pub use email::Email;
pub use fulfillment::{
    ClaimedSerial, Contents, Details, FulfilledLine, Fulfillment, Replaced, Stamp, Standing,
};
pub use metadata::check_metadata;
pub use order_id::OrderId;
pub use refusal::Refusal;
pub use request::{
    Agreed, Channel, Draft, Fingerprint, Invalid, LINE_QUANTITY_MAX, LINES_MAX, Line, NO_KEY,
    PURCHASE_QUANTITY_MAX, Purchase, QUANTITY_MAX, Request,
};

use crate::fault::Fault;

/// A fulfillment as the answer to one call.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// This call executed it.
    Fresh(std::sync::Arc<Fulfillment>),
    /// The order id was bound before, by the same request.
    Replayed(std::sync::Arc<Fulfillment>),
}

impl Delivery {
    pub fn fulfillment(&self) -> &Fulfillment {
        match self {
            Self::Fresh(fulfillment) | Self::Replayed(fulfillment) => fulfillment,
        }
    }

    pub const fn is_replayed(&self) -> bool {
        matches!(self, Self::Replayed(_))
    }
}

/// Why a call delivered nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The domain says no: nothing was executed and the order id is as free as it was.
    #[error("refused")]
    Refused(#[from] Box<Refusal>),
    #[error(transparent)]
    Faulted(#[from] Fault),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// What a call for a fulfillment ends in.
pub type Outcome = Result<Delivery, Error>;
