//! One wholesale purchase, and its life.
//!
//! Keeps: [`StockRequest::step`] is the only way from one status to another. Money that came is kept by serials
//! or is owed to the balance, never both.

use chrono::TimeDelta;

use super::bill::Bill;
use crate::{
    catalog::Sku,
    clock::Timestamp,
    fulfillments::{Agreed, OrderId, Purchase},
    ids::{EntryId, StockRequestId, WithdrawalId},
    money::Money,
    payments::{self, Coin},
    relationships::RelationshipScope,
};

/// Longest note and reason, in characters.
pub const NOTE_CHARS_MAX: usize = 500;
/// How long a request, and its price, waits to be invoiced.
pub const VALID_DAYS: i64 = 7;
/// How long an invoice, and its price, waits for money.
pub const INVOICE_HOURS: i64 = 24;
/// Requests of one relationship that wait for money.
pub const OPEN_MAX: i64 = 20;
/// Requests of one relationship that were opened within a day and not paid, however they stand.
pub const UNPAID_A_DAY_MAX: i64 = 100;
/// The coin that means the prepaid balance.
pub const BALANCE: &str = "BALANCE";

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Requested,
    Invoiced,
    /// It is decided that the balance pays, and not known that it did.
    Paying,
    Paid,
    /// It is decided that serials leave the shelf for it, and not known that they did.
    Allocating,
    Allocated,
    /// Every item that was not taken back went to a customer.
    Delivered,
    Cancelled,
    Expired,
    Revoked,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Invoiced,
    /// The balance is to pay.
    PayBegun,
    /// It did not pay after all.
    PayRefused,
    /// Money came, from elsewhere.
    Paid,
    /// Money came for a request that is over and cannot be had any more.
    PaidInVain,
    AllocationBegun,
    /// The shelf has too few.
    AllocationRefused,
    /// The serials are the reseller's.
    Allocated,
    Delivered,
    /// By the one who asked, before it is paid, or by the merchant.
    Cancelled(RequestedBy),
    Expired,
    Revoked,
}

impl Status {
    pub const ALL: [Self; 10] = [
        Self::Requested,
        Self::Invoiced,
        Self::Paying,
        Self::Paid,
        Self::Allocating,
        Self::Allocated,
        Self::Delivered,
        Self::Cancelled,
        Self::Expired,
        Self::Revoked,
    ];

    /// Whether it ended and was not carried out.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Cancelled | Self::Expired => true,
            Self::Requested
            | Self::Invoiced
            | Self::Paying
            | Self::Paid
            | Self::Allocating
            | Self::Allocated
            | Self::Delivered
            | Self::Revoked => false,
        }
    }

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Invoiced => "INVOICED",
            Self::Paying => "PAYING",
            Self::Paid => "PAID",
            Self::Allocating => "ALLOCATING",
            Self::Allocated => "ALLOCATED",
            Self::Delivered => "DELIVERED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// As it is told: what is not carried out yet did not happen yet.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Paying => "REQUESTED",
            Self::Allocating => "PAID",
            Self::Requested
            | Self::Invoiced
            | Self::Paid
            | Self::Allocated
            | Self::Delivered
            | Self::Cancelled
            | Self::Expired
            | Self::Revoked => self.name(),
        }
    }

    /// Whether what the event brings about is so already.
    const fn is_behind(self, event: Event) -> bool {
        match event {
            Event::Invoiced => matches!(self, Self::Invoiced),
            Event::PayBegun => matches!(self, Self::Paying),
            Event::PayRefused => matches!(self, Self::Requested),
            Event::Paid | Event::PaidInVain => matches!(
                self,
                Self::Paid | Self::Allocating | Self::Allocated | Self::Delivered | Self::Revoked
            ),
            Event::AllocationBegun => {
                matches!(self, Self::Allocating | Self::Allocated | Self::Delivered)
            }
            Event::AllocationRefused => matches!(self, Self::Paid),
            Event::Allocated => matches!(self, Self::Allocated | Self::Delivered | Self::Revoked),
            Event::Delivered => matches!(self, Self::Delivered),
            Event::Cancelled(_) => matches!(self, Self::Cancelled),
            Event::Expired => matches!(self, Self::Expired),
            Event::Revoked => matches!(self, Self::Revoked),
        }
    }
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedBy {
    Reseller,
    Merchant,
}

impl RequestedBy {
    const BOTH: [Self; 2] = [Self::Reseller, Self::Merchant];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Reseller => "RESELLER",
            Self::Merchant => "MERCHANT",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|one| one.name() == name)
    }
}

/// Its items, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub available: u64,
    pub delivered: u64,
    pub revoked: u64,
    pub replaced: u64,
}

impl Counts {
    /// What follows for the request from what became of its items; none as long as some are left.
    pub const fn end(self) -> Option<Event> {
        if self.available > 0 {
            None
        } else if self.delivered > 0 {
            Some(Event::Delivered)
        } else {
            Some(Event::Revoked)
        }
    }
}

/// A wholesale purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRequest {
    pub id: StockRequestId,
    /// Its place in lists.
    pub number: i64,
    pub scope: RelationshipScope,
    pub sku: Sku,
    pub quantity: u32,
    pub agreed: Agreed,
    /// Unit price × quantity.
    pub total: Money,
    pub requested_by: RequestedBy,
    pub note: Option<String>,
    /// What it is meant to be paid in.
    pub coin: Option<Coin>,
    pub status: Status,
    pub status_reason: Option<String>,
    /// Who cancelled it, where somebody did and that is known.
    pub cancelled_by: Option<RequestedBy>,
    /// The balance was to pay with the answer: a refusal ends it, because nobody saw it waiting.
    pub at_once: bool,
    pub bill: Option<Bill>,
    /// What of the price is there, where that is known and may be less than all of it.
    pub paid: Option<Money>,
    /// What the merchant finds the money by, where it came from elsewhere.
    pub payment_reference: Option<String>,
    /// The entry of the ledger, where the balance paid.
    pub entry: Option<EntryId>,
    /// What of its price went back to the balance, or is about to.
    pub refunded: Money,
    /// What arrived beyond its price, went to the balance, and was not taken back since.
    pub surplus: Money,
    pub counts: Counts,
    pub expires_at: Timestamp,
    pub invoiced_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    pub allocated_at: Option<Timestamp>,
    /// When it was bought after its end: from then on it counts against the purchase limits.
    pub revived_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The status does not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongStatus(pub Status);

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    To(Box<StockRequest>),
    /// Nothing is changed.
    Already(Box<StockRequest>),
}

impl Stepped {
    /// The request, moved or not.
    pub fn into_request(self) -> StockRequest {
        match self {
            Self::To(request) | Self::Already(request) => *request,
        }
    }
}

impl StockRequest {
    /// What it is, also where nobody has stored yet that its time is over.
    pub fn status_at(&self, now: Timestamp) -> Status {
        match self.status {
            Status::Requested | Status::Invoiced if now >= self.expires_at => Status::Expired,
            status => status,
        }
    }

    /// As it is told.
    pub fn told(&self, now: Timestamp) -> &'static str {
        self.status_at(now).told()
    }

    /// Where an event leads from `from`; the same if it is there already, none if that does not allow it.
    fn after(&self, from: Status, event: Event) -> Option<Status> {
        use Status::{
            Allocated, Allocating, Cancelled, Delivered, Expired, Invoiced, Paid, Paying,
            Requested, Revoked,
        };
        match (from, event) {
            (Requested, Event::Invoiced) => Some(Invoiced),
            (Requested, Event::PayBegun) => Some(Paying),
            (Paying, Event::PayRefused) if self.at_once => Some(Cancelled),
            (Paying, Event::PayRefused) => Some(Requested),
            (Requested | Invoiced, Event::Paid) | (Allocating, Event::AllocationRefused) => {
                Some(Paid)
            }
            (Cancelled | Expired, Event::Paid) if self.paid_at.is_none() => Some(Paid),
            // Whoever says it again changes nothing.
            (Cancelled | Expired, Event::Paid | Event::PaidInVain) => Some(from),
            (Paid, Event::AllocationBegun) => Some(Allocating),
            // What was paid went back to the balance: nothing of it is the reseller's.
            (Cancelled | Expired, Event::Allocated) if self.is_given_back() => Some(Revoked),
            // Whatever was stored meanwhile: what was debited and claimed is the truth.
            (
                Requested | Invoiced | Paying | Paid | Allocating | Cancelled | Expired,
                Event::Allocated,
            ) => Some(Allocated),
            (Allocated, Event::Delivered) => Some(Delivered),
            // Whether it is paid is about to be known.
            (Invoiced, Event::Cancelled(_)) if self.is_confirming() => None,
            (Requested | Invoiced, Event::Cancelled(_))
            | (Paid, Event::Cancelled(RequestedBy::Merchant)) => Some(Cancelled),
            (Requested | Invoiced, Event::Expired) => Some(Expired),
            (Allocated | Delivered, Event::Revoked) => Some(Revoked),
            _ if from.is_behind(event) => Some(from),
            _ => None,
        }
    }

    /// Takes a step from where it stands.
    pub fn step(mut self, event: Event, now: Timestamp) -> Result<Stepped, WrongStatus> {
        let from = if matches!(event, Event::Expired | Event::Allocated) {
            self.status
        } else {
            self.status_at(now)
        };
        let to = self.after(from, event).ok_or(WrongStatus(from))?;
        let in_vain = event == Event::PaidInVain && self.paid_at.is_none();
        if to == from && !in_vain {
            return Ok(Stepped::Already(Box::new(self)));
        }
        if in_vain {
            self.paid_at = Some(now);
        }
        if let Event::Cancelled(by) = event {
            self.cancelled_by = Some(by);
        }
        if to == Status::Paid && from.is_over() {
            self.revived_at = Some(now);
        }
        match to {
            Status::Invoiced if self.invoiced_at.is_none() => {
                self.invoiced_at = Some(now);
                self.expires_at = now + TimeDelta::hours(INVOICE_HOURS);
            }
            Status::Paid => self.paid_at = self.paid_at.or(Some(now)),
            Status::Allocated | Status::Revoked => {
                self.paid_at = self.paid_at.or(Some(now));
                self.allocated_at = self.allocated_at.or(Some(now));
            }
            Status::Requested
            | Status::Invoiced
            | Status::Paying
            | Status::Allocating
            | Status::Delivered
            | Status::Cancelled
            | Status::Expired => {}
        }
        self.status = to;
        self.updated_at = now;
        self.keep_bill();
        Ok(Stepped::To(Box::new(self)))
    }

    fn is_confirming(&self) -> bool {
        let status = self.invoice().map(|invoice| invoice.status);
        status == Some(payments::Status::Confirming)
    }

    /// What counts against the purchase limits beside the ledger. What the balance is about to pay is judged
    /// when it does.
    pub fn commits(&self) -> Money {
        match self.status {
            Status::Paying | Status::Cancelled | Status::Expired => Money::ZERO,
            _ if self.entry.is_some() => Money::ZERO,
            Status::Requested
            | Status::Invoiced
            | Status::Paid
            | Status::Allocating
            | Status::Allocated
            | Status::Delivered
            | Status::Revoked => self.total.checked_sub(self.refunded).unwrap_or_default(),
        }
    }

    /// Whether it counts against the purchase limits as it did before.
    pub fn counts_as(&self, before: &Self) -> bool {
        (self.commits(), self.revived_at) == (before.commits(), before.revived_at)
    }

    /// It as the engine executes it, at the price that was agreed on.
    pub fn purchase(&self) -> Purchase {
        Purchase {
            scope: self.scope,
            id: self.id,
            sku: self.sku,
            quantity: self.quantity,
            agreed: Some(self.agreed),
        }
    }

    /// Under which the balance pays, once.
    pub fn order_id(&self) -> OrderId {
        OrderId::of_stock_request(self.id)
    }

    /// The withdrawal that takes its serials off their shelf, where the balance did not pay.
    pub const fn withdrawal(&self) -> WithdrawalId {
        WithdrawalId::from_uuid(self.id.uuid())
    }

    /// Whether it is meant to be paid from the balance.
    pub fn wants_balance(&self) -> bool {
        self.coin
            .as_ref()
            .is_some_and(|coin| coin.as_str() == BALANCE)
    }
}
