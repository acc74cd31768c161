//! The final rows, as far as they are judged.
//!
//! Filled from Postgres or from tables in memory; rows may be in any order and break any constraint.
//! Ids are those of the public contract without their prefix: an entry's is its fulfillment's, a
//! serial's is its item's.

use crate::{Id, Sku};

#[derive(Clone, Debug, Default)]
pub struct Store {
    pub balances: Vec<Balance>,
    pub products: Vec<Product>,
    pub entries: Vec<Entry>,
    pub claims: Vec<Claim>,
    pub withdrawals: Vec<Withdrawal>,
    pub lanes: Vec<Lane>,
    pub batches: Vec<Batch>,
    pub imports: Vec<Import>,
    pub serials: Vec<Serial>,
    pub limits: Vec<Limits>,
    pub key_caps: Vec<KeyCap>,
    /// None if the store has no feeds.
    pub events: Option<Events>,
}

/// What machines were told.
#[derive(Clone, Debug, Default)]
pub struct Events {
    pub feeds: Vec<Feed>,
    pub spans: Vec<Span>,
    /// Up to which batch each lane's entries were told.
    pub cursors: Vec<(i32, i64)>,
    /// Nothing was waiting to be told any more.
    pub at_rest: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Feed {
    pub feed: i64,
    pub merchant: Id,
    /// None: the merchant's own.
    pub relationship: Option<Id>,
    pub test: bool,
    /// The number of its last event.
    pub seq: i64,
    /// Of a relationship's: up to which version it tells the entries of which balance.
    pub told: Option<(i64, i64)>,
}

/// Consecutive events of one feed.
#[derive(Clone, Debug)]
pub struct Span {
    pub feed: i64,
    pub first: i64,
    pub last: i64,
    /// The (balance, version) of each; none if it is one fact outside the ledgers.
    pub entries: Option<Box<[(i64, i64)]>>,
}

/// Whose balance it is.
#[derive(Clone, Copy, Debug)]
pub struct Balance {
    pub balance: i64,
    pub relationship: Id,
    pub merchant: Id,
    pub test: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Product {
    pub product: Id,
    pub merchant: Id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    Fulfillment,
    TopUp,
    Credit,
    Refund,
    Debit,
    TopUpReversal,
    StockRefund,
    DebtSettlement,
}

/// A row of the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    pub balance: i64,
    pub version: i64,
    pub kind: EntryKind,
    pub id: Id,
    pub amount: i64,
    pub balance_after: i64,
    /// Microseconds since 1970.
    pub created_at: i64,
    pub key: Option<Id>,
    /// The order id of a fulfillment, the reference of a credit.
    pub reference: Box<str>,
    pub serials: Box<[Id]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimKind {
    Fulfillment,
    Quarantine,
    Removal,
    Pull,
    Replacement,
    Stock,
    Sale,
}

/// The one use of a serial.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    pub serial: Id,
    pub kind: ClaimKind,
    pub line: i16,
    pub unit_price: i64,
    pub price_version: i64,
    /// With `version`, the entry; neither for other kinds.
    pub balance: i64,
    pub version: i64,
}

/// Serials that left a shelf together without an order.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    pub withdrawal: Id,
    pub merchant: Id,
    pub sku: Sku,
    pub kind: ClaimKind,
    pub serials: Box<[Id]>,
}

#[derive(Clone, Copy, Debug)]
pub struct Lane {
    pub lane: i32,
    pub fence: i64,
    pub seq: i64,
}

/// One commit, with the (balance, version) of the entries it wrote.
#[derive(Clone, Debug)]
pub struct Batch {
    pub lane: i32,
    pub seq: i64,
    pub fence: i64,
    pub entries: Box<[(i64, i64)]>,
}

/// Serials stored together. Their ids are the import's, with the ordinal in the low 32 bits.
#[derive(Clone, Copy, Debug)]
pub struct Import {
    pub import: Id,
    pub merchant: Id,
    pub sku: Sku,
    /// None until it is on sale.
    pub number: Option<i64>,
    /// Made for one order of test mode: never on sale.
    pub test: bool,
    /// As the import says of itself.
    pub serials: u32,
    /// Every ordinal below is claimed.
    pub low_ordinal: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct Serial {
    pub serial: Id,
    pub merchant: Id,
    /// What tells equal texts of one merchant apart from different ones.
    pub fingerprint: Id,
    pub removed: bool,
}

/// The purchase limits of a relationship when the run ended.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub relationship: Id,
    pub daily: Option<i64>,
    pub monthly: Option<i64>,
}

/// What a key may spend a day, when the run ended.
#[derive(Clone, Copy, Debug)]
pub struct KeyCap {
    pub key: Id,
    pub daily: i64,
}

impl Serial {
    pub(crate) fn import(&self) -> Id {
        import_of(self.serial)
    }
}

pub(crate) const fn import_of(serial: Id) -> Id {
    Id(serial.0 >> 32 << 32)
}
