//! Invoices of customers that nobody paid, end, and what was reserved for them is free. Money that comes later
//! is still theirs.

use engine::{
    audit::Actor,
    catalog::Sku,
    checkout::Line,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, WithdrawalId},
    inventory::Ending,
    payments::{Event, Invoice, Status, Stepped, WrongStatus},
};

use sqlx::PgConnection;

use super::rows::{lines, lock, store};
use crate::{
    Database, Error,
    database::commit,
    inventory::reservations,
    owned,
    relationships::rows::kept,
    top_ups::rows::{Row, select_invoice},
};

/// Who the audit log says it was.
const JOB: &str = "expiry of invoices";

/// What was reserved for an invoice that ended: the engine is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freed {
    pub merchant: MerchantId,
    pub sku: Sku,
    pub id: WithdrawalId,
}

/// When an invoice ended, and what was reserved for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Now(Vec<Freed>),
    Before,
}

/// The invoice, cancelled; none if this merchant has none such.
pub async fn cancel(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<(Invoice, Ended), WrongStatus>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(invoice) = lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let invoice = match invoice.step(Event::Cancelled, now) {
            Err(wrong) => return Ok(Some(Err(wrong))),
            Ok(Stepped::Already(invoice)) => return Ok(Some(Ok((*invoice, Ended::Before)))),
            Ok(Stepped::To(invoice)) => *invoice,
        };
        let freed = free(&mut tx, &invoice, Ending::Cancelled, now).await?;
        store(&mut tx, &invoice, (actor, "invoice.cancel"), now).await?;
        commit(tx).await?;
        Ok(Some(Ok((invoice, Ended::Now(freed)))))
    })
    .await
}

/// Ends what is reserved for an invoice, of all of its lines.
async fn free(
    connection: &mut PgConnection,
    invoice: &Invoice,
    ending: Ending,
    now: Timestamp,
) -> Result<Vec<Freed>, Error> {
    let lines = lines(&mut *connection, invoice.id).await?;
    free_lines(connection, (invoice, &lines), ending, now).await
}

/// The same of some of its lines.
pub(super) async fn free_lines(
    connection: &mut PgConnection,
    (invoice, lines): (&Invoice, &[Line]),
    ending: Ending,
    now: Timestamp,
) -> Result<Vec<Freed>, Error> {
    let mut freed = Vec::new();
    for line in lines {
        let id = line.id.withdrawal();
        if reservations::end(&mut *connection, id, ending, now).await? {
            freed.push(Freed {
                merchant: invoice.merchant,
                sku: line.sku,
                id,
            });
        }
    }
    Ok(freed)
}

/// Ends at most so many open invoices that are over, and as many of which a part was paid; says what was
/// reserved for each.
pub async fn expire(db: &Database, limit: u32, now: Timestamp) -> Result<Vec<Vec<Freed>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut ended = Vec::new();
        for (merchant, id) in due(&db, limit, now).await? {
            match expire_one(&db, (merchant, id), now).await? {
                Ended::Now(freed) => ended.push(freed),
                Ended::Before => {}
            }
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
    // Each of the two has an index.
    let open = select_invoice!(
        "WHERE i.status = 'OPEN' AND i.expires_at <= $1 AND i.purpose = 'CHECKOUT'
         ORDER BY i.expires_at LIMIT $2"
    );
    let underpaid = select_invoice!(
        "WHERE i.status = 'UNDERPAID' AND i.expires_at <= $1 AND i.purpose = 'CHECKOUT'
         ORDER BY i.expires_at LIMIT $2"
    );
    let mut connection = db.read().await?;
    let mut due = Vec::new();
    for which in [open, underpaid] {
        let rows: Vec<Row> = sqlx::query_as(which)
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(&mut *connection)
            .await?;
        due.extend(rows.iter().map(Row::id));
    }
    Ok(due)
}

/// Found without a lock, so looked at again under it.
async fn expire_one(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
    now: Timestamp,
) -> Result<Ended, Error> {
    let mut tx = db.begin().await?;
    let Some(invoice) = lock(&mut tx, merchant, id).await? else {
        return Ok(Ended::Before);
    };
    if invoice.status_at(now) != Status::Expired {
        return Ok(Ended::Before);
    }
    let Ok(Stepped::To(invoice)) = invoice.step(Event::Expired, now) else {
        return Ok(Ended::Before);
    };
    let freed = free(&mut tx, &invoice, Ending::Expired, now).await?;
    let deed = (Actor::job(JOB), "invoice.expire");
    store(&mut tx, &invoice, deed, now).await?;
    commit(tx).await?;
    Ok(Ended::Now(freed))
}
