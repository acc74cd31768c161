//! A customer's money went back, because the merchant gave it or its provider took it: stored once per reference,
//! with each sale's share of it.
//!
//! Keeps: how much of it is there is said by the row that is locked. An invoice or a line whose price went back is not
//! delivered any more, and what had left the shelf for it before is known to be the customer's. The caller has the
//! invoice's turn, so that nothing leaves it meanwhile. A reference is of one line, or of all of them.

use std::sync::Arc;

use engine::{
    audit::Actor,
    checkout::{Earlier, Going, Line, WentBack, give_back},
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, SaleId},
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
    end::{Freed, free_lines},
    rows::{lines, lock, store, store_line},
};
use crate::{
    Database, Error,
    database::commit,
    fulfillments::rows::money,
    inventory::{reservations, withdrawal},
    mail::{self, Post},
    owned,
    relationships::rows::{kept, named},
    sales::refund::{Wanted, of_invoice, place_of},
};

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its merchant gave as much as is wanted, or the rest.
    Given,
    /// The same of the one line that made this sale; its rest at most.
    OfSale(SaleId),
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
    Fresh(Box<Invoice>, Vec<Freed>),
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
        let mut lines = lines(&mut tx, id).await?;
        let at = match giving.cause.sale().filter(|_| lines.len() > 1) {
            None => None,
            Some(sale) => Some(place(&mut tx, &found, sale).await?),
        };
        if let Some(known) = known(&mut tx, merchant, &giving.wanted.reference).await? {
            let of = place_known(&mut tx, merchant, &giving.wanted.reference).await?;
            let same = giving.wanted.is(id.uuid(), known)? && of == at;
            return Ok(Some(if same {
                Refund::Again(Box::new(found))
            } else {
                Refund::Mismatch
            }));
        }
        let Giving { wanted, post, .. } = &giving;
        let (going, earlier) = (giving.going(at), earlier(&mut tx, id).await?);
        let went = match give_back((found.clone(), &lines), going, &earlier, now) {
            Ok(went) => went,
            Err(refused) => return Ok(Some(Refund::Refused(refused))),
        };
        let waits = found.paid_at.is_some() && found.completed_at.is_none();
        let (went, freed) = if waits && went.invoice.status == Status::Refunded {
            let how = (went, going, &earlier[..], giving.owner);
            end(&mut tx, (found, &mut lines), how, now).await?
        } else if waits {
            leave_out(&mut tx, &mut lines, (went, giving.owner), now).await?
        } else {
            (went, Vec::new())
        };
        let (invoice, amount, back) = (went.invoice, went.amount, went.of_lines);
        note_back(&mut tx, lines, &back).await?;
        let share = (&back[..], wanted, &*giving.random);
        let kept = insert_of(&mut tx, &invoice, (at, amount, wanted), now).await?
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
    /// What goes back, of the line at this place if it is of one.
    const fn going(&self, at: Option<usize>) -> Going {
        match (self.cause, at) {
            (Cause::Given | Cause::OfSale(_), None) => Going::Given(self.wanted.amount),
            (Cause::Given | Cause::OfSale(_), Some(at)) => Going::OfLine(at, self.wanted.amount),
            (Cause::Reversed(payment), _) => Going::Reversed(payment),
        }
    }
}

impl Cause {
    const fn sale(self) -> Option<SaleId> {
        match self {
            Self::OfSale(sale) => Some(sale),
            Self::Given | Self::Reversed(_) => None,
        }
    }
}

/// The line of a sale that an invoice made.
async fn place(
    connection: &mut PgConnection,
    invoice: &Invoice,
    sale: SaleId,
) -> Result<usize, Error> {
    let at = place_of(connection, invoice, sale).await?;
    at.ok_or(Error::Inconsistent {
        what: "a sale of an invoice that has no line of it",
    })
}

/// Notes with each line what went back of it.
pub(super) async fn note_back(
    connection: &mut PgConnection,
    lines: Vec<Line>,
    back: &[Money],
) -> Result<(), Error> {
    for (mut line, part) in lines.into_iter().zip(back) {
        if *part == Money::ZERO {
            continue;
        }
        let refunded = line.refunded.checked_add(*part);
        line.refunded = refunded.ok_or(Error::Inconsistent {
            what: "more goes back of a line than it cost",
        })?;
        store_line(&mut *connection, &line).await?;
    }
    Ok(())
}

/// What of an invoice went back since it was paid, the oldest first.
async fn earlier(connection: &mut PgConnection, id: InvoiceId) -> Result<Vec<Earlier>, Error> {
    let rows: Vec<(i64, bool)> = sqlx::query_as(
        "SELECT r.amount, r.place IS NOT NULL
         FROM invoice_refunds AS r JOIN invoices AS i ON i.invoice_id = r.invoice_id
         WHERE r.invoice_id = $1 AND r.created_at >= i.paid_at
         ORDER BY r.created_at, r.reference",
    )
    .bind(id.uuid())
    .fetch_all(connection)
    .await?;
    let rows = rows.into_iter().map(|(amount, of_line)| {
        let amount = money(amount)?;
        Ok(Earlier { amount, of_line })
    });
    rows.collect()
}

/// Lines whose whole price goes back with this are not delivered, but for those that left the shelf already, which a
/// crash kept from being noted: those are the customer's.
async fn leave_out(
    connection: &mut PgConnection,
    lines: &mut [Line],
    (went, owner): (WentBack, Owner),
    now: Timestamp,
) -> Result<(WentBack, Vec<Freed>), Error> {
    let mut left_out = Vec::new();
    let whole = |(line, part): &(&mut Line, &Money)| **part > Money::ZERO && **part == line.rest();
    for (line, _) in lines.iter_mut().zip(&went.of_lines).filter(whole) {
        still_owns(&mut *connection, owner).await?;
        let withdrawn = withdrawal::find(&mut *connection, line.id.withdrawal()).await?;
        line.left_out = withdrawn.is_none();
        if line.left_out {
            left_out.push(line.clone());
        }
    }
    let of = (&went.invoice, &left_out[..]);
    let freed = free_lines(connection, of, Ending::Cancelled, now).await?;
    Ok((went, freed))
}

/// Nothing will be delivered. What left the shelf already, which a crash kept from being noted, is the
/// customer's, be it of some lines only: the others are left out.
async fn end(
    connection: &mut PgConnection,
    (found, lines): (Invoice, &mut [Line]),
    (mut went, going, earlier, owner): (WentBack, Going, &[Earlier], Owner),
    now: Timestamp,
) -> Result<(WentBack, Vec<Freed>), Error> {
    still_owns(connection, owner).await?;
    let (mut left, mut stayed) = (Vec::new(), Vec::new());
    for line in &mut *lines {
        let reserved = line.id.withdrawal();
        if let Some(withdrawal) = withdrawal::find(&mut *connection, reserved).await? {
            reservations::end(&mut *connection, reserved, Ending::Redeemed, now).await?;
            left.extend(withdrawal.serials);
        } else {
            stayed.push(line);
        }
    }
    if !left.is_empty() {
        for line in stayed {
            line.left_out = true;
            store_line(&mut *connection, line).await?;
        }
    }
    let of = (&went.invoice, &*lines);
    let freed = free_lines(&mut *connection, of, Ending::Cancelled, now).await?;
    if left.is_empty() {
        return Ok((went, freed));
    }
    let Ok(Stepped::To(given)) = found.step(Event::Completed, now) else {
        return Err(Error::Inconsistent {
            what: "serials left for an invoice that is not paid",
        });
    };
    let again = give_back((*given, &*lines), going, earlier, now);
    went = again.map_err(|_| Error::Inconsistent {
        what: "a refund that was possible before the delivery",
    })?;
    let own = (went.invoice.merchant, went.invoice.id);
    give(&mut *connection, own, &left, now).await?;
    Ok((went, freed))
}

/// Whoever was replaced does not know what its successor delivers.
pub(super) async fn still_owns(connection: &mut PgConnection, owner: Owner) -> Result<(), Error> {
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

/// The line that it was of; none if it was of all of them.
async fn place_known(
    connection: &mut PgConnection,
    merchant: MerchantId,
    reference: &str,
) -> Result<Option<usize>, Error> {
    let place: Option<i32> = sqlx::query_scalar(
        "SELECT place FROM invoice_refunds WHERE merchant_id = $1 AND reference = $2",
    )
    .bind(merchant.uuid())
    .bind(reference)
    .fetch_one(connection)
    .await?;
    place
        .map(|place| named(usize::try_from(place).ok(), "invoice_refunds.place"))
        .transpose()
}

/// Takes a refund of all lines of an invoice down; false if another one took the reference at the same moment.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    invoice: &Invoice,
    (amount, wanted): (Money, &Wanted),
    now: Timestamp,
) -> Result<bool, Error> {
    insert_of(connection, invoice, (None, amount, wanted), now).await
}

/// The same of one line.
async fn insert_of(
    connection: &mut PgConnection,
    invoice: &Invoice,
    (at, amount, wanted): (Option<usize>, Money, &Wanted),
    now: Timestamp,
) -> Result<bool, Error> {
    let inserted = sqlx::query(
        "INSERT INTO invoice_refunds (merchant_id, reference, invoice_id, amount, note, created_at, place)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(invoice.merchant.uuid())
    .bind(&wanted.reference)
    .bind(invoice.id.uuid())
    .bind(amount.minor())
    .bind(&wanted.note)
    .bind(now)
    .bind(at.map(|at| i32::try_from(at).unwrap_or(i32::MAX)))
    .execute(connection)
    .await
    .map_err(Error::from);
    match inserted {
        Err(error) if error.constraint() == Some("invoice_refunds_pkey") => Ok(false),
        inserted => inserted.map(|_| true),
    }
}
