//! A customer of a sale got money back; the commission's share goes with it.
//!
//! Keeps: what goes back of a sale that was billed here goes back of its invoice: in one transaction, which has
//! the invoice's row first ([`of_invoice`]).

use std::sync::Arc;

use engine::{
    audit::Actor,
    clock::Timestamp,
    events::{Fact, SaleRefunded},
    ids::{MerchantId, SaleId},
    money::Money,
    payments::Invoice,
    random::Random,
    sales::{Excess, Refunded, Sale},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{earnings, rows};
use crate::{
    Database, Error, database::commit, events::outbox, fulfillments::rows::money, owned,
    relationships::rows::kept,
};

/// What is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// None: the rest.
    pub amount: Option<Money>,
    pub reference: String,
    pub note: Option<String>,
}

impl Wanted {
    /// Whether what was taken down under its reference, of this and so much, is what is wanted of `what` now.
    pub(crate) fn is(&self, what: Uuid, (of, amount): (Uuid, i64)) -> Result<bool, Error> {
        let amount = money(amount)?;
        Ok(of == what && self.amount.is_none_or(|wanted| wanted == amount))
    }
}

/// What became of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Fresh(Sale),
    /// It was taken down before.
    Again(Sale),
    /// The reference belongs to another refund.
    Mismatch,
    Excess(Excess),
}

/// A sale of this merchant.
pub async fn find(
    db: &Database,
    (merchant, id): (MerchantId, SaleId),
) -> Result<Option<Sale>, Error> {
    let db = db.clone();
    owned(async move { rows::find(&mut *db.read().await?, merchant, id).await }).await
}

/// Takes a refund of a reported sale down, once per reference; none if the merchant has no such sale.
pub async fn refund(
    db: &Database,
    random: Arc<dyn Random>,
    (merchant, id): (MerchantId, SaleId),
    wanted: Wanted,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Outcome>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(found) = rows::find(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let of = (merchant, found.relationship);
        let mut account = earnings::lock(&mut tx, of).await?;
        // Read anew under the lock.
        let Some(sale) = rows::find(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        if let Some(known) = known(&mut tx, merchant, &wanted.reference).await? {
            return Ok(Some(if wanted.is(id.uuid(), known)? {
                Outcome::Again(sale)
            } else {
                Outcome::Mismatch
            }));
        }
        let refunded = match sale.refund(wanted.amount, now) {
            Ok(refunded) => refunded,
            Err(excess) => return Ok(Some(Outcome::Excess(excess))),
        };
        if !take(
            &mut tx,
            &mut account,
            (&refunded, 0, &wanted, &*random),
            now,
        )
        .await?
        {
            return Ok(Some(Outcome::Mismatch));
        }
        let what = ("sale.refund", id.to_string());
        rows::note(&mut tx, merchant, what, (actor, now)).await?;
        commit(tx).await?;
        Ok(Some(Outcome::Fresh(refunded.sale)))
    })
    .await
}

/// Takes what goes back of each line of an invoice from the sale that it made, as far as there is one and something
/// is left of it. False if the reference belongs to another refund: then nothing is to be stored.
pub(crate) async fn of_invoice(
    connection: &mut PgConnection,
    invoice: &Invoice,
    (back, wanted, random): (&[Money], &Wanted, &dyn Random),
    now: Timestamp,
) -> Result<bool, Error> {
    let mut number = 0;
    for (place, found) in rows::find_billed(&mut *connection, invoice).await? {
        let of = (found.merchant, found.relationship);
        let mut account = earnings::lock(&mut *connection, of).await?;
        // Read anew under the lock.
        let sale = rows::find(&mut *connection, found.merchant, found.id).await?;
        let sale = sale.ok_or(Error::Inconsistent {
            what: "a sale that is gone",
        })?;
        let part = back.get(place).copied().unwrap_or_default();
        let Some(refunded) = sale.refund_of(part, now) else {
            continue;
        };
        let what = (&refunded, number, wanted, random);
        if !take(&mut *connection, &mut account, what, now).await? {
            return Ok(false);
        }
        number += 1;
    }
    Ok(true)
}

/// The place of the line of an invoice that made a sale.
pub(crate) async fn place_of(
    connection: &mut PgConnection,
    invoice: &Invoice,
    sale: SaleId,
) -> Result<Option<usize>, Error> {
    let billed = rows::find_billed(connection, invoice).await?;
    let mut billed = billed.into_iter();
    Ok(billed
        .find(|(_, found)| found.id == sale)
        .map(|(place, _)| place))
}

/// Moves the account and stores the refund, the first under its reference or one beside it; false if another one took
/// the reference at the same moment.
pub(super) async fn take(
    connection: &mut PgConnection,
    account: &mut earnings::Account,
    (refunded, number, wanted, random): (&Refunded, i32, &Wanted, &dyn Random),
    now: Timestamp,
) -> Result<bool, Error> {
    if let Some(movement) = refunded.movement {
        let what = (refunded.sale.id.uuid(), random);
        if !account.store(&mut *connection, movement, what, now).await? {
            return Err(Error::Inconsistent {
                what: "the earnings that a refund takes from",
            });
        }
    }
    match store(connection, (refunded, number), wanted, now).await {
        Err(error) if error.constraint() == Some("sale_refunds_pkey") => Ok(false),
        stored => stored.map(|()| true),
    }
}

async fn known(
    connection: &mut PgConnection,
    merchant: MerchantId,
    reference: &str,
) -> Result<Option<(Uuid, i64)>, Error> {
    Ok(sqlx::query_as(
        "SELECT sale_id, amount FROM sale_refunds WHERE merchant_id = $1 AND reference = $2",
    )
    .bind(merchant.uuid())
    .bind(reference)
    .fetch_optional(connection)
    .await?)
}

async fn store(
    connection: &mut PgConnection,
    (refunded, number): (&Refunded, i32),
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(), Error> {
    let sale = &refunded.sale;
    sqlx::query(
        "INSERT INTO sale_refunds (merchant_id, reference, sale_id, amount, note, created_at, place)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(sale.merchant.uuid())
    .bind(&wanted.reference)
    .bind(sale.id.uuid())
    .bind(refunded.amount.minor())
    .bind(&wanted.note)
    .bind(now)
    .bind(number)
    .execute(&mut *connection)
    .await?;
    rows::store(connection, sale).await?;
    let fact = Fact::SaleRefunded(SaleRefunded {
        sale: sale.id.uuid(),
        relationship: sale.relationship.uuid(),
        amount: refunded.amount.minor(),
        refunded: sale.refunded.minor(),
    });
    let whose = (sale.merchant, Some(sale.relationship));
    outbox::tell(connection, whose, &fact, now).await?;
    if refunded.taken_back > Money::ZERO {
        rows::tell_reversed(connection, sale, refunded.taken_back, now).await?;
    }
    Ok(())
}
