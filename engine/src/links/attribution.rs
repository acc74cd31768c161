//! The token that a visitor carries from a link to a sale, and the digest by which visits are counted.

use std::{fmt::Write as _, net::IpAddr};

use chrono::{DateTime, TimeDelta};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::{clock::Timestamp, ids::LinkId, vault::Vault};

/// The form of the token, and which key its end is made with: nothing in a token chooses them.
const FORM: &str = "ca1.1";
/// A click of one visitor counts once in so many hours.
pub const VISITOR_HOURS: i64 = 1;
/// Clocks of two machines differ.
const SKEW_MINUTES: i64 = 5;

/// What a visitor is known by for an hour; not the address itself, and another one in the next hour.
pub type Visitor = [u8; 16];

/// Somebody came by a link at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribution {
    pub link: LinkId,
    pub at: Timestamp,
}

impl Attribution {
    /// The token, whose time is whole seconds.
    pub fn token(&self, vault: &Vault) -> String {
        let named = self.named();
        let mac = hex(vault.link_mac(&[b"token", named.as_bytes()]));
        format!("{named}.{mac}")
    }

    /// Reads a token; none if it was not made here, as it stands.
    pub fn read(token: &str, vault: &Vault) -> Option<Self> {
        let (named, mac) = token.rsplit_once('.')?;
        let expected = hex(vault.link_mac(&[b"token", named.as_bytes()]));
        if !bool::from(expected.as_bytes().ct_eq(mac.as_bytes())) {
            return None;
        }
        let (link, at) = named
            .strip_prefix(FORM)?
            .strip_prefix('.')?
            .split_once('.')?;
        Some(Self {
            link: LinkId::parse(link)?,
            at: DateTime::from_timestamp(at.parse().ok()?, 0)?,
        })
    }

    fn named(&self) -> String {
        format!("{FORM}.{}.{}", self.link, self.at.timestamp())
    }

    /// Whether a sale at this time is owed to it.
    pub fn reaches(&self, sold_at: Timestamp, window_days: u16) -> bool {
        let passed = sold_at - self.at;
        passed >= -TimeDelta::minutes(SKEW_MINUTES)
            && passed <= TimeDelta::days(i64::from(window_days))
    }
}

/// What a visitor of a link, or of another thing with an id, is known by in the hour of this time.
pub fn visitor(
    vault: &Vault,
    visited: Uuid,
    (address, agent): (IpAddr, &str),
    now: Timestamp,
) -> Visitor {
    let hour = now.timestamp().div_euclid(VISITOR_HOURS * 3600);
    vault.link_mac(&[
        b"visitor",
        visited.as_bytes(),
        &hour.to_le_bytes(),
        address.to_string().as_bytes(),
        agent.as_bytes(),
    ])
}

fn hex(bytes: [u8; 16]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string");
            text
        })
}
