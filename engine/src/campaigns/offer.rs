//! Pure: whether a campaign shows anything to whoever comes with this token.

use crate::{
    embeds::{Subject, Token},
    ids::CampaignId,
    links::{Status, attributes},
    relationships::{Mode, Status as RelationshipStatus},
};

/// All that decides whether a campaign shows anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub campaign: CampaignId,
    pub status: Status,
    pub token_version: u32,
    pub relationship: RelationshipStatus,
    pub mode: Mode,
    /// Of the program.
    pub enabled: bool,
}

/// Whether it does.
pub fn shows(standing: &Standing, token: &Token) -> bool {
    let subject = Subject::Campaign(standing.campaign);
    let named = token.subject == subject && token.version == standing.token_version;
    named && sells(standing)
}

/// Whether it sells to whoever came by a token that counted.
pub fn sells(standing: &Standing) -> bool {
    let whose = (standing.relationship, standing.mode);
    attributes(standing.status, whose, standing.enabled)
}
