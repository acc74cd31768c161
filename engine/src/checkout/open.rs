//! The customer says yes: the visit becomes an invoice.

use chrono::TimeDelta;

use super::{Quote, Session, SessionStatus};
use crate::{
    clock::Timestamp,
    ids::{InvoiceId, RelationshipId},
    money::Money,
    payments::{Coin, Invoice, Origin, Pay, ProviderKind, Purpose, Status},
};

/// How long an invoice of a customer waits for money.
pub const INVOICE_MINUTES: i64 = 60;
/// Invoices of one customer, at one merchant, that wait for money.
pub const OPEN_OF_CUSTOMER_MAX: u32 = 3;
/// The same of one network address, at all merchants.
pub const OPEN_OF_ADDRESS_MAX: u32 = 10;

/// What is known when the customer says yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// How many invoices of the customer and of the address wait for money already.
    pub of_customer: u32,
    pub of_address: u32,
}

impl Facts {
    /// Whether one more is too many.
    pub const fn are_many(self) -> bool {
        self.of_customer >= OPEN_OF_CUSTOMER_MAX || self.of_address >= OPEN_OF_ADDRESS_MAX
    }
}

/// The invoice that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub id: InvoiceId,
    /// Of each line, in its order.
    pub quotes: Vec<Quote>,
    pub coin: Coin,
    pub provider: ProviderKind,
    pub pay: Pay,
    /// Who brought the customer.
    pub relationship: Option<RelationshipId>,
}

/// Why there is no invoice, in the order in which it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The visit is over, or has its invoice.
    Over,
    /// The listing that the customer came for is not offered any more, or its campaign does not sell it.
    NotOffered,
    /// More than an amount can be.
    TooDear,
    /// The customer saw another price than this one, or the cart was changed since.
    PriceChanged(Money),
    TooManyOpen,
}

/// The invoice, or why there is none.
pub fn open(
    facts: Facts,
    session: &Session,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Invoice, Refusal> {
    if session.status_at(now) != SessionStatus::Open {
        return Err(Refusal::Over);
    }
    let mut totals = wanted.quotes.iter().map(|quote| quote.total);
    let amount = totals.try_fold(Money::ZERO, Money::checked_add);
    let amount = amount.ok_or(Refusal::TooDear)?;
    if !session.cart.is_quoted_by(&wanted.quotes) {
        return Err(Refusal::PriceChanged(amount));
    }
    if facts.are_many() {
        return Err(Refusal::TooManyOpen);
    }
    Ok(Invoice {
        id: wanted.id,
        merchant: session.merchant,
        purpose: Purpose::Checkout,
        relationship: wanted.relationship,
        origin: Origin::Customer,
        status: Status::Open,
        amount,
        coin: wanted.coin,
        provider: wanted.provider,
        pay: wanted.pay,
        expires_at: now + TimeDelta::minutes(INVOICE_MINUTES),
        paid_at: None,
        completed_at: None,
        created_at: now,
        updated_at: now,
        refunded: Money::ZERO,
        payments: Vec::new(),
    })
}
