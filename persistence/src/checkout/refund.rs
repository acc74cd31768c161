//! A customer's money went back, because the merchant gave it or its provider took it: stored once per reference,
//! with the sale's share of it.
//!
//! Keeps: how much of it is there is said by the row that is locked. An invoice whose price went back is not delivered any more, and what had left the shelf for it before
//! is known to be the customer's. The caller has the invoice's turn, so that nothing leaves it meanwhile.

use std::sync::Arc;

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId},
    inventory::Ending,
    journal::Owner,
    money::Money,
    payments::{Event, Invoice, NotTakenBack, Status, Stepped},
    random::Random,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    deliver::give,
    end::{Freed, free},
    rows::{line, lock, store},
};
use crate::{
    Database, Error,
    database::commit,
    inventory::{reservations, withdrawal},
    mail::{self, Post},
    owned,
    relationships::rows::kept,
    sales::refund::{Wanted, of_invoice},
};

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its merchant gave as much as is wanted, or the rest.
    Given,
    /// A payment of this much did not come after all: as much of it goes back as did not before.
    Reversed(Money),
}

/// What is given back, by whom, and what the customer is mailed of it.
pub struct Giving {
    pub cause: Cause,
    pub wanted: Wanted,
    pub post: Option<Post>,
    pub actor: Actor,
    /// Whose shelves these are.
    pub owner: Owner,
    pub random: Arc<dyn Random>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refund {
    /// With what was reserved and is free now.
    Fresh(Box<Invoice>, Option<Freed>),
    /// It was taken down before.
    Again(Box<Invoice>),
    /// The reference belongs to another refund.
    Mismatch,
    Refused(NotTakenBack),
}

/// Takes down what goes back of an invoice of a customer of this merchant; none if there is none such.
pub async fn refund(
    db: &Database,
    vault: &engine::vault::Vault,
    (merchant, id): (MerchantId, InvoiceId),
    giving: Giving,
    now: Timestamp,
) -> Result<Option<Refund>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(found) = lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let Giving { wanted, post, .. } = &giving;
        if let Some(known) = known(&mut tx, merchant, &wanted.reference).await? {
            return Ok(Some(if wanted.is(id.uuid(), known)? {
                Refund::Again(Box::new(found))
            } else {
                Refund::Mismatch
            }));
        }
        let (invoice, amount) = match giving.from(found.clone(), now) {
            Ok(refunded) => refunded,
            Err(refused) => return Ok(Some(Refund::Refused(refused))),
        };
        let over = found.completed_at.is_none() && invoice.status == Status::Refunded;
        let (invoice, freed) = if over {
            end(&mut tx, (found, invoice), &giving, now).await?
        } else {
            (invoice, None)
        };
        let share = (amount, wanted, &*giving.random);
        let kept = insert(&mut tx, &invoice, (amount, wanted), now).await?
            && of_invoice(&mut tx, &invoice, share, now).await?;
        if !kept {
            return Ok(Some(Refund::Mismatch));
        }
        if let Some(Post { id, letter }) = post {
            mail::queue(&mut tx, &vault, (*id, "refund"), letter, now).await?;
        }
        let deed = (giving.actor, "invoice.refund");
        store(&mut tx, &invoice, deed, now).await?;
        commit(tx).await?;
        Ok(Some(Refund::Fresh(Box::new(invoice), freed)))
    })
    .await
}

impl Giving {
    /// The invoice after it, and how much went back.
    fn from(&self, invoice: Invoice, now: Timestamp) -> Result<(Invoice, Money), NotTakenBack> {
        match self.cause {
            Cause::Given => invoice.refund(self.wanted.amount, now),
            Cause::Reversed(payment) => invoice.reverse(payment, now),
        }
    }
}

/// Nothing will be delivered. What left the shelf already, which a crash kept from being noted, is the
/// customer's.
async fn end(
    connection: &mut PgConnection,
    (found, refunded): (Invoice, Invoice),
    giving: &Giving,
    now: Timestamp,
) -> Result<(Invoice, Option<Freed>), Error> {
    still_owns(connection, giving.owner).await?;
    let reserved = line(&mut *connection, found.id).await?.id.withdrawal();
    let Some(left) = withdrawal::find(&mut *connection, reserved).await? else {
        let freed = free(connection, &refunded, Ending::Cancelled, now).await?;
        return Ok((refunded, freed));
    };
    let Ok(Stepped::To(given)) = found.step(Event::Completed, now) else {
        return Err(Error::Inconsistent {
            what: "serials left for an invoice that is not paid",
        });
    };
    let refunded = giving.from(*given, now);
    let (refunded, _) = refunded.map_err(|_| Error::Inconsistent {
        what: "a refund that was possible before the delivery",
    })?;
    give(&mut *connection, &refunded, &left.serials, now).await?;
    reservations::end(connection, reserved, Ending::Redeemed, now).await?;
    Ok((refunded, None))
}

/// Whoever was replaced does not know what its successor delivers.
async fn still_owns(connection: &mut PgConnection, owner: Owner) -> Result<(), Error> {
    let owns: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM shards WHERE shard = 0 AND owner = $1)")
            .bind(owner.0)
            .fetch_one(connection)
            .await?;
    owns.then_some(()).ok_or_else(|| Error::Unavailable {
        reason: "another process has the shard".to_owned(),
    })
}

/// What a refund with this reference was of, and how much.
pub(crate) async fn known(
    connection: &mut PgConnection,
    merchant: MerchantId,
    reference: &str,
) -> Result<Option<(Uuid, i64)>, Error> {
    Ok(sqlx::query_as(
        "SELECT invoice_id, amount FROM invoice_refunds WHERE merchant_id = $1 AND reference = $2",
    )
    .bind(merchant.uuid())
    .bind(reference)
    .fetch_optional(connection)
    .await?)
}

/// Takes a refund of an invoice down; false if another one took the reference at the same moment.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    invoice: &Invoice,
    (amount, wanted): (Money, &Wanted),
    now: Timestamp,
) -> Result<bool, Error> {
    let inserted = sqlx::query(
        "INSERT INTO invoice_refunds (merchant_id, reference, invoice_id, amount, note, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(invoice.merchant.uuid())
    .bind(&wanted.reference)
    .bind(invoice.id.uuid())
    .bind(amount.minor())
    .bind(&wanted.note)
    .bind(now)
    .execute(connection)
    .await
    .map_err(Error::from);
    match inserted {
        Err(error) if error.constraint() == Some("invoice_refunds_pkey") => Ok(false),
        inserted => inserted.map(|_| true),
    }
}
