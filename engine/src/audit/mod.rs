//! Who did what to what, as one chain per merchant.
//!
//! Keeps: an entry's hash is over all its fields and the hash before it, so an entry that was changed,
//! taken out or put in between breaks the chain at its number. No secret and no address of a customer
//! is in an entry: of what a thing was before and after, it has digests.

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use crate::{
    clock::Timestamp,
    ids::{AuditId, MerchantId},
};

pub type Digest = [u8; 32];

/// The hash before the first entry.
pub const START: Digest = [0; 32];

/// What sort of somebody acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    ApiKey,
    Person,
    /// The installation itself: when a date has passed, or at its console.
    Job,
}

impl ActorKind {
    const ALL: [Self; 3] = [Self::ApiKey, Self::Person, Self::Job];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "API_KEY",
            Self::Person => "PERSON",
            Self::Job => "JOB",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who acted, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: Option<String>,
    /// What people call it: the name of a key or of a person.
    pub label: String,
    pub ip: Option<IpAddr>,
}

impl Actor {
    /// The installation itself.
    pub fn job(label: &str) -> Self {
        Self {
            kind: ActorKind::Job,
            id: None,
            label: label.to_owned(),
            ip: None,
        }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    pub actor: Actor,
    /// `thing.verb`, as `reseller.suspend`.
    pub action: String,
    /// The id of what it was done to.
    pub target: String,
    pub before: Option<Digest>,
    pub after: Option<Digest>,
    pub at: Timestamp,
}

/// A deed in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From 1, without a gap.
    pub seq: i64,
    pub deed: Deed,
    pub prev_hash: Digest,
    pub hash: Digest,
}

/// Where a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: Digest,
}

impl Head {
    pub const EMPTY: Self = Self {
        seq: 0,
        hash: START,
    };

    /// The entry that comes next.
    pub fn next(self, merchant: MerchantId, deed: Deed) -> Entry {
        let seq = self.seq + 1;
        let hash = hash(merchant, seq, self.hash, &deed);
        Entry {
            seq,
            deed,
            prev_hash: self.hash,
            hash,
        }
    }

    /// The end with this entry; none if the entry does not follow, or is not what it was.
    pub fn follow(self, merchant: MerchantId, entry: &Entry) -> Option<Self> {
        let whole = entry.seq == self.seq + 1
            && entry.prev_hash == self.hash
            && entry.hash == hash(merchant, entry.seq, entry.prev_hash, &entry.deed);
        whole.then(|| entry.head())
    }
}

impl Entry {
    pub fn id(&self) -> AuditId {
        AuditId::of_hash(self.deed.at, &self.hash)
    }

    pub const fn head(&self) -> Head {
        Head {
            seq: self.seq,
            hash: self.hash,
        }
    }
}

/// Each part with its length before it, so that no two entries have one text. Times count as
/// microseconds: storage keeps no more of them.
fn hash(merchant: MerchantId, seq: i64, before: Digest, deed: &Deed) -> Digest {
    let actor = &deed.actor;
    let ip = actor.ip.map(|ip| ip.to_string());
    let parts: [Option<&[u8]>; 11] = [
        Some(b"consign audit 1"),
        Some(merchant.uuid_bytes()),
        Some(&seq.to_be_bytes()),
        Some(&before),
        Some(&deed.at.timestamp_micros().to_be_bytes()),
        Some(actor.kind.name().as_bytes()),
        actor.id.as_deref().map(str::as_bytes),
        Some(actor.label.as_bytes()),
        ip.as_deref().map(str::as_bytes),
        Some(deed.action.as_bytes()),
        Some(deed.target.as_bytes()),
    ];
    let digests = [deed.before, deed.after];
    let digests = digests
        .iter()
        .map(|digest| digest.as_ref().map(|bytes| &bytes[..]));
    let mut sum = Sha256::new();
    for part in parts.into_iter().chain(digests) {
        match part {
            None => sum.update([0]),
            Some(bytes) => {
                sum.update([1]);
                sum.update((bytes.len() as u64).to_be_bytes());
                sum.update(bytes);
            }
        }
    }
    sum.finalize().into()
}
