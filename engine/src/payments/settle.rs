//! What a provider's word means for an invoice.
//!
//! Keeps: a source is taken in once, with one amount, however often it is told; what is not final pays
//! nothing.

use chrono::TimeDelta;

use super::{Event, Invoice, Status, Stepped};
use crate::{clock::Timestamp, money::Money};

/// How long an invoice stands once a payment for it was seen.
const CONFIRMING_HOURS: i64 = 24;

/// All that a provider knows to have arrived for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    pub arrived: Vec<Arrival>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// What the provider knows it by: network, transaction and output, or the merchant's reference.
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
            let mut known = self.payments.iter();
            match known.find(|payment| payment.source == arrival.source) {
                Some(payment) if payment.amount == arrival.amount => {}
                Some(_) => return Err(Contradiction),
                None if self.provider.pays_once() && !self.payments.is_empty() => {
                    return Err(Contradiction);
                }
                None => fresh.push(arrival.clone()),
            }
        }
        let event = if !fresh.is_empty() {
            Event::Paid
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
}

fn extended(stepped: Stepped, now: Timestamp) -> Stepped {
    match stepped {
        Stepped::To(mut invoice) if invoice.status == Status::Confirming => {
            invoice.expires_at = now + TimeDelta::hours(CONFIRMING_HOURS);
            Stepped::To(invoice)
        }
        stepped @ (Stepped::To(_) | Stepped::Already(_)) => stepped,
    }
}
