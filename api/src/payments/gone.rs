//! Payments that counted and are in their chain no more: blocks deeper than a payment had to be were replaced.
//!
//! Keeps: nothing is taken back for what a node does not know for a moment. It has to be as far as its network was
//! ever read, and to find the transaction in none of as many new blocks as make a payment final. Whoever starts
//! anew counts anew. What was taken back is asked for no more; what cannot be taken back now keeps no other.

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
use futures_util::{FutureExt as _, future::BoxFuture};
use persistence::{
    payments::{self, Counted},
    top_ups,
};

use super::{
    chains::Chain,
    reverse::{Reversed, reverse},
    rpc::Transfer,
};
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
    /// What it brought is gone with it, or it brought nothing.
    TakenBack,
}

impl Gone {
    /// Forgets all others.
    fn keep(&self, sources: &HashSet<&str>) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|source, _| sources.contains(source.as_str()));
    }

    /// Nobody asks for it any more.
    fn is_over(&self, source: &str) -> bool {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match found.get(source) {
            Some(Found::Final | Found::TakenBack) => true,
            Some(Found::MissingSince(_)) | None => false,
        }
    }

    fn taken_back(&self, source: &str) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.insert(source.to_owned(), Found::TakenBack);
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
            Found::Final | Found::TakenBack => false,
            Found::MissingSince(since) => {
                // A chain that became shorter counts anew.
                *since = head.min(*since);
                head - *since >= u64::from(confirmations)
            }
        }
    }
}

/// Takes back what counted lately and is gone, after a look that read all that can still change.
pub(super) async fn look(app: &App, chain: &Chain, read: (u64, u64, &[Transfer]), now: Timestamp) {
    if let Err(error) = take_back(app, chain, read, now).await {
        let (network, code) = (&chain.network, error.code().name());
        tracing::warn!(network, code, "could not look for what is gone: {code}");
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
    let block = |one| block_of(chain, one, told).boxed();
    let undo = |one| gone(app, one, now).boxed();
    each((&chain.network, &chain.gone), &lately, head, (block, undo)).await;
    Ok(())
}

/// Judges each for itself: what cannot be taken back is at the next look, and holds nobody else up.
async fn each<'a>(
    (network, gone): (&str, &Gone),
    lately: &'a [Counted],
    head: u64,
    (block_of, take_back): (
        impl Fn(&'a Counted) -> BoxFuture<'a, Result<Option<u64>, Unavailable>>,
        impl Fn(&'a Counted) -> BoxFuture<'a, Result<Reversed, ApiError>>,
    ),
) {
    for one in lately {
        if gone.is_over(&one.source) {
            continue;
        }
        let confirmations = one.deposit.token.confirmations;
        match block_of(one).await {
            Ok(Some(block)) => gone.found(&one.source, (block, head)),
            Ok(None) if gone.missing(&one.source, head, confirmations) => {
                match take_back(one).await {
                    Ok(Reversed::Done) => gone.taken_back(&one.source),
                    Ok(Reversed::NotYet) => {}
                    Err(error) => {
                        let (code, id) = (error.code().name(), one.invoice);
                        tracing::warn!(
                            network,
                            code,
                            invoice.id = %id,
                            "could not take back what is gone: {code}"
                        );
                    }
                }
            }
            Ok(None) | Err(Unavailable) => {}
        }
    }
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

async fn gone(app: &App, one: &Counted, now: Timestamp) -> Result<Reversed, ApiError> {
    let found = top_ups::find_of(&app.database, one.merchant, one.invoice).await?;
    let invoice = found.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let mut payments = invoice.payments.iter();
    let Some(payment) = payments.find(|payment| payment.source == one.source) else {
        return Ok(Reversed::Done);
    };
    let reversed = reverse(app, (&invoice, payment), (Actor::job(JOB), now)).await?;
    if reversed == Reversed::Done {
        tracing::warn!(
            invoice.id = %invoice.id,
            "a payment that counted is in its chain no more: it was taken back"
        );
    }
    Ok(reversed)
}

#[cfg(test)]
mod tests {
    use engine::{
        chains::{EvmAddress, Token},
        ids::{InvoiceId, MerchantId},
        payments::Deposit,
    };
    use uuid::Uuid;

    use super::*;

    const NOWHERE: EvmAddress = EvmAddress::from_bytes([7; 20]);

    fn counted(source: &str) -> Counted {
        Counted {
            merchant: MerchantId::from_uuid(Uuid::nil()),
            invoice: InvoiceId::from_uuid(Uuid::nil()),
            deposit: Deposit {
                address: NOWHERE,
                token: Token {
                    network: "base".to_owned(),
                    chain_id: 8453,
                    contract: NOWHERE,
                    decimals: 6,
                    confirmations: 12,
                },
            },
            source: source.to_owned(),
        }
    }

    /// What is asked to be taken back in a look that finds none of these.
    async fn taken_back(
        gone: &Gone,
        lately: &[Counted],
        head: u64,
        answer: fn(&str) -> Result<Reversed, ApiError>,
    ) -> Vec<String> {
        let asked = Mutex::new(Vec::new());
        let in_no_block = |_| async { Ok(None) }.boxed();
        let take_back = |one: &Counted| {
            asked.lock().unwrap().push(one.source.clone());
            let answer = answer(&one.source);
            async move { answer }.boxed()
        };
        each(("base", gone), lately, head, (in_no_block, take_back)).await;
        asked.into_inner().unwrap()
    }

    #[tokio::test]
    async fn payment_that_cannot_be_taken_back_now_keeps_no_other_and_is_asked_again() {
        let lately = ["a", "b", "c"].map(counted);
        let gone = Gone::default();
        let fails = |source: &str| match source {
            "a" => Err(ApiError::new(Code::Overloaded)),
            "b" => Ok(Reversed::NotYet),
            _ => Ok(Reversed::Done),
        };
        assert!(taken_back(&gone, &lately, 1000, fails).await.is_empty());
        let asked = taken_back(&gone, &lately, 1012, fails).await;
        assert_eq!(asked, ["a", "b", "c"]);
        let done = |_: &str| Ok(Reversed::Done);
        let asked = taken_back(&gone, &lately, 1012, done).await;
        assert_eq!(asked, ["a", "b"], "what was taken back is not asked again");
        assert!(taken_back(&gone, &lately, 1013, done).await.is_empty());
        // A process that starts anew counts anew.
        let gone = Gone::default();
        assert!(taken_back(&gone, &lately, 1013, done).await.is_empty());
        assert_eq!(taken_back(&gone, &lately, 1025, done).await.len(), 3);
    }

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
        assert!(!gone.is_over("a"));
        gone.found("a", (100, 100 + deep));
        assert!(gone.is_over("a") && !gone.missing("a", 5000, 1));
        gone.keep(&HashSet::from(["b"]));
        assert!(!gone.is_over("a"));
    }
}
