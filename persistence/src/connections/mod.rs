//! Connections as they are stored: made, changed, found by whoever receives a call, and the last calls.
//!
//! Keeps: whatever changes what a connection may buy raises the version of its relationship in the same
//! transaction, so the engine's actors learn of it with the terms. Secrets are sealed; of a call neither a
//! serial nor an address is stored.

mod calls;
mod change;
mod create;
mod list;
mod owner;
mod receiver;
mod revoke;
mod rotate;
mod rows;

pub use calls::{Call, NewCall, calls, note};
pub use change::{Edit, change};
pub use create::{NewConnection, create};
use engine::{
    audit::Actor,
    connections::Connection,
    ids::{BalanceId, MerchantId, RelationshipId},
    relationships::{Status, Ware},
};
pub use list::{find, list};
pub use receiver::{Receiver, receiver};
pub(crate) use revoke::revoke_all;
pub use revoke::{Revoked, revoke};
pub use rotate::{NewSecret, rotate};

use crate::database::ReadScope;

/// Whose connections a call may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    pub merchant: MerchantId,
    pub relationship: RelationshipId,
}

impl Scope {
    const fn read(self) -> ReadScope {
        ReadScope {
            merchant: self.merchant,
            relationship: Some(self.relationship),
        }
    }
}

/// Whose connections somebody changes, and who that is.
pub type Who = (Scope, Actor);

/// A connection as it is now, and whose actors must hear of it.
#[derive(Debug, Clone)]
pub struct Changed {
    pub connection: Connection,
    /// The balances of its relationship: what to tell the engine's `terms_changed`.
    pub balances: Vec<BalanceId>,
}

/// Why a connection was not made or changed; nothing was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The relationship is not active.
    Inactive(Status),
    /// Its mode allows no delivery by a call.
    Mode,
    /// There are as many as there may be.
    TooMany,
    /// The merchant does not sell this.
    UnknownWare(Ware),
    /// The connection is over.
    Revoked,
    /// Only calls that are described by their owner have a description.
    NotCustom,
}
