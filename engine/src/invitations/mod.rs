//! The offer to join a program: what may become of it, and of the relationship that waits for it.
//!
//! Keeps: an offer ends once. Only a pending one that is not over can be accepted, and sending it again
//! makes a new token: the link that was sent before opens nothing any more.

#[cfg(test)]
mod tests;

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use crate::{
    api_keys::base62_secret,
    audit::Digest,
    clock::Timestamp,
    ids::{InvitationId, MerchantId, RelationshipId},
    random::Random,
    vault::Opened,
};

/// Fewest and most days that an offer may stand, and how many it does if nobody says.
pub const VALID_DAYS: std::ops::RangeInclusive<u16> = 1..=90;
pub const VALID_DAYS_DEFAULT: u16 = 14;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Pending,
    Accepted,
    Declined,
    Revoked,
    Expired,
}

impl Status {
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Accepted,
        Self::Declined,
        Self::Revoked,
        Self::Expired,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Accepted => "ACCEPTED",
            Self::Declined => "DECLINED",
            Self::Revoked => "REVOKED",
            Self::Expired => "EXPIRED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// An offer as it is kept. Of its token only a digest is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    pub merchant: MerchantId,
    pub relationship: RelationshipId,
    /// Trimmed and in lower case.
    pub email: String,
    pub status: Status,
    pub valid_days: u16,
    pub expires_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub declined_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Why an offer stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its time is over.
    Expired,
    /// It ended in another way.
    Ended(Status),
}

/// What a step does to an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    To(Invitation),
    /// It is there already: nothing is changed.
    Already(Invitation),
}

impl Invitation {
    /// Whether it can still be accepted, as the status alone does not say.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status == Status::Pending && now < self.expires_at
    }

    /// What became of it, also where nobody has stored yet that its time is over.
    pub fn status_at(&self, now: Timestamp) -> Status {
        if self.status == Status::Pending && !self.is_open(now) {
            Status::Expired
        } else {
            self.status
        }
    }

    fn open(self, now: Timestamp) -> Result<Self, Refusal> {
        match self.status {
            Status::Pending if now < self.expires_at => Ok(Self {
                updated_at: now,
                ..self
            }),
            Status::Pending | Status::Expired => Err(Refusal::Expired),
            Status::Accepted | Status::Declined | Status::Revoked => {
                Err(Refusal::Ended(self.status))
            }
        }
    }

    /// The invited person joins.
    pub fn accept(self, now: Timestamp) -> Result<Self, Refusal> {
        Ok(Self {
            status: Status::Accepted,
            accepted_at: Some(now),
            ..self.open(now)?
        })
    }

    /// The invited person does not want to join.
    pub fn decline(self, now: Timestamp) -> Result<Stepped, Refusal> {
        if self.status == Status::Declined {
            return Ok(Stepped::Already(self));
        }
        Ok(Stepped::To(Self {
            status: Status::Declined,
            declined_at: Some(now),
            ..self.open(now)?
        }))
    }

    /// The merchant takes it back.
    pub fn revoke(self, now: Timestamp) -> Result<Stepped, Refusal> {
        if self.status == Status::Revoked {
            return Ok(Stepped::Already(self));
        }
        Ok(Stepped::To(Self {
            status: Status::Revoked,
            revoked_at: Some(now),
            ..self.open(now)?
        }))
    }

    /// The same offer under a new token, for as long as at first.
    pub fn resend(self, now: Timestamp) -> Result<Self, Refusal> {
        let expires_at = end(now, self.valid_days);
        Ok(Self {
            expires_at,
            ..self.open(now)?
        })
    }

    /// Its time is over; none if it is not, or it ended before.
    pub fn expire(self, now: Timestamp) -> Option<Self> {
        let over = self.status == Status::Pending && now >= self.expires_at;
        over.then_some(Self {
            status: Status::Expired,
            updated_at: now,
            ..self
        })
    }
}

/// What the link of an offer ends with: 256 random bits as text.
pub fn new_token(random: &dyn Random) -> Opened {
    Opened::new(base62_secret(random))
}

/// What an offer is found by.
pub fn token_digest(token: &str) -> Digest {
    Sha256::digest(token).into()
}

/// When an offer that is made now ends.
pub fn end(now: Timestamp, valid_days: u16) -> Timestamp {
    now + TimeDelta::days(valid_days.into())
}
