//! Pure: whether the purchase limits leave room for a wholesale purchase.

use super::{RequestedBy, Status, StockRequest};
use crate::{
    balances::Spending,
    clock::Timestamp,
    fulfillments::{NO_KEY, Refusal},
    money::Money,
    relationships::{Committed, Terms},
};

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
