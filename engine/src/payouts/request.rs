//! Pure: whether a reseller may ask to be paid so much.

use chrono::TimeDelta;

use super::{Payout, Status, VerificationStatus, check_address};
use crate::{
    clock::Timestamp,
    ids::{MerchantId, PayoutId, RelationshipId},
    money::Money,
    programs::PayoutAsset,
    relationships::Status as RelationshipStatus,
};

/// Payouts of one relationship that are open at once.
pub const OPEN_MAX: u32 = 5;
/// Requests of one relationship in a day that end unpaid.
pub const UNPAID_MAX: u32 = 10;
/// How long an address that was never asked for waits before it may be approved.
pub const ADDRESS_HOLD_HOURS: i64 = 24;

/// What is known when a payout is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub status: RelationshipStatus,
    pub require_verification: bool,
    pub verification: VerificationStatus,
    /// The program's smallest payout.
    pub min: Money,
    pub available: Money,
    /// Payouts that are open already.
    pub open: u32,
    /// Requests of the last day that ended unpaid.
    pub unpaid: u32,
    /// What the program pays in.
    pub offered: Vec<PayoutAsset>,
    /// When the address was asked for first, if it ever was.
    pub address_since: Option<Timestamp>,
}

/// What a reseller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub id: PayoutId,
    pub merchant: MerchantId,
    pub relationship: RelationshipId,
    pub amount: Money,
    pub to: PayoutAsset,
    pub address: String,
    pub note: Option<String>,
}

/// Why there is none, in the order in which it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Inactive(RelationshipStatus),
    NotVerified(VerificationStatus),
    NotOffered,
    BadAddress,
    OutOfRange {
        min: Money,
        max: Money,
    },
    TooMany,
    /// Too many ended unpaid lately: each of them is a mail to others.
    TooOften,
}

impl Facts {
    /// After the end the rest is paid, however small.
    fn min(&self) -> Money {
        match self.status {
            RelationshipStatus::Terminated => Money::ZERO,
            RelationshipStatus::Invited
            | RelationshipStatus::Active
            | RelationshipStatus::Suspended => self.min,
        }
    }
}

/// The payout, or why there is none.
pub fn request(facts: &Facts, wanted: Wanted, now: Timestamp) -> Result<Payout, Refusal> {
    if facts.status == RelationshipStatus::Invited {
        return Err(Refusal::Inactive(facts.status));
    }
    if facts.require_verification && facts.verification != VerificationStatus::Verified {
        return Err(Refusal::NotVerified(facts.verification));
    }
    if !facts.offered.contains(&wanted.to) {
        return Err(Refusal::NotOffered);
    }
    check_address(&wanted.to.network, &wanted.address).map_err(|_| Refusal::BadAddress)?;
    let (min, max) = (facts.min(), facts.available);
    if wanted.amount < min || wanted.amount > max || wanted.amount <= Money::ZERO {
        return Err(Refusal::OutOfRange { min, max });
    }
    if facts.open >= OPEN_MAX {
        return Err(Refusal::TooMany);
    }
    if facts.unpaid >= UNPAID_MAX {
        return Err(Refusal::TooOften);
    }
    let hold = TimeDelta::hours(ADDRESS_HOLD_HOURS);
    let approvable_at = facts.address_since.unwrap_or(now) + hold;
    Ok(Payout {
        id: wanted.id,
        merchant: wanted.merchant,
        relationship: wanted.relationship,
        amount: wanted.amount,
        to: wanted.to,
        address: wanted.address,
        note: wanted.note,
        status: Status::Pending,
        status_reason: None,
        approvable_at: approvable_at.max(now),
        forced: false,
        tx_hash: None,
        verified: false,
        asset_amount: None,
        approved_at: None,
        completed_at: None,
        rejected_at: None,
        cancelled_at: None,
        created_at: now,
        updated_at: now,
    })
}

/// What keeps a reseller from asking for anything at all, by the words of the contract.
pub fn blocked(facts: &Facts) -> Vec<&'static str> {
    let unverified =
        facts.require_verification && facts.verification != VerificationStatus::Verified;
    let reasons = [
        (
            facts.status == RelationshipStatus::Invited,
            "RELATIONSHIP_INACTIVE",
        ),
        (unverified, "VERIFICATION_REQUIRED"),
        (facts.offered.is_empty(), "NO_PAYOUT_ASSETS"),
        (facts.available < facts.min(), "BELOW_MINIMUM"),
        (facts.available <= Money::ZERO, "NOTHING_AVAILABLE"),
        (facts.open >= OPEN_MAX, "TOO_MANY_OPEN"),
        (facts.unpaid >= UNPAID_MAX, "TOO_MANY_UNPAID"),
    ];
    let blocked = reasons.into_iter().filter(|(holds, _)| *holds);
    blocked.map(|(_, reason)| reason).collect()
}
