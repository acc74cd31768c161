//! Opening an invoice.

use std::ops::RangeInclusive;

use chrono::TimeDelta;

use super::Automatic;
use crate::{
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, RelationshipId},
    money::Money,
    payments::{Coin, Invoice, Origin, Pay, ProviderKind, Purpose, Status},
    relationships::{Mode, Status as RelationshipStatus},
};

/// Invoices of one relationship that wait for money.
pub const OPEN_MAX: u32 = 20;
/// Invoices of one relationship that one day may see unpaid: cancelled ones count, so that opening and
/// cancelling ends.
pub const UNPAID_A_DAY_MAX: u32 = 100;
/// How long an invoice waits.
pub const VALID_HOURS: i64 = 24;

/// What is known when an invoice is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub status: RelationshipStatus,
    pub mode: Mode,
    /// What is left of a top-up that was taken back.
    pub debt: Money,
    /// What the program allows.
    pub bounds: RangeInclusive<Money>,
    /// Whether the merchant takes the coin.
    pub offered: bool,
    /// How many wait for money already.
    pub waiting: u32,
    /// How many were opened within the last day and not paid.
    pub unpaid: u32,
}

/// The invoice that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub id: InvoiceId,
    pub merchant: MerchantId,
    pub relationship: RelationshipId,
    pub origin: Origin,
    pub amount: Money,
    pub coin: Coin,
    pub provider: ProviderKind,
    pub pay: Pay,
}

/// Why there is none, in the order in which it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Inactive(RelationshipStatus),
    /// The mode has no prepaid balance.
    ModeNotAllowed,
    NotOffered,
    OutOfRange(RangeInclusive<Money>),
    TooMany,
    TooManyToday,
}

impl Wanted {
    /// Whether an invoice that the same request opened is the one that it wants.
    pub fn is_of(&self, invoice: &Invoice) -> bool {
        let of = (invoice.merchant, invoice.relationship);
        of == (self.merchant, Some(self.relationship))
            && (invoice.amount, &invoice.coin) == (self.amount, &self.coin)
    }
}

/// Whether an invoice over so much may be opened.
pub fn may_open(facts: &Facts, origin: Origin, amount: Money) -> Result<(), Refusal> {
    let pays = facts.debt > Money::ZERO && facts.status == RelationshipStatus::Suspended;
    if origin == Origin::Manual && pays {
        allows_balance(facts)?;
    } else {
        may_ask(facts, origin)?;
    }
    fits(facts, amount)?;
    if facts.waiting >= OPEN_MAX {
        return Err(Refusal::TooMany);
    }
    if facts.unpaid >= UNPAID_A_DAY_MAX {
        return Err(Refusal::TooManyToday);
    }
    Ok(())
}

/// The invoice, or why there is none.
pub fn open(facts: &Facts, wanted: Wanted, now: Timestamp) -> Result<Invoice, Refusal> {
    may_open(facts, wanted.origin, wanted.amount)?;
    Ok(Invoice {
        id: wanted.id,
        merchant: wanted.merchant,
        purpose: Purpose::TopUp,
        relationship: Some(wanted.relationship),
        origin: wanted.origin,
        status: Status::Open,
        amount: wanted.amount,
        coin: wanted.coin,
        provider: wanted.provider,
        pay: wanted.pay,
        expires_at: now + TimeDelta::hours(VALID_HOURS),
        paid_at: None,
        completed_at: None,
        created_at: now,
        updated_at: now,
        refunded: Money::ZERO,
        payments: Vec::new(),
    })
}

/// Whether a reseller may set what it wants to set about its balance.
pub fn may_set(facts: &Facts, automatic: Option<&Automatic>) -> Result<(), Refusal> {
    may_ask(facts, Origin::Manual)?;
    match automatic {
        Some(automatic) if automatic.enabled => fits(facts, automatic.amount),
        Some(_) | None => Ok(()),
    }
}

fn may_ask(facts: &Facts, origin: Origin) -> Result<(), Refusal> {
    let asks = match origin {
        Origin::Manual | Origin::Auto => facts.status == RelationshipStatus::Active,
        Origin::Merchant => matches!(
            facts.status,
            RelationshipStatus::Active | RelationshipStatus::Suspended
        ),
        Origin::Customer => false,
    };
    if !asks {
        return Err(Refusal::Inactive(facts.status));
    }
    allows_balance(facts)
}

fn allows_balance(facts: &Facts) -> Result<(), Refusal> {
    let allows = facts.mode.allows_fulfillment();
    allows.then_some(()).ok_or(Refusal::ModeNotAllowed)
}

fn fits(facts: &Facts, amount: Money) -> Result<(), Refusal> {
    if !facts.offered {
        return Err(Refusal::NotOffered);
    }
    if !facts.bounds.contains(&amount) {
        return Err(Refusal::OutOfRange(facts.bounds.clone()));
    }
    Ok(())
}
