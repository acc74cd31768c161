//! API keys: their text, what they may do, and where they may be used.
//!
//! The text is `crk_live_<id>_<secret>_<crc>`: a typed prefix for scanners, 256 random bits, and a
//! checksum so that a typo costs no look-up. Only a keyed digest of it is stored.

mod life;
mod scope;
#[cfg(test)]
mod tests;
mod text;

use ipnet::IpNet;
pub use life::{
    EXPIRY_TOLD_DAYS, Holder, LIVE_MAX, NotRotated, OVERLAP_HOURS_DEFAULT, OVERLAP_HOURS_MAX,
    State, Unfit, check,
};
pub use scope::{Scope, Scopes};
pub use text::{KeyKind, KeyText, base62_secret};

use crate::{
    clock::Timestamp,
    ids::{BalanceId, KeyId, MerchantId, RelationshipId},
    vault::Sealed,
};

/// A stored key, as authentication needs it.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub id: KeyId,
    pub kind: KeyKind,
    pub digest: [u8; 32],
    pub merchant: MerchantId,
    /// Whose key it is, if it is a reseller's: the relationship and the balance it spends.
    pub reseller: Option<(RelationshipId, BalanceId)>,
    pub test: bool,
    pub name: String,
    pub last4: String,
    pub scopes: Scopes,
    /// Empty: from anywhere.
    pub ip_allow_list: Vec<IpNet>,
    pub rate_limit_per_second: Option<u32>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// Until when it works beside the key that replaced it.
    pub retires_at: Option<Timestamp>,
    pub replaced_by: Option<KeyId>,
    pub replaces: Option<KeyId>,
    /// The secret with which dynamic URLs are signed, if the key may use them.
    pub url_secret: Option<Sealed>,
}

impl ApiKey {
    /// Whether the key may be used at this time at all.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let ends = [self.expires_at, self.retires_at];
        self.revoked_at.is_none() && ends.into_iter().flatten().all(|end| now < end)
    }
}
