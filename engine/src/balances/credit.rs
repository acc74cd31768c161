//! Money in: appended to the ledger first, spendable afterwards.

use std::sync::Arc;

use super::{Credit, CreditEntry, messages::OpenCredit};
use crate::{
    actors::ask::ask,
    engine::Credited,
    fault::Fault,
    fulfillments::fulfiller::Fulfiller,
    journal::{CreditIntent, Verdict},
    relationships::RelationshipScope,
};

/// Appends a credit, once per reference, and returns when it can be spent.
pub(crate) async fn credit(
    fulfiller: &Fulfiller,
    scope: RelationshipScope,
    credit: Arc<Credit>,
) -> Result<Credited, Fault> {
    assert_eq!(
        credit.balance, scope.balance,
        "a credit is of the balance in scope"
    );
    let hold = loop {
        let balances = &fulfiller.balances;
        let handle = balances.handle(scope.balance, scope.relationship).await?;
        match ask(&handle.actor, |reply| OpenCredit { reply }).await {
            Ok(hold) => break hold,
            Err(_) => fulfiller.balances.registry.bury(scope.balance, &handle),
        }
    };
    if crate::sabotage::breaks("credit_before_commit") {
        hold.spend_now(&credit);
    }
    let ownership = Arc::clone(&fulfiller.lanes.ownership);
    let intent = CreditIntent::new(Arc::clone(&credit), hold, ownership);
    match fulfiller.lanes.credit(intent, scope.balance).await {
        Verdict::Committed(intent, stamp) => Ok(Credited::Fresh(intent.settle(stamp).await)),
        Verdict::Duplicate(_) => {
            let found = find(fulfiller, &credit).await;
            let found = found.ok().flatten().ok_or(Fault::OutcomeUnknown)?;
            Ok(Credited::Replayed(found))
        }
        // An earlier call with this reference may have been executed when this one could not be.
        Verdict::Aborted(_, fault) => match find(fulfiller, &credit).await {
            Ok(Some(found)) => Ok(Credited::Replayed(found)),
            Ok(None) | Err(_) => Err(fault),
        },
        Verdict::Disowned => Err(Fault::OutcomeUnknown),
    }
}

/// The entry that this reference has already.
pub(super) async fn find(
    fulfiller: &Fulfiller,
    credit: &Credit,
) -> Result<Option<CreditEntry>, Fault> {
    let reader = fulfiller.lanes.reader(credit.balance).await?;
    let found = reader.credit(credit.balance, credit.kind, &credit.reference);
    let found = found.await;
    if let Err(fault) = &found {
        let lanes = &fulfiller.lanes;
        lanes.look_up_failed(credit.balance, &reader, fault);
    }
    found
}
