//! Money out without a delivery: held first, as for an order, then appended to the ledger.
//!
//! Keeps: what a debit takes was held, so no two spend it; a reference is debited once; no refusal is
//! told before a durable look-up of the reference.

use std::sync::Arc;

use super::{
    Cover, Credit, CreditHold,
    credit::find,
    messages::{DebitHeld, OpenDebit},
};
use crate::{
    actors::ask::ask,
    engine::Debited,
    fault::Fault,
    fulfillments::fulfiller::Fulfiller,
    journal::{CreditIntent, Verdict},
    relationships::RelationshipScope,
};

/// Appends a debit, once per reference. Its amount is below zero; with [`Cover::Available`] the entry
/// takes less if there is less.
pub(crate) async fn debit(
    fulfiller: &Fulfiller,
    scope: RelationshipScope,
    debit: Credit,
    cover: Cover,
) -> Result<Debited, Fault> {
    assert!(
        debit.kind.takes() && debit.amount.is_negative(),
        "a debit takes"
    );
    let hold = match open(fulfiller, scope, &debit, cover).await? {
        DebitHeld::Money(hold) => hold,
        DebitHeld::Running => return Ok(Debited::Running),
        DebitHeld::Short { available } => {
            return match find(fulfiller, &debit).await {
                Ok(Some(found)) => Ok(Debited::Replayed(found)),
                // What memory says may be told only while this process is known to own it.
                Ok(None) if fulfiller.lanes.ownership.is_fresh() => {
                    Ok(Debited::Short { available })
                }
                Ok(None) | Err(_) => Err(Fault::OutcomeUnknown),
            };
        }
    };
    let amount = -hold.held().expect("a debit holds what it takes");
    let debit = Arc::new(Credit { amount, ..debit });
    append(fulfiller, debit, hold).await
}

async fn open(
    fulfiller: &Fulfiller,
    scope: RelationshipScope,
    debit: &Credit,
    cover: Cover,
) -> Result<DebitHeld, Fault> {
    let balances = &fulfiller.balances;
    loop {
        let handle = balances.handle(scope.balance, scope.relationship).await?;
        let held = ask(&handle.actor, |reply| OpenDebit {
            reference: (debit.kind, debit.reference.clone()),
            amount: -debit.amount,
            cover,
            reply,
        });
        match held.await {
            Ok(held) => return Ok(held),
            Err(_) => balances.registry.bury(scope.balance, &handle),
        }
    }
}

async fn append(
    fulfiller: &Fulfiller,
    debit: Arc<Credit>,
    hold: CreditHold,
) -> Result<Debited, Fault> {
    let ownership = Arc::clone(&fulfiller.lanes.ownership);
    let intent = CreditIntent::new(Arc::clone(&debit), hold, ownership);
    match fulfiller.lanes.credit(intent, debit.balance).await {
        Verdict::Committed(intent, stamp) => Ok(Debited::Fresh(intent.settle(stamp).await)),
        Verdict::Duplicate(intent) => {
            drop(intent);
            let found = find(fulfiller, &debit).await;
            let found = found.ok().flatten().ok_or(Fault::OutcomeUnknown)?;
            Ok(Debited::Replayed(found))
        }
        // An earlier call with this reference may have been executed when this one could not be.
        Verdict::Aborted(intent, fault) => {
            drop(intent);
            match find(fulfiller, &debit).await {
                Ok(Some(found)) => Ok(Debited::Replayed(found)),
                Ok(None) | Err(_) => Err(fault),
            }
        }
        Verdict::Disowned => Err(Fault::OutcomeUnknown),
    }
}
