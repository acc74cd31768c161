//! The life of a payout: approved or rejected, completed, cancelled.

use super::{Payout, Status, VerificationStatus};
use crate::{clock::Timestamp, money::Money, sales::Movement};

/// What is done to a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Approve(ApprovalFacts),
    /// Whatever would stop it.
    ForceApprove {
        reason: Option<String>,
    },
    Reject {
        reason: Option<String>,
    },
    Cancel {
        reason: Option<String>,
        by_reseller: bool,
    },
    Complete {
        tx_hash: Option<String>,
        /// The chain was asked, and says that it paid.
        verified: bool,
        asset_amount: Option<String>,
    },
}

/// What an approval is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApprovalFacts {
    pub require_verification: bool,
    pub verification: VerificationStatus,
    /// With this payout set aside.
    pub available: Money,
}

/// What stops an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    NotVerified(VerificationStatus),
    /// The address is new.
    Before(Timestamp),
    /// Open payouts are so much above what was earned.
    Above(Money),
}

/// Why a step is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongStep {
    Status(Status),
    Blocked(Vec<Block>),
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    /// The payout after it, and what it moves in the earnings.
    To(Box<Payout>, Option<Movement>),
    /// It was there already: nothing is changed.
    Already(Box<Payout>),
}

/// Takes a step, or says why not.
pub fn step(payout: Payout, step: Step, now: Timestamp) -> Result<Stepped, WrongStep> {
    match step {
        Step::Approve(facts) => approve(payout, &facts, now),
        Step::ForceApprove { reason } => force(payout, reason, now),
        Step::Reject { reason } => reject(payout, reason, now),
        Step::Cancel {
            reason,
            by_reseller,
        } => cancel(payout, reason, by_reseller, now),
        Step::Complete {
            tx_hash,
            verified,
            asset_amount,
        } => complete(payout, (tx_hash, verified), asset_amount, now),
    }
}

fn to(payout: Payout, movement: Option<Movement>) -> Stepped {
    Stepped::To(Box::new(payout), movement)
}

fn already(payout: Payout) -> Stepped {
    Stepped::Already(Box::new(payout))
}

fn approve(
    mut payout: Payout,
    facts: &ApprovalFacts,
    now: Timestamp,
) -> Result<Stepped, WrongStep> {
    match payout.status {
        Status::Approved => return Ok(already(payout)),
        Status::Pending => {}
        Status::Completed | Status::Rejected | Status::Cancelled => {
            return Err(WrongStep::Status(payout.status));
        }
    }
    let mut blocks = Vec::new();
    if facts.require_verification && facts.verification != VerificationStatus::Verified {
        blocks.push(Block::NotVerified(facts.verification));
    }
    if now < payout.approvable_at {
        blocks.push(Block::Before(payout.approvable_at));
    }
    if facts.available.is_negative() {
        blocks.push(Block::Above(-facts.available));
    }
    if !blocks.is_empty() {
        return Err(WrongStep::Blocked(blocks));
    }
    payout.status = Status::Approved;
    payout.approved_at = Some(now);
    payout.updated_at = now;
    Ok(to(payout, None))
}

fn force(mut payout: Payout, reason: Option<String>, now: Timestamp) -> Result<Stepped, WrongStep> {
    match payout.status {
        Status::Approved if payout.forced => Ok(already(payout)),
        Status::Pending => {
            payout.status = Status::Approved;
            payout.status_reason = reason;
            payout.forced = true;
            payout.approved_at = Some(now);
            payout.updated_at = now;
            Ok(to(payout, None))
        }
        Status::Approved | Status::Completed | Status::Rejected | Status::Cancelled => {
            Err(WrongStep::Status(payout.status))
        }
    }
}

fn reject(
    mut payout: Payout,
    reason: Option<String>,
    now: Timestamp,
) -> Result<Stepped, WrongStep> {
    match payout.status {
        Status::Rejected => Ok(already(payout)),
        Status::Pending => {
            payout.status = Status::Rejected;
            payout.status_reason = reason;
            payout.rejected_at = Some(now);
            payout.updated_at = now;
            let released = Movement::Released(payout.amount);
            Ok(to(payout, Some(released)))
        }
        Status::Approved | Status::Completed | Status::Cancelled => {
            Err(WrongStep::Status(payout.status))
        }
    }
}

/// Either side while it waits for the merchant; what the merchant approved, only the merchant.
fn cancel(
    mut payout: Payout,
    reason: Option<String>,
    by_reseller: bool,
    now: Timestamp,
) -> Result<Stepped, WrongStep> {
    let may = match payout.status {
        Status::Cancelled => return Ok(already(payout)),
        Status::Pending => true,
        Status::Approved => !by_reseller,
        Status::Completed | Status::Rejected => false,
    };
    if !may {
        return Err(WrongStep::Status(payout.status));
    }
    payout.status = Status::Cancelled;
    payout.status_reason = reason;
    payout.cancelled_at = Some(now);
    payout.updated_at = now;
    let released = Movement::Released(payout.amount);
    Ok(to(payout, Some(released)))
}

fn complete(
    mut payout: Payout,
    (tx_hash, verified): (Option<String>, bool),
    asset_amount: Option<String>,
    now: Timestamp,
) -> Result<Stepped, WrongStep> {
    match payout.status {
        Status::Completed if tx_hash.is_none() || tx_hash == payout.tx_hash => Ok(already(payout)),
        Status::Approved => {
            payout.status = Status::Completed;
            payout.verified = verified && tx_hash.is_some();
            payout.tx_hash = tx_hash;
            payout.asset_amount = asset_amount;
            payout.completed_at = Some(now);
            payout.updated_at = now;
            let paid = Movement::PaidOut(payout.amount);
            Ok(to(payout, Some(paid)))
        }
        Status::Completed | Status::Pending | Status::Rejected | Status::Cancelled => {
            Err(WrongStep::Status(payout.status))
        }
    }
}
