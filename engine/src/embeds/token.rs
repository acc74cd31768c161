//! The token of a snippet.

use std::fmt::{self, Write as _};

use chrono::DateTime;
use subtle::ConstantTimeEq as _;

use crate::{
    clock::Timestamp,
    ids::{CampaignId, ListingId},
    vault::Vault,
};

/// The form of the token, and which key its end is made with: nothing in a token chooses them.
const FORM: &str = "ce1.1";
/// Longer texts are not looked at.
const CHARS_MAX: usize = 160;

/// What a snippet shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Campaign(CampaignId),
    Listing(ListingId),
}

impl Subject {
    /// Reads its id, which says by its prefix what it is.
    pub fn parse(text: &str) -> Option<Self> {
        let campaign = CampaignId::parse(text).map(Self::Campaign);
        campaign.or_else(|| ListingId::parse(text).map(Self::Listing))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Campaign(id) => id.fmt(f),
            Self::Listing(id) => id.fmt(f),
        }
    }
}

/// Somebody was given a snippet of this at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub subject: Subject,
    pub version: u32,
    /// In whole seconds.
    pub at: Timestamp,
}

impl Token {
    pub fn text(&self, vault: &Vault) -> String {
        let seconds = self.at.timestamp();
        let named = format!("{FORM}.{}.{}.{seconds}", self.subject, self.version);
        let mac = mac(&named, vault);
        format!("{named}.{mac}")
    }

    /// Reads a token; none if it was not made here, as it stands.
    pub fn read(text: &str, vault: &Vault) -> Option<Self> {
        if text.len() > CHARS_MAX {
            return None;
        }
        let (named, end) = text.rsplit_once('.')?;
        if !bool::from(mac(named, vault).as_bytes().ct_eq(end.as_bytes())) {
            return None;
        }
        let mut parts = named.strip_prefix(FORM)?.strip_prefix('.')?.split('.');
        let token = Self {
            subject: Subject::parse(parts.next()?)?,
            version: parts.next()?.parse().ok()?,
            at: DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?,
        };
        parts.next().is_none().then_some(token)
    }
}

fn mac(named: &str, vault: &Vault) -> String {
    let bytes = vault.embed_mac(named.as_bytes());
    bytes
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string");
            text
        })
}
