//! Pure: whether a relationship may have one more link.

use super::{Link, Refusal, Status, Target};
use crate::{clock::Timestamp, ids::LinkId, relationships::Relationship};

/// Links of one relationship that are not revoked.
pub const LIVE_MAX: u64 = 200;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    pub id: LinkId,
    pub name: String,
    pub code: String,
    pub target: Target,
}

/// Whether links of the relationship may lead there.
pub(super) fn may_lead(seller: &Relationship, target: &Target) -> Result<(), Refusal> {
    match target {
        Target::Product(product) if !seller.covers(*product, None) => {
            Err(Refusal::ProductNotAllowed(*product))
        }
        Target::Shop | Target::Product(_) | Target::Url(_) => Ok(()),
    }
}

impl NewLink {
    /// The link, if the relationship may have it beside so many live ones.
    pub fn of(self, seller: &Relationship, live: u64, now: Timestamp) -> Result<Link, Refusal> {
        seller.may_attribute().map_err(Refusal::Barred)?;
        may_lead(seller, &self.target)?;
        if live >= LIVE_MAX {
            return Err(Refusal::TooMany);
        }
        Ok(Link {
            id: self.id,
            relationship: seller.id,
            name: self.name,
            code: self.code,
            target: self.target,
            status: Status::Active,
            created_at: now,
            updated_at: now,
        })
    }
}
