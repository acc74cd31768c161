//! Pure: what a change, or a new token, makes of a campaign.
//!
//! Keeps: whoever may no longer sell by embeds may still stop them.

use super::{Campaign, Refusal, Scope, create::may_offer};
use crate::{clock::Timestamp, links::Status, relationships::Relationship};

/// What is to be different; none of a field leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    pub name: Option<String>,
    pub status: Option<Status>,
    pub scope: Option<Scope>,
    pub origins: Option<Vec<String>>,
}

/// A campaign after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    To(Campaign),
    /// It was so before.
    Already(Campaign),
}

impl Edit {
    /// Whether it does nothing but stop what is shown.
    fn only_stops(&self) -> bool {
        let stops = matches!(self.status, Some(Status::Paused | Status::Revoked));
        stops && self.name.is_none() && self.scope.is_none() && self.origins.is_none()
    }
}

impl Campaign {
    /// The campaign as it would be.
    pub fn changed(
        self,
        seller: &Relationship,
        edit: Edit,
        now: Timestamp,
    ) -> Result<Changed, Refusal> {
        let stops = edit.only_stops();
        let mut campaign = self.clone();
        campaign.name = edit.name.unwrap_or(campaign.name);
        campaign.status = edit.status.unwrap_or(campaign.status);
        campaign.scope = edit.scope.unwrap_or(campaign.scope);
        campaign.origins = edit.origins.unwrap_or(campaign.origins);
        if campaign == self {
            return Ok(Changed::Already(self));
        }
        if self.status == Status::Revoked {
            return Err(Refusal::Revoked);
        }
        if !stops {
            seller.may_attribute().map_err(Refusal::Barred)?;
        }
        if campaign.scope != self.scope {
            may_offer(seller, &campaign.scope)?;
        }
        campaign.updated_at = now;
        Ok(Changed::To(campaign))
    }

    /// The same with tokens of another version: those that were given out are dead.
    pub fn rotated(self, now: Timestamp) -> Result<Self, Refusal> {
        if self.status == Status::Revoked {
            return Err(Refusal::Revoked);
        }
        Ok(Self {
            token_version: self.token_version.saturating_add(1),
            updated_at: now,
            ..self
        })
    }
}
