//! What was paid for and is not there waits for it.
//!
//! Keeps: whoever waits for a shelf keeps nothing of those behind it: what is kept and what is given up is stored in
//! one transaction. The merchant hears of every line that an invoice waits for.

use engine::{
    audit::Actor,
    clock::Timestamp,
    events::{Fact, InvoiceAwaitingStock},
    ids::{InvoiceId, MerchantId, VariantId, WithdrawalId},
    inventory::{Ending, ReserveCall, Waiting},
    payments::{Event, Invoice, Status, Stepped},
    vault::Vault,
};
use sqlx::PgConnection;

use super::{
    deliver::{DELIVER, JOB, UNPAID, lock_paid},
    end::Freed,
    open::store_reserved,
    rows::{lines, store},
};
use crate::{
    Database, Error,
    database::commit,
    events::outbox,
    inventory::reservations,
    mail::{self, Post},
    owned,
    relationships::rows::kept,
};

/// There is too little: what comes is kept for it, and so is what there is of the shelves before.
pub struct Short {
    /// What the customer is mailed when it begins to wait, unless the address was erased.
    pub post: Option<Post>,
    /// For which lines there is too little, of those that have nothing.
    pub lines: Vec<WithdrawalId>,
    pub waiting: Waiting,
}

/// What was stored of one that waits.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// It did not wait before, and the customer is told.
    pub told: bool,
    /// What was kept for it and is no more: the engine is to be told.
    pub freed: Vec<Freed>,
}

/// Stores that an invoice waits, and for what.
pub async fn wait(
    db: &Database,
    vault: &Vault,
    (merchant, id): (MerchantId, InvoiceId),
    short: Short,
    now: Timestamp,
) -> Result<Waits, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let Short {
            post,
            mut lines,
            waiting,
        } = short;
        let mut tx = db.begin().await?;
        let invoice = lock_paid(&mut tx, (merchant, id)).await?;
        let stepped = invoice.step(Event::Short, now).map_err(|_| UNPAID)?;
        let freed = give_up(&mut tx, &waiting, now).await?;
        let told = match stepped {
            Stepped::Already(invoice) if invoice.status == Status::AwaitingStock => {
                // It may have waited for another line before.
                let at = waiting.at.id;
                if !reservations::is_live(&mut tx, at).await? {
                    tell_short(&mut tx, &invoice, &[at], now).await?;
                }
                false
            }
            Stepped::Already(_) => return Ok(Waits::default()),
            Stepped::To(invoice) => {
                // Of what it had it was not short.
                lines.retain(|line| !freed.iter().any(|freed| freed.id == *line));
                tell_short(&mut tx, &invoice, &lines, now).await?;
                if let Some(Post { id, letter }) = &post {
                    let kind = (*id, "awaiting-stock");
                    mail::queue(&mut tx, &vault, kind, letter, now).await?;
                }
                store(&mut tx, &invoice, (Actor::job(JOB), DELIVER), now).await?;
                true
            }
        };
        store_reserved(&mut tx, waiting.kept, now).await?;
        commit(tx).await?;
        Ok(Waits { told, freed })
    })
    .await
}

/// Ends what is kept behind the shelf that is waited for.
async fn give_up(
    connection: &mut PgConnection,
    waiting: &Waiting,
    now: Timestamp,
) -> Result<Vec<Freed>, Error> {
    let mut freed = Vec::new();
    for ReserveCall {
        id, merchant, sku, ..
    } in waiting.given_up.iter().copied()
    {
        if reservations::end(&mut *connection, id, Ending::Cancelled, now).await? {
            freed.push(Freed { merchant, sku, id });
        }
    }
    Ok(freed)
}

/// Of each line that is short.
async fn tell_short(
    connection: &mut PgConnection,
    invoice: &Invoice,
    short: &[WithdrawalId],
    now: Timestamp,
) -> Result<(), Error> {
    for line in lines(&mut *connection, invoice.id).await? {
        if !short.contains(&line.id.withdrawal()) {
            continue;
        }
        let fact = Fact::InvoiceAwaitingStock(InvoiceAwaitingStock {
            invoice: invoice.id.uuid(),
            product: line.sku.product.uuid(),
            variant: line.sku.variant.map(VariantId::uuid),
            quantity: line.quantity,
        });
        outbox::tell(&mut *connection, (invoice.merchant, None), &fact, now).await?;
    }
    Ok(())
}
