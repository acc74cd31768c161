//! Money in: appended to the ledger first, spendable afterwards.

use std::sync::Arc;

use super::{Credit, messages::OpenCredit};
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
    let terms = fulfiller.snapshots.terms(scope.relationship).await?;
    let terms = terms.ok_or(Fault::Aborted {
        reason: "no such relationship",
    })?;
    let hold = loop {
        let handle = fulfiller.balances.handle(scope.balance, &terms).await?;
        match ask(&handle.actor, |reply| OpenCredit { reply }).await {
            Ok(hold) => break hold,
            Err(_) => fulfiller.balances.registry.bury(scope.balance, &handle),
        }
    };
    let intent = CreditIntent::new(Arc::clone(&credit), hold);
    match fulfiller.lanes.credit(intent, scope.balance).await {
        Verdict::Committed(intent, stamp) => Ok(Credited::Fresh(intent.settle(stamp).await)),
        Verdict::Duplicate(_) => {
            let reader = fulfiller.lanes.reader(scope.balance).await;
            let reader = reader.map_err(|_| Fault::OutcomeUnknown)?;
            let found = reader
                .credit(scope.balance, credit.kind, &credit.reference)
                .await;
            if found.is_err() {
                fulfiller.lanes.reader_lost(scope.balance);
            }
            let found = found.ok().flatten().ok_or(Fault::OutcomeUnknown)?;
            Ok(Credited::Replayed(found))
        }
        Verdict::Aborted(_, fault) => Err(fault),
        Verdict::Disowned => Err(Fault::OutcomeUnknown),
    }
}
