//! What arrived for a customer's invoice is stored, with the sales that it makes.
//!
//! Keeps: a source pays once; a sale is there as soon as its invoice is paid, or too little was taken for its
//! price, and never before. What is delivered for it waits for whoever stored it or, if that one ended, for
//! [`super::take_waiting`].

use std::sync::Arc;

use engine::{
    audit::Actor,
    checkout::paid,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, SaleId},
    money::Money,
    payments::{Invoice, Settlement, Snapshot, Status, Stepped, WrongStatus},
    random::Random,
    vault::Vault,
};
use sqlx::PgConnection;

use super::rows::{lines, lock, store, store_line};
use crate::{
    Database, Error,
    database::commit,
    inventory::reservations,
    mail::{self, Post},
    owned,
    relationships::rows::kept,
    sales::record,
    top_ups::{
        Announcement,
        settle::{SOURCE_KEY, insert, payment},
    },
};

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPaid {
    /// The invoice was paid otherwise.
    Contradiction(Box<Invoice>),
    /// What arrived was taken in for another invoice.
    SourceTaken,
    /// The sums of the reseller would be beyond the bound of amounts.
    TooLarge,
}

/// What a provider says of an invoice.
pub struct Said {
    pub snapshot: Snapshot,
    /// What the customer is mailed if too little arrived for the first time.
    pub part: Option<Announcement>,
}

/// Takes in what a provider says of an invoice of a customer of this merchant, and says whether it was so
/// before; none if there is none such.
pub async fn settle(
    (db, vault): (&Database, &Vault),
    (merchant, id): (MerchantId, InvoiceId),
    said: Said,
    (actor, random): (Actor, Arc<dyn Random>),
    now: Timestamp,
) -> Result<Option<Result<(Invoice, bool), NotPaid>>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(invoice) = lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let was = invoice.status;
        let Ok(settlement) = invoice.clone().settle(&said.snapshot, now) else {
            return Ok(Some(Err(NotPaid::Contradiction(Box::new(invoice)))));
        };
        let Settlement { stepped, fresh } = settlement;
        let mut invoice = match stepped {
            Stepped::Already(invoice) if fresh.is_empty() => return Ok(Some(Ok((*invoice, true)))),
            Stepped::Already(invoice) | Stepped::To(invoice) => *invoice,
        };
        for arrival in fresh {
            let payment = payment(arrival, now, &*random);
            match insert(&mut tx, &invoice, &payment, now).await {
                Err(error) if error.constraint() == Some(SOURCE_KEY) => {
                    return Ok(Some(Err(NotPaid::SourceTaken)));
                }
                inserted => inserted?,
            }
            invoice.payments.push(payment);
        }
        let part = invoice.status == Status::Underpaid && was != Status::Underpaid;
        if let Some(announce) = said.part.filter(|_| part) {
            let Post { id, letter } = announce(&invoice);
            mail::queue(&mut tx, &vault, (id, "part"), &letter, now).await?;
        }
        let is_paid = invoice.status == Status::Paid && was != Status::Paid;
        if is_paid && !sold(&mut tx, &invoice, &*random, now).await? {
            return Ok(Some(Err(NotPaid::TooLarge)));
        }
        store(&mut tx, &invoice, (actor, "invoice.settle"), now).await?;
        commit(tx).await?;
        Ok(Some(Ok((invoice, false))))
    })
    .await
}

/// Why what arrived was not taken for the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAccepted {
    Status(WrongStatus),
    /// The sums of the reseller would be beyond the bound of amounts.
    TooLarge,
}

/// The merchant takes what arrived for what was asked for; says whether it was so before. None if there is no such
/// invoice of a customer of this merchant.
pub async fn accept(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
    (actor, random): (Actor, Arc<dyn Random>),
    now: Timestamp,
) -> Result<Option<Result<(Invoice, bool), NotAccepted>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(invoice) = lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let invoice = match invoice.accept(now) {
            Err(wrong) => return Ok(Some(Err(NotAccepted::Status(wrong)))),
            Ok(Stepped::Already(invoice)) => return Ok(Some(Ok((*invoice, true)))),
            Ok(Stepped::To(invoice)) => *invoice,
        };
        if !sold(&mut tx, &invoice, &*random, now).await? {
            return Ok(Some(Err(NotAccepted::TooLarge)));
        }
        store(&mut tx, &invoice, (actor, "invoice.accept"), now).await?;
        commit(tx).await?;
        Ok(Some(Ok((invoice, false))))
    })
    .await
}

/// What an invoice brings about that is paid from now on; false if its sales are too large.
async fn sold(
    connection: &mut PgConnection,
    invoice: &Invoice,
    random: &dyn Random,
    now: Timestamp,
) -> Result<bool, Error> {
    attempt(&mut *connection, invoice.id, now).await?;
    for line in lines(&mut *connection, invoice.id).await? {
        // What waits from now on has been paid for. The engine finds it out where it is not delivered at once.
        reservations::paid(&mut *connection, line.id.withdrawal(), now).await?;
    }
    sell(connection, invoice, random, now).await
}

/// Whoever pays, delivers: nobody else tries for a while.
async fn attempt(
    connection: &mut PgConnection,
    id: InvoiceId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("UPDATE invoices SET attempted_at = $2 WHERE invoice_id = $1")
        .bind(id.uuid())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// The sales of a paid invoice, of each line of which somebody is owed a share.
async fn sell(
    connection: &mut PgConnection,
    invoice: &Invoice,
    random: &dyn Random,
    now: Timestamp,
) -> Result<bool, Error> {
    let customer: Option<String> =
        sqlx::query_scalar("SELECT customer FROM invoices WHERE invoice_id = $1")
            .bind(invoice.id.uuid())
            .fetch_one(&mut *connection)
            .await?;
    let lines = paid(lines(&mut *connection, invoice.id).await?, invoice);
    for (place, line) in lines.iter().enumerate() {
        if line.missing > Money::ZERO {
            store_line(&mut *connection, line).await?;
        }
        let id = SaleId::generate(now, random);
        let Some((sale, movement)) = line.sale(id, (invoice, customer.clone()), now) else {
            continue;
        };
        let sold = (&sale, movement, place);
        if !record(&mut *connection, sold, (random, now)).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
