//! One wholesale purchase, and its life.
//!
//! Keeps: [`StockRequest::step`] is the only way from one status to another.

use crate::{
    catalog::Sku,
    clock::Timestamp,
    fulfillments::{Agreed, OrderId, Purchase},
    ids::{EntryId, InvoiceId, StockRequestId, WithdrawalId},
    money::Money,
    payments::{Coin, Pay, ProviderKind},
    relationships::RelationshipScope,
};

/// Longest note and reason, in characters.
pub const NOTE_CHARS_MAX: usize = 500;
/// How long a request, and its price, waits for money.
pub const VALID_DAYS: i64 = 7;
/// Requests of one relationship that wait for money.
pub const OPEN_MAX: i64 = 20;
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
    AllocationBegun,
    /// The shelf has too few.
    AllocationRefused,
    /// The serials are the reseller's.
    Allocated,
    Delivered,
    Cancelled,
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

    /// Where an event leads; itself if it is there already, none if the status does not allow it.
    const fn after(self, event: Event, billed: bool) -> Option<Self> {
        match (self, event) {
            (Self::Requested, Event::Invoiced) => Some(Self::Invoiced),
            (Self::Requested | Self::Invoiced, Event::PayBegun) => Some(Self::Paying),
            (Self::Paying, Event::PayRefused) if billed => Some(Self::Invoiced),
            (Self::Paying, Event::PayRefused) => Some(Self::Requested),
            (Self::Requested | Self::Invoiced | Self::Cancelled | Self::Expired, Event::Paid) => {
                Some(Self::Paid)
            }
            (Self::Paid, Event::AllocationBegun) => Some(Self::Allocating),
            (Self::Allocating, Event::AllocationRefused) => Some(Self::Paid),
            // Whatever was stored meanwhile: what was debited and claimed is the truth.
            (
                Self::Requested
                | Self::Invoiced
                | Self::Paying
                | Self::Paid
                | Self::Allocating
                | Self::Cancelled
                | Self::Expired,
                Event::Allocated,
            ) => Some(Self::Allocated),
            (Self::Allocated, Event::Delivered) => Some(Self::Delivered),
            (Self::Requested | Self::Invoiced | Self::Paid, Event::Cancelled) => {
                Some(Self::Cancelled)
            }
            (Self::Requested | Self::Invoiced, Event::Expired) => Some(Self::Expired),
            (Self::Allocated | Self::Delivered, Event::Revoked) => Some(Self::Revoked),
            _ if self.is_behind(event) => Some(self),
            _ => None,
        }
    }

    /// Whether what the event brings about is so already.
    const fn is_behind(self, event: Event) -> bool {
        match event {
            Event::Invoiced => matches!(self, Self::Invoiced),
            Event::PayBegun => matches!(self, Self::Paying),
            Event::PayRefused => matches!(self, Self::Requested | Self::Invoiced),
            Event::Paid => matches!(
                self,
                Self::Paid | Self::Allocating | Self::Allocated | Self::Delivered
            ),
            Event::AllocationBegun => {
                matches!(self, Self::Allocating | Self::Allocated | Self::Delivered)
            }
            Event::AllocationRefused => matches!(self, Self::Paid),
            Event::Allocated => matches!(self, Self::Allocated | Self::Delivered | Self::Revoked),
            Event::Delivered => matches!(self, Self::Delivered),
            Event::Cancelled => matches!(self, Self::Cancelled),
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

/// How a request is to be paid from elsewhere, as it was when that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    pub id: InvoiceId,
    pub coin: Coin,
    pub provider: ProviderKind,
    pub pay: Pay,
}

/// Its items, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub available: u64,
    pub delivered: u64,
    pub revoked: u64,
    pub replaced: u64,
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
    pub bill: Option<Bill>,
    /// The entry of the ledger, where the balance paid.
    pub entry: Option<EntryId>,
    /// What went back to the balance, or is about to.
    pub refunded: Money,
    pub counts: Counts,
    pub expires_at: Timestamp,
    pub invoiced_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    pub allocated_at: Option<Timestamp>,
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

    /// Takes a step from where it stands.
    pub fn step(mut self, event: Event, now: Timestamp) -> Result<Stepped, WrongStatus> {
        let at = self.status_at(now);
        let from = if matches!(event, Event::Expired | Event::Allocated) {
            self.status
        } else {
            at
        };
        let to = from.after(event, self.bill.is_some());
        let to = to.ok_or(WrongStatus(from))?;
        if to == from {
            return Ok(Stepped::Already(Box::new(self)));
        }
        match to {
            Status::Invoiced => self.invoiced_at = self.invoiced_at.or(Some(now)),
            Status::Paid => self.paid_at = self.paid_at.or(Some(now)),
            Status::Allocated => {
                self.paid_at = self.paid_at.or(Some(now));
                self.allocated_at = Some(now);
            }
            Status::Requested
            | Status::Paying
            | Status::Allocating
            | Status::Delivered
            | Status::Cancelled
            | Status::Expired
            | Status::Revoked => {}
        }
        self.status = to;
        self.updated_at = now;
        Ok(Stepped::To(Box::new(self)))
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
