//! Topping a balance up by itself.
//!
//! Keeps: one automatic invoice waits at a time, and none while other money is on its way. Whoever did not
//! pay the last one is asked again after a while, and after a new debit; whoever did not pay three is not
//! asked any more until the settings are saved again.

use chrono::TimeDelta;

use crate::{clock::Timestamp, money::Money, payments::Coin};

/// Automatic invoices in a row that may expire before no more are opened.
pub const EXPIRED_MAX: u32 = 3;
/// How long none is opened after one that nobody paid.
const WAIT_HOURS: i64 = 6;

/// What a reseller set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automatic {
    pub enabled: bool,
    /// Below this an invoice is opened.
    pub threshold: Money,
    pub amount: Money,
    pub coin: Coin,
}

/// What became of the invoices so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// That expired since the last one that was paid.
    pub expired: u32,
    /// Too many did.
    pub paused: bool,
    /// Before this none is opened.
    pub not_before: Option<Timestamp>,
}

/// What is known when a balance is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub automatic: Automatic,
    pub history: History,
    pub balance: Money,
    /// Something was debited since the last automatic invoice ended unpaid.
    pub debited_since: bool,
    /// An automatic invoice waits for money.
    pub waits: bool,
    /// Money for any top-up was seen and is not credited yet.
    pub arriving: bool,
}

impl Standing {
    /// Whether an invoice is to be opened now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let below = self.automatic.enabled && self.balance < self.automatic.threshold;
        let asked = self.waits || self.arriving || self.history.paused;
        let waited = match self.history.not_before {
            Some(time) => now >= time && self.debited_since,
            None => true,
        };
        below && !asked && waited
    }
}

/// How an automatic invoice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Paid,
    Expired,
    Cancelled,
}

impl History {
    #[must_use]
    pub fn after(self, ended: Ended, now: Timestamp) -> Self {
        let not_before = Some(now + TimeDelta::hours(WAIT_HOURS));
        match ended {
            // Who is paused stays so: only saving the settings again says that somebody looks.
            Ended::Paid => Self {
                expired: 0,
                not_before: None,
                ..self
            },
            Ended::Cancelled => Self { not_before, ..self },
            Ended::Expired => {
                let expired = self.expired + 1;
                Self {
                    expired,
                    paused: self.paused || expired >= EXPIRED_MAX,
                    not_before,
                }
            }
        }
    }
}
