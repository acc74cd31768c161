//! Pure: whether there is room for a wholesale purchase: under the purchase limits, and beside those that are not paid.

use super::{OPEN_MAX, RequestedBy, Status, StockRequest, UNPAID_A_DAY_MAX};
use crate::{
    balances::Spending,
    clock::Timestamp,
    fulfillments::{NO_KEY, Refusal},
    money::Money,
    relationships::{Committed, Terms},
};

/// How many purchases of a relationship are not paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpaid {
    /// Those that wait for money.
    pub waiting: i64,
    /// Those of the last day, however they stand.
    pub today: i64,
}

/// Why a purchase is not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOpened {
    /// As many as may be wait for money already.
    TooMany,
    /// As many as may be were opened within a day and not paid.
    TooManyToday,
    Limit(Refusal),
}

/// Whether one more may be opened.
pub fn may_open(
    unpaid: Unpaid,
    (terms, spending): (&Terms, &Spending),
    committed: Committed,
    cost: Money,
    now: Timestamp,
) -> Result<(), NotOpened> {
    if unpaid.waiting >= OPEN_MAX {
        return Err(NotOpened::TooMany);
    }
    if unpaid.today >= UNPAID_A_DAY_MAX {
        return Err(NotOpened::TooManyToday);
    }
    within_limits(terms, spending, committed, cost, now).map_err(NotOpened::Limit)
}

/// Counts what the ledger says and what is committed beside it.
pub fn within_limits(
    terms: &Terms,
    spending: &Spending,
    committed: Committed,
    cost: Money,
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut all = spending.clone();
    all.advance(now);
    all.check((terms, committed), NO_KEY, cost)
}

/// Whether money that comes for a purchase that is over may still buy it: its merchant did not end it, and the limits
/// leave room for it as for one that is asked for now.
pub fn may_revive(
    request: &StockRequest,
    (terms, spending): (&Terms, &Spending),
    committed: Committed,
    now: Timestamp,
) -> bool {
    let over = match request.status_at(now) {
        Status::Expired => true,
        Status::Cancelled => request.cancelled_by == Some(RequestedBy::Reseller),
        Status::Requested
        | Status::Invoiced
        | Status::Paying
        | Status::Paid
        | Status::Allocating
        | Status::Allocated
        | Status::Delivered
        | Status::Revoked => false,
    };
    over && within_limits(terms, spending, committed, request.total, now).is_ok()
}
