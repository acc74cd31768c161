//! An invoice that nobody paid yet is taken back.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, RelationshipId},
    payments::{Event, Invoice, Stepped, WrongStatus},
    top_ups::Ended,
};

use super::{automatic, rows};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

/// The invoice, cancelled, and whether it was so before; none if this relationship has none such.
pub async fn cancel(
    db: &Database,
    (of, id): ((MerchantId, RelationshipId), InvoiceId),
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<(Invoice, bool), WrongStatus>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some((balance, invoice)) = rows::lock(&mut tx, of, id).await? else {
            return Ok(None);
        };
        let before = rows::digest(&mut tx, id).await?;
        let invoice = match invoice.step(Event::Cancelled, now) {
            Err(wrong) => return Ok(Some(Err(wrong))),
            Ok(Stepped::Already(invoice)) => return Ok(Some(Ok((*invoice, true)))),
            Ok(Stepped::To(invoice)) => *invoice,
        };
        let ended = (Ended::Cancelled, now);
        automatic::ended(&mut tx, balance, &invoice, ended).await?;
        rows::store(&mut tx, &invoice, now).await?;
        let deed = (actor, "top_up.cancel");
        rows::note(&mut tx, &invoice, deed, Some(before), now).await?;
        commit(tx).await?;
        Ok(Some(Ok((invoice, false))))
    })
    .await
}
