//! Invoices whose time is over, end. Money that comes later is still theirs.

use std::sync::Arc;

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::InvoiceId,
    notifications::Group,
    payments::{Event, Status, Stepped},
    top_ups::Ended,
    vault::Vault,
};

use super::{
    automatic,
    find::{Payer, payer_in},
    rows::{self, Of, Row, select_invoice},
};
use crate::{
    Database, Error, database::commit, mail::Post, notifications, owned, relationships::rows::kept,
};

/// Who the audit log says it was.
const JOB: &str = "expiry of top-ups";

/// The mail that no more automatic invoices are opened.
pub type Paused = Arc<dyn Fn(&Payer) -> Post + Send + Sync>;

/// Ends at most so many invoices that are over; says how many.
pub async fn expire(
    db: &Database,
    vault: &Vault,
    paused: Paused,
    limit: u32,
    now: Timestamp,
) -> Result<u32, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut ended = 0;
        for (of, id) in due(&db, limit, now).await? {
            let one = expire_one(&db, (&vault, &paused), (of, id), now).await?;
            ended += u32::from(one);
        }
        Ok(ended)
    })
    .await
}

async fn due(db: &Database, limit: u32, now: Timestamp) -> Result<Vec<(Of, InvoiceId)>, Error> {
    let rows: Vec<Row> = sqlx::query_as(select_invoice!(
        "WHERE i.status = 'OPEN' AND i.expires_at <= $1 AND i.purpose = 'TOP_UP'
         ORDER BY i.expires_at LIMIT $2"
    ))
    .bind(now)
    .bind(i64::from(limit))
    .fetch_all(&mut *db.read().await?)
    .await?;
    Ok(rows.iter().filter_map(Row::of).collect())
}

/// Found without a lock, so looked at again under it.
async fn expire_one(
    db: &Database,
    (vault, paused): (&Vault, &Paused),
    (of, id): (Of, InvoiceId),
    now: Timestamp,
) -> Result<bool, Error> {
    let mut tx = db.begin().await?;
    let Some((balance, invoice)) = rows::lock(&mut tx, of, id).await? else {
        return Ok(false);
    };
    if invoice.status_at(now) != Status::Expired {
        return Ok(false);
    }
    let before = rows::digest(&mut tx, id).await?;
    let Ok(Stepped::To(invoice)) = invoice.step(Event::Expired, now) else {
        return Ok(false);
    };
    let ended = (Ended::Expired, now);
    if automatic::ended(&mut tx, balance, &invoice, ended).await?
        && let Some(payer) = payer_in(&mut tx, of).await?
    {
        let about = (of.1, Group::TopUp, "top-up-paused");
        notifications::tell(&mut tx, vault, about, &paused(&payer), now).await?;
    }
    rows::store(&mut tx, &invoice, now).await?;
    let deed = (Actor::job(JOB), "top_up.expire");
    rows::note(&mut tx, &invoice, deed, Some(before), now).await?;
    commit(tx).await?;
    Ok(true)
}
