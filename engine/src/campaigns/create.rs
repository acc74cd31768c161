//! Pure: whether a relationship may have one more campaign.

use super::{Campaign, Refusal, Scope};
use crate::{clock::Timestamp, ids::CampaignId, links::Status, relationships::Relationship};

/// Campaigns of one relationship that are not revoked.
pub const LIVE_MAX: u64 = 100;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCampaign {
    pub id: CampaignId,
    pub name: String,
    pub scope: Scope,
    pub origins: Vec<String>,
}

/// Whether the relationship covers all that is named.
pub(super) fn may_offer(seller: &Relationship, scope: &Scope) -> Result<(), Refusal> {
    let foreign = |(product, variant): &_| !seller.covers(*product, *variant);
    match scope.wares().find(foreign) {
        Some(ware) => Err(Refusal::ProductNotAllowed(ware)),
        None => Ok(()),
    }
}

impl NewCampaign {
    /// The campaign, if the relationship may have it beside so many live ones.
    pub fn of(self, seller: &Relationship, live: u64, now: Timestamp) -> Result<Campaign, Refusal> {
        seller.may_attribute().map_err(Refusal::Barred)?;
        may_offer(seller, &self.scope)?;
        if live >= LIVE_MAX {
            return Err(Refusal::TooMany);
        }
        Ok(Campaign {
            id: self.id,
            relationship: seller.id,
            name: self.name,
            status: Status::Active,
            scope: self.scope,
            origins: self.origins,
            token_version: 1,
            created_at: now,
            updated_at: now,
        })
    }
}
