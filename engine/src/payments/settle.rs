//! What a provider's word means for an invoice.
//!
//! Keeps: a source is taken in once, with one amount, however often it is told; what is not final pays
//! nothing. The merchant's word and what its provider saw are taken for the same money: whichever came first
//! is taken in, the other is not. What has a price is paid once it arrived, but for half a percent.

use std::fmt;

use chrono::TimeDelta;

use super::{Event, Invoice, Payment, Purpose, Status, Stepped};
use crate::{clock::Timestamp, ids::InvoiceId, money::Money};

/// How long an invoice stands once a payment for it was seen.
const CONFIRMING_HOURS: i64 = 24;
/// One part in so many may be missing of a price: half a percent, but no more than this many minor units,
/// which whoever sold it and the merchant are then without.
const TOLERATED_PART: u32 = 200;
const TOLERATED_MAX: i64 = 100;

/// All that a provider knows to have arrived for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    pub arrived: Vec<Arrival>,
    /// Sources of what it says did not come after all.
    pub gone: Vec<String>,
}

/// What an arrival is known by, once for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The merchant's word, without more.
    Invoice(InvoiceId),
    /// The merchant's word, and what it finds the money by.
    Reference(String),
    /// A transfer of a transaction, by its place among what the transaction did.
    Transfer {
        network: String,
        transaction: String,
        place: usize,
    },
    /// A payment as a payment server knows it, by the coin.
    Hosted { method: String, payment: String },
    /// The merchant's word, said to a payment server about its invoice.
    Marked(String),
}

impl Source {
    /// Whether a source, as it is stored, is the merchant's word.
    fn is_word(stored: &str) -> bool {
        let words = ["invoice:", "reference:", "marked:"];
        words.iter().any(|word| stored.starts_with(word))
    }

    /// The transaction of a source, as it is stored, that is a transfer.
    pub fn transaction(stored: &str) -> Option<&str> {
        let mut parts = stored.strip_prefix("transfer:")?.rsplit(':');
        let _place = parts.next()?;
        parts.next()
    }
}

/// As it is stored.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invoice(id) => write!(f, "invoice:{id}"),
            Self::Reference(text) => write!(f, "reference:{text}"),
            Self::Transfer {
                network,
                transaction,
                place,
            } => write!(f, "transfer:{network}:{transaction}:{place}"),
            Self::Hosted { method, payment } => write!(f, "payment:{method}:{payment}"),
            Self::Marked(invoice) => write!(f, "marked:{invoice}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The text of a [`Source`].
    pub source: String,
    pub amount: Money,
    /// It cannot be dropped any more.
    pub settled: bool,
}

/// What is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub stepped: Stepped,
    /// Arrivals that were not known.
    pub fresh: Vec<Arrival>,
}

/// It says something else than was taken in before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contradiction;

impl Invoice {
    /// Takes in what a provider says.
    pub fn settle(self, snapshot: &Snapshot, now: Timestamp) -> Result<Settlement, Contradiction> {
        let mut fresh = Vec::new();
        for arrival in snapshot.arrived.iter().filter(|one| one.settled) {
            if self.takes(arrival)? {
                fresh.push(arrival.clone());
            }
        }
        let event = if !fresh.is_empty() {
            self.bring(&fresh)
        } else if snapshot.arrived.iter().any(|one| !one.settled) {
            Event::Seen
        } else {
            Event::Dropped
        };
        let stepped = self.step(event, now).map_err(|_| Contradiction)?;
        Ok(Settlement {
            stepped: extended(stepped, now),
            fresh,
        })
    }

    /// What was taken in and did not come after all, as a provider says.
    pub fn gone<'a>(&'a self, snapshot: &'a Snapshot) -> impl Iterator<Item = &'a Payment> {
        let payments = self.payments.iter();
        payments.filter(|payment| snapshot.gone.contains(&payment.source))
    }

    /// What so much more brings about: a top-up is worth what arrives, everything else has its price.
    fn bring(&self, fresh: &[Arrival]) -> Event {
        let mut fresh = fresh.iter();
        let fresh = fresh.try_fold(Money::ZERO, |sum, one| sum.checked_add(one.amount));
        // What is more than can be counted is enough.
        let missing = fresh.and_then(|fresh| self.missing().checked_sub(fresh));
        let missing = missing.unwrap_or_default().max(Money::ZERO);
        match self.purpose {
            Purpose::TopUp => Event::Paid,
            Purpose::Checkout | Purpose::StockRequest if self.is_enough(missing) => Event::Paid,
            Purpose::Checkout | Purpose::StockRequest => Event::PartPaid,
        }
    }

    /// Whether a price of which so much is missing is paid.
    pub(crate) fn is_enough(&self, missing: Money) -> bool {
        let least = missing.checked_mul(TOLERATED_PART);
        missing.minor() <= TOLERATED_MAX && least.is_some_and(|least| least <= self.amount)
    }

    /// Whether something final is to be taken in, or was.
    fn takes(&self, arrival: &Arrival) -> Result<bool, Contradiction> {
        let mut known = self.payments.iter();
        if let Some(payment) = known.find(|payment| payment.source == arrival.source) {
            return (payment.amount == arrival.amount)
                .then_some(false)
                .ok_or(Contradiction);
        }
        let said = |source: &str| Source::is_word(source);
        if said(&arrival.source) || self.provider.pays_once() {
            return self
                .payments
                .is_empty()
                .then_some(true)
                .ok_or(Contradiction);
        }
        Ok(!self.payments.iter().any(|payment| said(&payment.source)))
    }
}

fn extended(stepped: Stepped, now: Timestamp) -> Stepped {
    match stepped {
        Stepped::To(mut invoice)
            if matches!(invoice.status, Status::Confirming | Status::Underpaid) =>
        {
            invoice.expires_at = now + TimeDelta::hours(CONFIRMING_HOURS);
            Stepped::To(invoice)
        }
        stepped @ (Stepped::To(_) | Stepped::Already(_)) => stepped,
    }
}
