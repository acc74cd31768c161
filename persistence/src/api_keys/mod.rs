//! API keys as they are stored: found, listed, made, changed, rotated, revoked.
//!
//! Keeps: whatever changes what a key may do raises the version of its relationship in the same
//! transaction, so the engine's actors learn of it with the terms.

mod change;
mod create;
mod expiry;
mod exposed;
mod find;
mod insert;
mod list;
mod owner;
mod reset;
mod revoke;
mod rotate;
mod rows;

use std::net::IpAddr;

use engine::{
    api_keys::{ApiKey, NotRotated, State, Unfit},
    clock::Timestamp,
    ids::{BalanceId, KeyId, MerchantId, ProductId, RelationshipId},
    relationships::{KeyTerms, Status},
};
use sqlx::PgConnection;

pub use change::{KeyEdit, change};
pub use create::create;
pub use expiry::{Expiring, expiring, tell_expiry};
pub use exposed::tell_exposed;
pub use find::{KeyUse, existing, find, record_uses};
pub(crate) use insert::insert_in;
pub use insert::{NewKey, insert};
pub use list::list;
pub use reset::{Reset, reset_test};
pub use revoke::{Revoked, revoke};
pub use rotate::{Successor, find_own, rotate};

use crate::{Error, database::ReadScope};

/// Whose keys a call may touch: those of one relationship, or the merchant's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyScope {
    pub merchant: MerchantId,
    /// None: the merchant's own keys.
    pub relationship: Option<RelationshipId>,
}

impl KeyScope {
    /// A merchant's own keys are no relationship's, so they are seen by the merchant's scope.
    fn read(self) -> ReadScope {
        ReadScope {
            merchant: self.merchant,
            relationship: self.relationship,
        }
    }
}

/// A key with everything that its owner is shown.
#[derive(Debug, Clone)]
pub struct StoredKey {
    pub key: ApiKey,
    pub terms: KeyTerms,
    pub revoked_reason: Option<String>,
    pub last_used_at: Option<Timestamp>,
    pub last_used_ip: Option<IpAddr>,
}

/// A key as it is now, and whose actors must hear of it.
#[derive(Debug, Clone)]
pub struct Changed {
    pub stored: StoredKey,
    /// The balances of its relationship: what to tell the engine's `terms_changed`.
    pub balances: Vec<BalanceId>,
}

impl Changed {
    async fn read(
        connection: &mut PgConnection,
        scope: KeyScope,
        id: KeyId,
        balances: Vec<BalanceId>,
    ) -> Result<Self, Error> {
        let stored = list::find(connection, scope, id).await?;
        let stored = stored.ok_or(Error::Inconsistent {
            what: "a key that was just stored is missing",
        })?;
        Ok(Self { stored, balances })
    }
}

/// Why a key was not made or changed; nothing was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The relationship is not active.
    Inactive(Status),
    Unfit(Unfit),
    /// There are as many as there may be.
    TooMany,
    UnknownProduct(ProductId),
    /// A merchant's key buys nothing, so there is nothing to try out with it.
    NoTestMode,
    /// Only a new key gets the secret that dynamic URLs are signed with.
    NoUrlSecret,
    /// The key is over.
    Ended(State),
    NotRotated(NotRotated),
}
