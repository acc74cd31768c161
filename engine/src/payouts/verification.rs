//! Who a reseller is, as the reseller says and the merchant checks.

use crate::{
    clock::Timestamp,
    ids::{MerchantId, RelationshipId},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationStatus {
    Unverified,
    /// It waits for the merchant.
    Submitted,
    Verified,
    Rejected,
}

impl VerificationStatus {
    pub const ALL: [Self; 4] = [
        Self::Unverified,
        Self::Submitted,
        Self::Verified,
        Self::Rejected,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unverified => "UNVERIFIED",
            Self::Submitted => "SUBMITTED",
            Self::Verified => "VERIFIED",
            Self::Rejected => "REJECTED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What a reseller hands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    pub legal_name: String,
    /// ISO 3166, two letters.
    pub country: String,
    pub contact: String,
    pub evidence_url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub merchant: MerchantId,
    pub relationship: RelationshipId,
    pub status: VerificationStatus,
    pub details: Option<Details>,
    pub reason: Option<String>,
    pub decided_at: Option<Timestamp>,
}

/// What the merchant decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Approve,
    Reject {
        reason: Option<String>,
    },
    /// It counts no more, and may be handed in again.
    Reset {
        reason: Option<String>,
    },
}

/// The status does not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongVerification(pub VerificationStatus);

impl Verification {
    /// Nobody handed anything in yet.
    pub const fn none(merchant: MerchantId, relationship: RelationshipId) -> Self {
        Self {
            merchant,
            relationship,
            status: VerificationStatus::Unverified,
            details: None,
            reason: None,
            decided_at: None,
        }
    }

    /// The reseller hands in who it is.
    pub fn submitted(self, details: Details) -> Result<Self, WrongVerification> {
        match self.status {
            VerificationStatus::Unverified | VerificationStatus::Rejected => Ok(Self {
                status: VerificationStatus::Submitted,
                details: Some(details),
                reason: None,
                decided_at: None,
                ..self
            }),
            VerificationStatus::Submitted | VerificationStatus::Verified => {
                Err(WrongVerification(self.status))
            }
        }
    }

    /// The merchant decides; none if it was decided so before.
    pub fn decided(
        self,
        decision: Decision,
        now: Timestamp,
    ) -> Result<Option<Self>, WrongVerification> {
        use VerificationStatus::{Rejected, Submitted, Unverified, Verified};
        let (from, to, reason) = match decision {
            Decision::Approve => (Submitted, Verified, None),
            Decision::Reject { reason } => (Submitted, Rejected, reason),
            Decision::Reset { reason } => (Verified, Unverified, reason),
        };
        if self.status == to {
            return Ok(None);
        }
        if self.status != from {
            return Err(WrongVerification(self.status));
        }
        Ok(Some(Self {
            status: to,
            reason,
            decided_at: Some(now),
            ..self
        }))
    }
}
