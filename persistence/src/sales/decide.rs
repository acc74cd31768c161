//! The merchant approves a commission early, or takes what is left of it back.

use std::sync::Arc;

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{MerchantId, RelationshipId, SaleId},
    random::Random,
    sales::{Movement, Sale, Stepped, WrongStatus},
};

use super::{earnings, rows};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

/// What the merchant decides about a commission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Approve,
    /// With what is said to it.
    Reverse(String),
}

/// The sale after it, and whether it was so before; none if this relationship has none such.
pub async fn decide(
    db: &Database,
    random: Arc<dyn Random>,
    (of, id): ((MerchantId, RelationshipId), SaleId),
    verdict: Verdict,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Result<(Sale, bool), WrongStatus>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        if rows::find_own(&mut tx, of, id).await?.is_none() {
            return Ok(None);
        }
        let mut account = earnings::lock(&mut tx, of).await?;
        // Read anew under the lock.
        let Some(sale) = rows::find_own(&mut tx, of, id).await? else {
            return Ok(None);
        };
        let left = sale.commission.rest();
        let (stepped, action) = match verdict {
            Verdict::Approve => (sale.approve(now), "commission.approve"),
            Verdict::Reverse(note) => (sale.reverse(note, now), "commission.reverse"),
        };
        let (sale, movement) = match stepped {
            Err(wrong) => return Ok(Some(Err(wrong))),
            Ok(Stepped::Already(sale)) => return Ok(Some(Ok((*sale, true)))),
            Ok(Stepped::To(sale, movement)) => (*sale, movement),
        };
        if !account
            .store(&mut tx, movement, (id.uuid(), &*random), now)
            .await?
        {
            return Err(Error::Inconsistent {
                what: "the earnings that a commission is part of",
            });
        }
        rows::store(&mut tx, &sale).await?;
        if matches!(movement, Movement::Approved(_)) {
            rows::tell_approved(&mut tx, &sale, now).await?;
        } else {
            rows::tell_reversed(&mut tx, &sale, left, now).await?;
        }
        let what = (action, id.commission().to_string());
        rows::note(&mut tx, of.0, what, (actor, now)).await?;
        commit(tx).await?;
        Ok(Some(Ok((sale, false))))
    })
    .await
}
