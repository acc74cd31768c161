//! Payments that counted and are in their chain no more: blocks deeper than a payment had to be were replaced.
//!
//! Keeps: nothing is taken back for what a node does not know for a moment. It has to be as far as its network was
//! ever read, and to find the transaction in none of as many new blocks as make a payment final. Whoever starts
//! anew counts anew.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;
use engine::{
    audit::Actor,
    chains::CONFIRMATIONS_MAX,
    clock::Timestamp,
    payments::{Source, Unavailable},
};
use persistence::{
    payments::{self, Counted},
    top_ups,
};

use super::{chains::Chain, reverse::reverse, rpc::Transfer};
use crate::{
    error::{ApiError, Code},
    state::App,
};

/// Who the audit log says it was.
const JOB: &str = "watch of a chain";
/// How long a payment is looked for after it counted.
const LATELY_HOURS: i64 = 24;

/// What is known of payments that counted lately and are not among what can still change, by their sources.
#[derive(Debug, Default)]
pub(super) struct Gone(Mutex<HashMap<String, Found>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// So deep that nothing changes it any more.
    Final,
    /// In no block since this one was the last.
    MissingSince(u64),
}

impl Gone {
    /// Forgets all others.
    fn keep(&self, sources: &HashSet<&str>) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|source, _| sources.contains(source.as_str()));
    }

    fn is_final(&self, source: &str) -> bool {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(source) == Some(&Found::Final)
    }

    /// It is in the chain, in this block.
    fn found(&self, source: &str, (block, head): (u64, u64)) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if head.saturating_sub(block) >= u64::from(CONFIRMATIONS_MAX) {
            found.insert(source.to_owned(), Found::Final);
        } else {
            found.remove(source);
        }
    }

    /// It is in no block of the chain as it is now; true once that was so for as many blocks.
    fn missing(&self, source: &str, head: u64, confirmations: u16) -> bool {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = found
            .entry(source.to_owned())
            .or_insert(Found::MissingSince(head));
        match last {
            Found::Final => false,
            Found::MissingSince(since) => {
                // A chain that became shorter counts anew.
                *since = head.min(*since);
                head - *since >= u64::from(confirmations)
            }
        }
    }
}

/// Takes back what counted lately and is gone, after a look that read all that can still change. What cannot be taken
/// back now is at the next look.
pub(super) async fn look(app: &App, chain: &Chain, read: (u64, u64, &[Transfer]), now: Timestamp) {
    if let Err(error) = take_back(app, chain, read, now).await {
        let (network, code) = (&chain.network, error.code().name());
        tracing::warn!(network, code, "could not take back what is gone: {code}");
    }
}

async fn take_back(
    app: &App,
    chain: &Chain,
    (cursor, head, told): (u64, u64, &[Transfer]),
    now: Timestamp,
) -> Result<(), ApiError> {
    if head < cursor + u64::from(CONFIRMATIONS_MAX) {
        return Ok(());
    }
    let since = now - TimeDelta::hours(LATELY_HOURS);
    let lately = payments::counted_since(&app.database, &chain.network, since).await?;
    chain
        .gone
        .keep(&lately.iter().map(|one| one.source.as_str()).collect());
    for one in lately {
        if chain.gone.is_final(&one.source) {
            continue;
        }
        let confirmations = one.deposit.token.confirmations;
        match block_of(chain, &one, told).await {
            Ok(Some(block)) => chain.gone.found(&one.source, (block, head)),
            Ok(None) if chain.gone.missing(&one.source, head, confirmations) => {
                gone(app, &one, now).await?;
            }
            Ok(None) | Err(Unavailable) => {}
        }
    }
    Ok(())
}

/// The block that a payment is in, as the chain is now.
async fn block_of(
    chain: &Chain,
    one: &Counted,
    told: &[Transfer],
) -> Result<Option<u64>, Unavailable> {
    let Some(transaction) = Source::transaction(&one.source) else {
        return Err(Unavailable);
    };
    let is_it = |transfer: &&Transfer| {
        transfer.transaction == transaction && transfer.to == one.deposit.address
    };
    if let Some(transfer) = told.iter().find(is_it) {
        return Ok(Some(transfer.block));
    }
    let Some(receipt) = chain.node.receipt(transaction).await? else {
        return Ok(None);
    };
    let block = chain.node.block_hash(receipt.block).await?;
    let there = receipt.succeeded && block.as_ref() == Some(&receipt.block_hash);
    Ok(there.then_some(receipt.block))
}

async fn gone(app: &App, one: &Counted, now: Timestamp) -> Result<(), ApiError> {
    let found = top_ups::find_of(&app.database, one.merchant, one.invoice).await?;
    let invoice = found.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let mut payments = invoice.payments.iter();
    let Some(payment) = payments.find(|payment| payment.source == one.source) else {
        return Ok(());
    };
    tracing::warn!(
        invoice.id = %invoice.id,
        "a payment that counted is in its chain no more: it is taken back"
    );
    reverse(app, (&invoice, payment), (Actor::job(JOB), now)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payment_is_gone_once_as_many_new_blocks_have_it_not_as_make_it_final() {
        let gone = Gone::default();
        assert!(!gone.missing("a", 1000, 12));
        assert!(!gone.missing("a", 1011, 12));
        assert!(gone.missing("a", 1012, 12));
        assert!(gone.missing("a", 1013, 12), "it is said until it is done");
        assert!(!gone.missing("b", 1013, 12), "each for itself");
    }

    #[test]
    fn payment_that_is_found_again_is_not_missing() {
        let gone = Gone::default();
        assert!(!gone.missing("a", 1000, 12));
        gone.found("a", (1001, 1005));
        assert!(!gone.missing("a", 1012, 12));
        // A node that is behind, and what it says of fewer blocks.
        assert!(!gone.missing("a", 900, 12));
        assert!(!gone.missing("a", 911, 12));
        assert!(gone.missing("a", 912, 12));
    }

    #[test]
    fn payment_that_is_deep_enough_is_not_looked_for_again() {
        let gone = Gone::default();
        let deep = u64::from(CONFIRMATIONS_MAX);
        gone.found("a", (100, 99 + deep));
        assert!(!gone.is_final("a"));
        gone.found("a", (100, 100 + deep));
        assert!(gone.is_final("a") && !gone.missing("a", 5000, 1));
        gone.keep(&HashSet::from(["b"]));
        assert!(!gone.is_final("a"));
    }
}
