//! Invoices of customers that nobody paid, end. Money that comes later is still theirs.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId},
    payments::{Event, Invoice, Status, Stepped, WrongStatus},
};

use super::rows::{lock, store};
use crate::{
    Database, Error,
    database::commit,
    owned,
    relationships::rows::kept,
    top_ups::rows::{Row, select_invoice},
};

/// Who the audit log says it was.
const JOB: &str = "expiry of invoices";

/// The invoice, cancelled, and whether it was so before; none if this merchant has none such.
pub async fn cancel(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<(Invoice, bool), WrongStatus>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(invoice) = lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let invoice = match invoice.step(Event::Cancelled, now) {
            Err(wrong) => return Ok(Some(Err(wrong))),
            Ok(Stepped::Already(invoice)) => return Ok(Some(Ok((*invoice, true)))),
            Ok(Stepped::To(invoice)) => *invoice,
        };
        store(&mut tx, &invoice, (actor, "invoice.cancel"), now).await?;
        commit(tx).await?;
        Ok(Some(Ok((invoice, false))))
    })
    .await
}

/// Ends at most so many invoices that are over; says how many.
pub async fn expire(db: &Database, limit: u32, now: Timestamp) -> Result<u32, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut ended = 0;
        for (merchant, id) in due(&db, limit, now).await? {
            ended += u32::from(expire_one(&db, (merchant, id), now).await?);
        }
        Ok(ended)
    })
    .await
}

async fn due(
    db: &Database,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<(MerchantId, InvoiceId)>, Error> {
    let rows: Vec<Row> = sqlx::query_as(select_invoice!(
        "WHERE i.status = 'OPEN' AND i.expires_at <= $1 AND i.purpose = 'CHECKOUT'
         ORDER BY i.expires_at LIMIT $2"
    ))
    .bind(now)
    .bind(i64::from(limit))
    .fetch_all(&mut *db.read().await?)
    .await?;
    Ok(rows.iter().map(Row::id).collect())
}

/// Found without a lock, so looked at again under it.
async fn expire_one(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
    now: Timestamp,
) -> Result<bool, Error> {
    let mut tx = db.begin().await?;
    let Some(invoice) = lock(&mut tx, merchant, id).await? else {
        return Ok(false);
    };
    if invoice.status_at(now) != Status::Expired {
        return Ok(false);
    }
    let Ok(Stepped::To(invoice)) = invoice.step(Event::Expired, now) else {
        return Ok(false);
    };
    let deed = (Actor::job(JOB), "invoice.expire");
    store(&mut tx, &invoice, deed, now).await?;
    commit(tx).await?;
    Ok(true)
}
