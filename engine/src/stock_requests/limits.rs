//! Pure: whether the purchase limits leave room for a wholesale purchase.

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
