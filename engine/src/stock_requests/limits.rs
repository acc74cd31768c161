//! Pure: whether the purchase limits leave room for a wholesale purchase.

use crate::{
    balances::Spending,
    clock::Timestamp,
    fulfillments::{NO_KEY, Refusal},
    money::Money,
    relationships::Terms,
};

/// What was asked for and is not in the ledger: it waits for money, or was paid from elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    pub today: Money,
    pub month: Money,
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
    let largest = |sum: Money, more: Money| sum.max(more);
    let add = |sum: Money, more| sum.checked_add(more).unwrap_or(largest(sum, more));
    all.today = add(all.today, committed.today);
    all.month = add(all.month, committed.month);
    all.check(terms, NO_KEY, cost)
}
