//! API keys as they are stored: found, listed, made, revoked.
//!
//! Keeps: whatever changes what a key may do raises the version of its relationship in the same
//! transaction, so the engine's actors learn of it with the terms.

mod find;
mod insert;
mod list;
mod revoke;
mod rows;

use std::net::IpAddr;

use engine::{
    api_keys::ApiKey,
    clock::Timestamp,
    ids::{MerchantId, RelationshipId},
    relationships::KeyTerms,
};

pub use find::{KeyUse, find, record_uses};
pub(crate) use insert::insert_in;
pub use insert::{NewKey, insert};
pub use list::list;
pub use revoke::{Revoked, revoke};

/// Whose keys a call may touch: those of one relationship, or the merchant's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyScope {
    pub merchant: MerchantId,
    /// None: the merchant's own keys.
    pub relationship: Option<RelationshipId>,
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
