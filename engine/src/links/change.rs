//! Pure: what a change makes of a link.
//!
//! Keeps: whoever may no longer sell by links may still stop them.

use super::{Link, Refusal, Status, Target, create::may_lead};
use crate::{clock::Timestamp, relationships::Relationship};

/// What is to be different; none of a field leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    pub name: Option<String>,
    pub target: Option<Target>,
    pub status: Option<Status>,
}

/// A link after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    To(Link),
    /// It was so before.
    Already(Link),
}

impl Edit {
    /// Whether it does nothing but stop what attributes.
    fn only_stops(&self) -> bool {
        let stops = matches!(self.status, Some(Status::Paused | Status::Revoked));
        stops && self.name.is_none() && self.target.is_none()
    }
}

impl Link {
    /// The link as it would be.
    pub fn changed(
        self,
        seller: &Relationship,
        edit: Edit,
        now: Timestamp,
    ) -> Result<Changed, Refusal> {
        let stops = edit.only_stops();
        let mut link = self.clone();
        link.name = edit.name.unwrap_or(link.name);
        link.target = edit.target.unwrap_or(link.target);
        link.status = edit.status.unwrap_or(link.status);
        if link == self {
            return Ok(Changed::Already(self));
        }
        if self.status == Status::Revoked {
            return Err(Refusal::Revoked);
        }
        if link.status == Status::Revoked && self.is_own() {
            return Err(Refusal::Own);
        }
        if !stops {
            seller.may_attribute().map_err(Refusal::Barred)?;
        }
        if link.target != self.target {
            may_lead(seller, &link.target)?;
        }
        link.updated_at = now;
        Ok(Changed::To(link))
    }
}
