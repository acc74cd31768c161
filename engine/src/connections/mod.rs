//! Connections: a reseller's shop asks for what its customer bought, in the shop's own words.
//!
//! Keeps: nothing that a call says is a price or a product of ours. Which product is meant, and how many of
//! it one sold unit is, says the map of the connection; what it costs, whether it may be had and whether the
//! cap of the day leaves room, the engine decides as for a key. A connection *is* a key of its relationship
//! to the engine: [`Connection::key`].

mod call;
mod formats;
mod map;
mod namespace;
mod outcome;
#[cfg(test)]
mod tests;

pub use call::{Call, Unreadable, read};
pub use formats::custom::{Answer, Custom, Delivers, Digest, Paths, Pointer, VALUES_MAX};
pub use map::{Mapped, ProductMap, Unfit};
pub use namespace::Namespace;
pub use outcome::Outcome;

use crate::{
    clock::Timestamp,
    ids::{ConnectionId, KeyId},
    money::Money,
};

/// Connections of one relationship that are not revoked.
pub const LIVE_MAX: usize = 50;
/// How long the secret before the last one is good too, and for how long if nobody says.
pub const OVERLAP_HOURS_MAX: u32 = 168;
pub const OVERLAP_HOURS_DEFAULT: u32 = 24;
/// Calls that are remembered of each connection.
pub const CALLS_KEPT: u32 = 200;
/// How far a time that a shop signed may be off, in seconds.
pub const SKEW_SECS_MAX: u64 = 300;

/// Whose words the calls are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Shoppex,
    SellAuth,
    Sellix,
    SellApp,
    /// As its owner describes it.
    Custom,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Shoppex,
        Self::SellAuth,
        Self::Sellix,
        Self::SellApp,
        Self::Custom,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shoppex => "SHOPPEX",
            Self::SellAuth => "SELLAUTH",
            Self::Sellix => "SELLIX",
            Self::SellApp => "SELLAPP",
            Self::Custom => "CUSTOM",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    /// It delivers nothing until its owner has it go on.
    Paused,
    /// For good.
    Revoked,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Revoked];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Revoked => "REVOKED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A connection without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub name: String,
    pub kind: Kind,
    pub status: Status,
    /// Never another one.
    pub namespace: Namespace,
    pub map: ProductMap,
    /// How calls are read and answered; of [`Kind::Custom`] only, which always has it.
    pub custom: Option<Custom>,
    /// Most that its deliveries of one UTC day may cost.
    pub daily_spend_cap: Money,
    /// Until when the secret before the last one is good too.
    pub old_secret_until: Option<Timestamp>,
    pub last_call_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Connection {
    /// The key that buys for it.
    pub const fn key(&self) -> KeyId {
        KeyId::from_uuid(self.id.uuid())
    }
}
