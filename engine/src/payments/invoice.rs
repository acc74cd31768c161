//! A demand for money, and its life.
//!
//! Keeps: [`Status::after`] is the only way from one status to another. An invoice that ended unpaid is
//! still paid by money that comes late.

use crate::{
    clock::Timestamp,
    ids::{EntryId, InvoiceId, MerchantId, PaymentId, RelationshipId},
    money::Money,
    payments::{Coin, Pay, ProviderKind},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Open,
    /// A payment was seen and is not final.
    Confirming,
    /// What arrived is final, and less than is asked for: the rest is waited for.
    Underpaid,
    /// What arrived is final, and its effect is under way.
    Paid,
    /// The effect is done.
    Completed,
    /// There is too little of what was paid for: it is delivered as soon as there is enough.
    AwaitingStock,
    Expired,
    Cancelled,
    /// Some of what was paid was given back.
    PartiallyRefunded,
    Refunded,
    /// Whoever paid wants it back, and nothing is decided.
    Disputed,
}

/// What happens to an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Seen,
    /// What was seen is gone again.
    Dropped,
    /// Something arrived for good, and too little.
    PartPaid,
    Paid,
    /// The merchant takes what arrived for what was asked for.
    Accepted,
    Completed,
    /// There is too little to deliver.
    Short,
    Expired,
    Cancelled,
}

/// Where an event leads that a status allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    To(Status),
    /// It is there already, or the event means nothing to it.
    Stays,
}

impl Status {
    pub const ALL: [Self; 11] = [
        Self::Open,
        Self::Confirming,
        Self::Underpaid,
        Self::Paid,
        Self::Completed,
        Self::AwaitingStock,
        Self::Expired,
        Self::Cancelled,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Disputed,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Confirming => "CONFIRMING",
            Self::Underpaid => "UNDERPAID",
            Self::Paid => "PAID",
            Self::Completed => "COMPLETED",
            Self::AwaitingStock => "AWAITING_STOCK",
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
            Self::Refunded => "REFUNDED",
            Self::Disputed => "DISPUTED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Where an event leads; none if the status does not allow it.
    pub const fn after(self, event: Event) -> Option<Next> {
        match self {
            Self::Open | Self::Confirming | Self::Underpaid | Self::Expired | Self::Cancelled => {
                self.unpaid_after(event)
            }
            Self::Paid | Self::Completed | Self::AwaitingStock => self.paid_after(event),
            // Money that comes after what was paid was given back is credited, and changes nothing else.
            Self::PartiallyRefunded | Self::Refunded | Self::Disputed => match event {
                Event::Seen
                | Event::Dropped
                | Event::PartPaid
                | Event::Paid
                | Event::Completed
                | Event::Short => Some(Next::Stays),
                Event::Accepted | Event::Expired | Event::Cancelled => None,
            },
        }
    }

    const fn unpaid_after(self, event: Event) -> Option<Next> {
        let nothing_came = matches!(self, Self::Open | Self::Confirming);
        let may_end = matches!(self, Self::Open | Self::Underpaid);
        match event {
            Event::Seen if matches!(self, Self::Open) => Some(Next::To(Self::Confirming)),
            Event::Dropped if matches!(self, Self::Confirming) => Some(Next::To(Self::Open)),
            Event::PartPaid if nothing_came => Some(Next::To(Self::Underpaid)),
            Event::Seen | Event::Dropped | Event::PartPaid => Some(Next::Stays),
            Event::Accepted if nothing_came => None,
            Event::Paid | Event::Accepted => Some(Next::To(Self::Paid)),
            Event::Expired if may_end => Some(Next::To(Self::Expired)),
            Event::Expired if matches!(self, Self::Expired) => Some(Next::Stays),
            Event::Cancelled if may_end => Some(Next::To(Self::Cancelled)),
            Event::Cancelled if matches!(self, Self::Cancelled) => Some(Next::Stays),
            Event::Expired | Event::Cancelled | Event::Completed | Event::Short => None,
        }
    }

    const fn paid_after(self, event: Event) -> Option<Next> {
        let completed = matches!(self, Self::Completed);
        match event {
            Event::Completed if !completed => Some(Next::To(Self::Completed)),
            Event::Short if matches!(self, Self::Paid) => Some(Next::To(Self::AwaitingStock)),
            Event::Seen
            | Event::Dropped
            | Event::PartPaid
            | Event::Paid
            | Event::Accepted
            | Event::Completed
            | Event::Short => Some(Next::Stays),
            Event::Expired | Event::Cancelled => None,
        }
    }
}

/// What an invoice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Money for a balance.
    TopUp,
    /// What a customer buys.
    Checkout,
    /// What a reseller buys to sell it on.
    StockRequest,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::TopUp, Self::Checkout, Self::StockRequest];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TopUp => "TOP_UP",
            Self::Checkout => "CHECKOUT",
            Self::StockRequest => "STOCK_REQUEST",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// Who wanted the invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The reseller.
    Manual,
    /// The installation, because the balance fell below a threshold.
    Auto,
    Merchant,
    /// Who buys.
    Customer,
}

impl Origin {
    const ALL: [Self; 4] = [Self::Manual, Self::Auto, Self::Merchant, Self::Customer];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::Auto => "AUTO",
            Self::Merchant => "MERCHANT",
            Self::Customer => "CUSTOMER",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.name() == name)
    }
}

/// Money that arrived for an invoice, for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    /// What the provider knows it by, once for ever.
    pub source: String,
    pub amount: Money,
    /// The entry of the ledger; none as long as it is not known to be there.
    pub entry: Option<EntryId>,
}

/// A demand for money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub id: InvoiceId,
    pub merchant: MerchantId,
    pub purpose: Purpose,
    /// Whose balance it tops up, or who brought the customer; none if nobody did.
    pub relationship: Option<RelationshipId>,
    pub origin: Origin,
    pub status: Status,
    pub amount: Money,
    pub coin: Coin,
    pub provider: ProviderKind,
    /// How to pay it, as it was when it was opened.
    pub pay: Pay,
    pub expires_at: Timestamp,
    pub paid_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// What was given back of it.
    pub refunded: Money,
    /// In the order in which they arrived.
    pub payments: Vec<Payment>,
}

/// The status does not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongStatus(pub Status);

/// What a step does to an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    To(Box<Invoice>),
    /// Nothing is changed.
    Already(Box<Invoice>),
}

impl Invoice {
    /// What it is, also where nobody has stored yet that its time is over.
    pub fn status_at(&self, now: Timestamp) -> Status {
        let waits = matches!(self.status, Status::Open | Status::Underpaid);
        if waits && now >= self.expires_at {
            Status::Expired
        } else {
            self.status
        }
    }

    /// Takes a step from where it stands. One of which a part went back before its effect is done stays
    /// one of which a part went back.
    pub fn step(mut self, event: Event, now: Timestamp) -> Result<Stepped, WrongStatus> {
        let status = self.status_at(now);
        let over = status == Status::Expired && event == Event::Expired;
        let from = if over { self.status } else { status };
        match from.after(event) {
            None => Err(WrongStatus(from)),
            Some(Next::Stays) => Ok(Stepped::Already(Box::new(self))),
            Some(Next::To(status)) => {
                match status {
                    Status::Paid => self.paid_at = Some(now),
                    Status::Completed => self.completed_at = Some(now),
                    Status::Open
                    | Status::Confirming
                    | Status::Underpaid
                    | Status::AwaitingStock
                    | Status::Expired
                    | Status::Cancelled
                    | Status::PartiallyRefunded
                    | Status::Refunded
                    | Status::Disputed => {}
                }
                let partly = status == Status::Completed && self.refunded > Money::ZERO;
                self.status = if partly {
                    Status::PartiallyRefunded
                } else {
                    status
                };
                self.updated_at = now;
                Ok(Stepped::To(Box::new(self)))
            }
        }
    }

    /// What of the amount is still to come, after what arrived and was not given back.
    pub fn missing(&self) -> Money {
        let left = self
            .received()
            .and_then(|all| all.checked_sub(self.refunded));
        let missing = left.and_then(|left| self.amount.checked_sub(left));
        missing.unwrap_or_default().max(Money::ZERO)
    }

    /// What arrived and was not given back.
    pub fn left(&self) -> Money {
        let received = self.received().unwrap_or_default();
        received.checked_sub(self.refunded).unwrap_or_default()
    }

    /// The merchant takes what arrived for what was asked for, if anything did.
    pub fn accept(self, now: Timestamp) -> Result<Stepped, WrongStatus> {
        let nothing = self.missing() == self.amount;
        if nothing && self.paid_at.is_none() {
            return Err(WrongStatus(self.status_at(now)));
        }
        self.step(Event::Accepted, now)
    }

    /// All that arrived. None beyond the largest amount.
    pub fn received(&self) -> Option<Money> {
        sum(self.payments.iter())
    }

    /// What of it is in the ledger.
    pub fn credited(&self) -> Option<Money> {
        sum(self.payments.iter().filter(|one| one.entry.is_some()))
    }
}

fn sum<'a>(mut payments: impl Iterator<Item = &'a Payment>) -> Option<Money> {
    payments.try_fold(Money::ZERO, |sum, payment| sum.checked_add(payment.amount))
}
